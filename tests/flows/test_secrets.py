"""Secrets stay secret: none that was planted anywhere is found in anything that the product puts out."""

import json
from typing import Literal

import pytest
import sqlalchemy as sa

from bot.views.answers import answer
from integrations.sandbox.github import GitHubAlert
from storage import audit, jobs
from storage.clock import Clock
from storage.records import AuditEntry, AuditOutcome, NewJob
from tests.flows.outputs import collect_outputs, logging_as
from tests.flows.planted import encoded, find_traces, make_secret, traces
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, open_stage

PLANTED = {
    "the alert": make_secret("alert"),
    "an encoded alert": make_secret("encoded alert"),
    "a path": make_secret("path", "github fine-grained"),
    "a title": make_secret("title", "slack"),
    "the name of a pattern": make_secret("pattern", "gitlab"),
    "an owner's name": make_secret("owner", "npm"),
    "a bypass comment": make_secret("bypass", "aws"),
    "a comment on GitHub": make_secret("comment", "stripe"),
    "a comment in a form": make_secret("form"),
    "a command": make_secret("command", "github fine-grained"),
    "a delivery's secret field": make_secret("delivery"),
    "an answer's secret field": make_secret("answer"),
    "GitHub's error": make_secret("error"),
}
ALERTS = r"/repos/octo/payments/secret-scanning/alerts/\d+"


@pytest.mark.parametrize(
    ("database_url", "style"), [("sqlite", "json"), ("postgresql", "text")], indirect=["database_url"]
)
async def test_no_planted_secret_is_found_in_anything_put_out(
    database_url: str,
    clock: Clock,
    private_key: str,
    style: Literal["json", "text"],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with logging_as(style):
        async with open_stage(database_url, clock, private_key) as stage:
            await _play(stage)
            outputs = await collect_outputs(stage)
    said = capsys.readouterr()
    outputs |= {"standard output": said.out.encode(), "the log": said.err.encode()}
    assert find_traces(outputs, PLANTED) == []
    assert ('"exc_type"' if style == "json" else "Traceback") in said.err
    assert "actions/probe.py" in said.err, "nothing failed in the middle of a probe"


async def _play(stage: Stage) -> None:
    """The whole story, with every fault on the way struck, and the secret where it has to be."""
    stage.github.hidden_secret = PLANTED["an answer's secret field"]
    alert = await _leak(stage)
    await _look_up(stage)
    await _check(stage)
    await _report(stage)
    await _close(stage, alert)
    await _reopen(stage, alert)
    await _work_an_encoded_one(stage)
    assert [rule for rule in stage.github.faults.rules if rule.hits == 0] == []
    [sent, *_] = stage.github.calls("POST", "/credentials/revoke")
    assert sent.body == {"credentials": [PLANTED["the alert"]]}


async def _leak(stage: Stage) -> GitHubAlert:
    """A delivery with secrets wherever people or GitHub's mistakes may put them, and a field that must not be."""
    stage.github.deliver = "hold"
    alert = stage.github.leak(
        stage.repository,
        token=stage.live_token(literal=PLANTED["the alert"]),
        path=f"config/{PLANTED['a path']}.env",
        bypassed_by=stage.leaker,
        bypass_comment=f"Only a test: {PLANTED['a bypass comment']} {encoded(PLANTED['a bypass comment'])}",
        display_name=f"Acme {PLANTED['the name of a pattern']}",
        metadata={"owner-name": PLANTED["an owner's name"], "owner-id": "7"},
    )
    [held] = [delivery for delivery in stage.github.held if delivery.event == "secret_scanning_alert"]
    delivery = held.copy()
    payload = delivery.payload
    for part in (payload["alert"], payload["repository"]):
        assert isinstance(part, dict)
        part["secret"] = PLANTED["a delivery's secret field"]
        part["description"] = f"Key: {PLANTED['a title']}"
    payload["issue"] = {"title": f"{PLANTED['a title']} leaked", "body": encoded(PLANTED["a title"])}
    assert await stage.github.send(delivery) == 202
    stage.github.deliver = "now"
    await stage.work(within=10)
    stage.github.add_location(
        alert, path=f"backup/{PLANTED['a path']}/{encoded(PLANTED['a path'])}.txt", start_line=3
    )
    await stage.work()
    assert "[hidden]" in stage.card().shown_text
    return alert


async def _look_up(stage: Stage) -> None:
    """Commands that hold a secret, and everything that shows the alert to one person alone."""
    secret = PLANTED["a command"]
    for text in (secret, f"whoami {secret}", f"whoami octo/{secret}", f"whoami {encoded(secret)}"):
        await stage.slack.command(OWNER, CHANNEL, text)
    for text in (f"search {secret}", f"list repo:{secret}", f"list {encoded(secret)}", f"show {secret}"):
        await stage.slack.command(OWNER, CHANNEL, text)
    for text in ("list", "search config", "show octo/payments#1", "history octo/payments#1"):
        await stage.slack.command(OWNER, CHANNEL, text)
    await stage.work()
    await stage.click(OWNER, "take")
    for value in ("locations", "history"):
        await stage.slack.select(OWNER, CHANNEL, stage.card().ts, "more", value)
        await stage.work(within=3)
    assert stage.github.calls("GET", f"{ALERTS}/locations")


async def _check(stage: Stage) -> None:
    """Probes that meet a lost connection, garbage, a server's error and one of our own; then one that works."""
    faults = stage.github.faults
    faults.add(f"PATCH {ALERTS}", times=1, status=422, body=_quoted("GitHub's error"))
    for trouble in ({"drop": "after"}, {"garbage": True}, {"status": 500, "body": _quoted("the alert")}):
        faults.add("GET /user", times=1, **trouble)
        await stage.click(OWNER, "check_validity")
        stage.clock.advance(31)
    faults.add(f"GET {ALERTS}", times=1, garbage=True)
    await stage.click(OWNER, "check_validity")
    await _fail_in_the_middle_of_a_probe(stage)
    await stage.click(OWNER, "check_validity")
    assert "live token" in stage.card().shown_text


async def _fail_in_the_middle_of_a_probe(stage: Stage) -> None:
    """The turn of a probe can't be stored, with the literal in the frames that the exception passes."""
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text("ALTER TABLE channel_pace RENAME TO channel_pace_away"))
    await stage.slack.click(OWNER, CHANNEL, stage.card().ts, "check_validity")
    await stage.running.worker.run_due()
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text("ALTER TABLE channel_pace_away RENAME TO channel_pace"))
    await stage.work(within=60)
    stage.clock.advance(31)


async def _report(stage: Stage) -> None:
    """A report that the quota delays and whose answer is lost, followed up to its end."""
    faults = stage.github.faults
    stage.github.revoke_delay = 120
    faults.add("POST /credentials/revoke", times=1, status=403, headers={"retry-after": "60"})
    await stage.report(OWNER)
    faults.add("POST /credentials/revoke", times=1, drop="before")
    await stage.work(within=200)
    faults.add("GET /rate_limit", times=1, status=502, body=_quoted("the alert"))
    # Telling the person fails with a word that nobody knows, in the job that has just asked.
    stage.slack.fail("conversations.open", "strange_error")
    await stage.work(within=1000)
    assert "reported and confirmed inactive" in stage.card().shown_text


async def _close(stage: Stage, alert: GitHubAlert) -> None:
    """Closed through a form that refuses a secret, with an error that quotes one; and on GitHub's page."""
    secret = PLANTED["a comment in a form"]
    await stage.pick(ADMIN, "close_as", "revoked")
    for typed in (f"It was {secret}", f"It was {encoded(secret)}"):
        result = await stage.submit(ADMIN, {"comment": {"comment": typed}})
        assert "looks like a secret" in result.json()["errors"]["comment"]
    stage.github.faults.add(f"PATCH {ALERTS}", times=1, status=502, body=_quoted("GitHub's error"))
    await stage.submit(ADMIN, {"comment": {"comment": "Rotated."}})
    await stage.work(within=20)
    assert alert.state == "resolved"
    secret = PLANTED["a comment on GitHub"]
    stage.github.reopen(alert, by=stage.people[OWNER], comment=f"Again: {secret}")
    await stage.work(within=5)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked", comment=f"Was {encoded(secret)}")
    await stage.work(within=5)
    assert "[hidden]" in stage.card().shown_text


async def _reopen(stage: Stage, alert: GitHubAlert) -> None:
    await stage.click(OWNER, "reopen")
    result = await stage.submit(OWNER, {"comment": {"comment": PLANTED["a comment in a form"]}})
    assert "looks like a secret" in result.json()["errors"]["comment"]
    stage.github.faults.add(f"PATCH {ALERTS}", times=1, drop="after")
    await stage.submit(OWNER, {"comment": {"comment": "Not over yet."}})
    await stage.work(within=20)
    assert alert.state == "open"


async def _work_an_encoded_one(stage: Stage) -> None:
    token = stage.live_token(literal=PLANTED["an encoded alert"])
    stage.github.leak(stage.repository, token=token, is_base64_encoded=True)
    await stage.work(within=10)
    [_, card] = stage.slack.cards(CHANNEL)
    await stage.slack.click(OWNER, CHANNEL, card.ts, "check_validity")
    await stage.work(within=3)
    await stage.slack.click(OWNER, CHANNEL, card.ts, "report_leak")
    await stage.work(within=3)
    stage.github.faults.add("POST /credentials/revoke", times=1, drop="after")
    await stage.submit(OWNER, {"consequence": {"understood": ["yes"]}})
    await stage.work(within=1000)
    assert not token.is_valid(stage.clock.now())


def _quoted(name: str) -> dict[str, str]:
    """An error of GitHub's that repeats what it did not like."""
    return {"message": f"Bad {PLANTED[name]} or {encoded(PLANTED[name])}"}


async def test_the_search_finds_a_secret_that_was_let_out(stage: Stage) -> None:
    """The control: a search that looks nowhere would find nothing as well."""
    secret = make_secret("control")
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, NewJob("nothing", {"text": secret}, delay=1e6))
        await audit.append(tx, AuditEntry(action=encoded(secret), outcome=AuditOutcome.DONE))
    stage.context.metrics.deliveries.labels(secret).inc()
    await stage.context.slack.direct_message(OWNER, answer("x", secret[-8:]))
    found = find_traces(await collect_outputs(stage), {"it": secret})
    places = {place.partition(":")[0] for place in found}
    stored = {name for name in places if name.startswith(("stanch.db", "table "))}
    assert places - stored == {
        "the audit export",
        "the list of jobs",
        "/metrics",
        "calls of Slack",
        "what people were told",
    }
    assert stored


@pytest.mark.parametrize("form", [name for name, _ in traces(make_secret("control"))])
def test_the_search_finds_every_form(form: str) -> None:
    secret = make_secret("control")
    text = json.dumps({"value": f"x{dict(traces(secret))[form]}y"})
    assert f"here: {form} of it" in find_traces({"here": text.encode()}, {"it": secret})
