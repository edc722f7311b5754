"""Checks of validity: what each answer of GitHub's means, how often tokens are probed, and what is written back."""

import asyncio
import base64
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.options import Options, ValidityOptions
from storage import alerts, jobs
from storage.clock import Clock
from storage.records import EventKind, JobState
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage, key_of, open_stage
from tests.flows.test_roles import VIEW, organization

pytestmark = pytest.mark.either_database

PATCH = r"/repos/.*/secret-scanning/alerts/\d+"
ACTIVE, INACTIVE, UNKNOWN = (
    "It still works.",
    "It no longer works.",
    "It could not be found out whether it works.",
)
NOT_HERE = "It is not valid on this GitHub."


def probes(stage: Stage) -> int:
    """The number of calls with a leaked token."""
    return len(probe_times(stage))


def probe_times(stage: Stage) -> list[float]:
    """When GitHub was asked with a leaked token."""
    return [call.at for call in stage.github.calls("GET", "/user|/rate_limit") if call.auth != "app"]


def literals(stage: Stage) -> list[str]:
    """The calls that fetched a literal."""
    found = stage.github.calls("GET", PATCH)
    return [call.path for call in found if call.query.get("hide_secret") != "true"]


def written(stage: Stage) -> list[object]:
    """The validities that were written to GitHub."""
    return [
        call.body["validity"] for call in stage.github.calls("PATCH", PATCH) if isinstance(call.body, dict)
    ]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ({"status": 403, "headers": {"X-GitHub-SSO": "required; url=https://x"}}, ACTIVE),
        ({"status": 403, "body": {"message": "Resource not accessible by personal access token"}}, ACTIVE),
        ({"status": 403, "body": {"message": "Although you appear…, an IP allow list enabled"}}, ACTIVE),
        ({"status": 401, "body": {"message": "Bad credentials"}}, NOT_HERE),
        ({"status": 401, "body": "<html>proxy</html>"}, UNKNOWN),
        ({"status": 403, "body": {"message": "Forbidden"}}, UNKNOWN),
        ({"status": 403, "headers": {"retry-after": "60"}}, UNKNOWN),
        ({"status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}}, UNKNOWN),
        ({"status": 403, "body": {"message": "Maximum number of login attempts exceeded."}}, UNKNOWN),
        ({"status": 429}, UNKNOWN),
        ({"status": 404}, UNKNOWN),
        ({"status": 500}, UNKNOWN),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, UNKNOWN),
        ({"garbage": True}, UNKNOWN),
        ({"drop": "before"}, UNKNOWN),
    ],
)
async def test_the_verdict_follows_from_github_s_answer(
    stage: Stage, fault: dict[str, Any], answer: str
) -> None:
    """Every unclear answer means `unknown`, never `inactive`."""
    alert = await stage.leak()
    stage.github.faults.add("GET /user", **fault)
    await stage.click_privately(ADMIN, "check_validity")
    assert answer in stage.answer_to(ADMIN)
    # A 401 proves nothing about a token that this host never accepted, so nothing is written.
    assert alert.validity == ("active" if answer == ACTIVE else "unknown")


async def test_a_401_alone_is_worded_as_not_valid_here(stage: Stage) -> None:
    """GitHub answers 401 to a token of another GitHub server too."""
    await stage.leak(secret_type="github_personal_access_token")
    await stage.click_privately(ADMIN, "check_validity")
    answer = stage.answer_to(ADMIN)
    assert NOT_HERE in answer
    assert "belong to another GitHub" in answer
    assert "is not valid on this GitHub" in stage.read()
    for words in (answer, stage.read()):
        assert "no longer works" not in words
        assert "onfirmed inactive" not in words


async def test_a_401_after_an_active_probe_means_inactive(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click_privately(ADMIN, "check_validity")
    assert ACTIVE in stage.answer_to(ADMIN)
    token = stage.github.token_of(alert)
    assert token is not None
    stage.github.revoke_token(token)
    stage.clock.advance(31)
    await stage.click_privately(ADMIN, "check_validity")
    assert INACTIVE in stage.answer_to(ADMIN)
    assert "this token no longer works" in stage.read()


async def test_an_alert_is_probed_once_in_thirty_seconds(stage: Stage) -> None:
    await stage.leak()
    card = stage.card()
    await asyncio.gather(
        *(stage.slack.click(user, CHANNEL, card.ts, "check_validity") for user in (ADMIN, OWNER, ADMIN))
    )
    await stage.work(within=5)
    assert probes(stage) == 1
    stage.clock.advance(20)
    await stage.click_privately(ADMIN, "check_validity")
    assert probes(stage) == 1
    assert ACTIVE in stage.answer_to(ADMIN)
    assert "it is asked again after 30 seconds at the earliest" in stage.answer_to(ADMIN)
    stage.clock.advance(10)
    await stage.click_privately(ADMIN, "check_validity")
    assert probes(stage) == 2


async def report_without_effect(stage: Stage) -> None:
    """Report a token that stays valid, and let the time pass until ten seconds before the report's follow-up."""
    stage.github.revoke_delay = None
    await stage.leak()
    await stage.report(ADMIN)
    [report] = stage.github.calls("POST", "/credentials/revoke")
    stage.clock.advance(report.at + 50 - stage.clock.now())


async def test_a_follow_up_waits_thirty_seconds_after_another_probe(stage: Stage) -> None:
    """A person checks a moment before the follow-up of a report is due."""
    await report_without_effect(stage)
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity")
    await stage.work(within=60)
    times = probe_times(stage)
    assert len(times) >= 3
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 30


async def test_a_follow_up_waits_thirty_seconds_after_a_slow_answer(stage: Stage) -> None:
    """The request reaches GitHub at an unknown time between its start and its answer."""
    await report_without_effect(stage)
    answer = stage.github.faults.gate("GET /user", at="after")
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity")
    working = asyncio.create_task(stage.work(within=60))
    await answer.reached()
    stage.clock.advance(5)
    answered_at = stage.clock.now()
    answer.open()
    await working
    assert min(at for at in probe_times(stage) if at > answered_at) >= answered_at + 30


async def test_probes_of_several_alerts_run_one_after_another(stage: Stage) -> None:
    for _ in range(3):
        stage.github.leak(stage.repository, token=stage.live_token())
    await stage.work(within=10)
    for card in stage.slack.cards(CHANNEL):
        await stage.slack.click(ADMIN, CHANNEL, card.ts, "check_validity")
    working = asyncio.create_task(stage.work(within=10))
    for _ in range(400):
        if working.done():
            break
        stage.clock.advance(0.05)
        await asyncio.sleep(0)
        await asyncio.wait({working}, timeout=0.02)
    await working
    times = [call.at for call in stage.github.calls("GET", "/user")]
    assert len(times) == 3
    assert times[-1] - times[0] >= 1.5


async def test_a_verdict_is_written_to_github_if_its_validity_is_unknown(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click_privately(ADMIN, "check_validity")
    assert written(stage) == ["active"]
    assert alert.validity_override == "active"
    assert "GitHub's alert now says so too." in stage.answer_to(ADMIN)


async def test_inactive_is_written_only_for_a_token_that_was_active_before(stage: Stage) -> None:
    """GitHub answers 401 to an active token of another server too."""
    token = stage.live_token()
    stage.github.revoke_token(token)
    alert = await stage.leak(token=token)
    await stage.click_privately(ADMIN, "check_validity")
    assert NOT_HERE in stage.answer_to(ADMIN)
    assert "GitHub's alert" not in stage.answer_to(ADMIN)
    assert written(stage) == []
    assert (alert.validity_override, alert.validity) == (None, "unknown")


@pytest.mark.parametrize("validity", ["active", "inactive"])
async def test_github_s_own_validity_is_not_overwritten(stage: Stage, validity: str) -> None:
    alert = await stage.leak(secret_type="github_personal_access_token", validity=validity)
    await stage.click(ADMIN, "check_validity")
    assert written(stage) == []
    assert alert.validity == validity


async def test_a_person_who_may_only_view_writes_no_validity(stage: Stage) -> None:
    octo = organization(stage)
    stage.github.add_custom_repository_role(octo, "viewer", permissions=[VIEW])
    stage.github.add_collaborator(stage.repository, stage.people[READER], "viewer")
    await stage.leak()
    await stage.click_privately(READER, "check_validity")
    assert ACTIVE in stage.answer_to(READER)
    assert written(stage) == []
    assert "live token" in stage.read()


async def test_a_written_validity_is_corrected_when_it_is_no_longer_true(stage: Stage) -> None:
    """It is cleared first, since only then GitHub shows its own validity."""
    alert = await stage.leak()
    await stage.click_privately(ADMIN, "check_validity")
    token = stage.github.token_of(alert)
    assert token is not None
    stage.github.revoke_token(token)
    stage.clock.advance(31)
    await stage.click_privately(ADMIN, "check_validity")
    assert written(stage) == ["active", None, "inactive"]
    assert (alert.validity_override, alert.validity) == ("inactive", "inactive")
    assert "GitHub's alert now says so too." in stage.answer_to(ADMIN)
    stage.clock.advance(31)
    await stage.click_privately(ADMIN, "check_validity")
    assert written(stage) == ["active", None, "inactive"]


async def test_a_check_succeeds_if_github_refuses_the_validity(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add("PATCH .*", status=422)
    await stage.click_privately(ADMIN, "check_validity")
    assert ACTIVE in stage.answer_to(ADMIN)
    assert "live token" in stage.read()


async def test_the_secret_of_another_provider_is_never_fetched(stage: Stage) -> None:
    alert = await stage.leak(secret_type="stripe_api_key", validity="unknown")
    button = stage.card().control("check_validity")
    assert button is not None
    assert button["text"]["text"] == "Refresh from GitHub"
    stage.github.webhook_url = None
    stage.github.set_validity(alert, "active")
    await stage.click(ADMIN, "check_validity")
    assert "GitHub says that it still works." in stage.answer_to(ADMIN)
    assert stage.github.alert_url(alert) in stage.answer_markup(ADMIN)
    assert "live secret" in stage.read()
    assert literals(stage) == []
    assert probes(stage) == 0


async def test_a_base64_encoded_token_is_probed_decoded(stage: Stage) -> None:
    alert = await stage.leak(token=stage.live_token(), is_base64_encoded=True)
    await stage.click_privately(ADMIN, "check_validity")
    assert ACTIVE in stage.answer_to(ADMIN)
    token = stage.github.token_of(alert)
    assert token is not None
    assert token.last_user_agent == stage.context.user_agent


@pytest.mark.parametrize("content", [b"not a token", b"ghp_tooshort", b"\xff\xfe\x00"])
async def test_an_incomplete_token_is_never_sent(stage: Stage, content: bytes) -> None:
    literal = base64.b64encode(content).decode()
    alert = await stage.leak(
        secret_type="github_personal_access_token", literal=literal, is_base64_encoded=True
    )
    await stage.click_privately(ADMIN, "check_validity")
    assert UNKNOWN in stage.answer_to(ADMIN)
    assert "not a GitHub token in full" in stage.answer_to(ADMIN)
    assert probes(stage) == 0
    assert alert.validity == "unknown"


async def test_the_timeline_has_who_probed_and_the_user_agent(stage: Stage) -> None:
    """A probe may change the token's "last used" time; the User-Agent shows that it was Stanch."""
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    [probe] = stage.github.calls("GET", "/user")
    assert probe.user_agent == stage.context.user_agent
    async with stage.context.db.read() as tx:
        [event] = await alerts.events_of_kind(tx, key_of(alert), EventKind.PROBED)
    assert event.details["user_agent"] == probe.user_agent
    assert abs(event.at - probe.at) < 5
    assert event.by is not None
    assert event.by.slack_user == ADMIN


async def test_nothing_is_written_if_the_option_is_off(
    database_url: str, clock: Clock, private_key: str
) -> None:
    options = Options(validity=ValidityOptions(write_back=False))
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        await stage.leak()
        await stage.click_privately(ADMIN, "check_validity")
        assert ACTIVE in stage.answer_to(ADMIN)
        assert written(stage) == []
        stage.check()


async def test_a_check_that_confirms_a_report_ends_its_follow_ups(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    stage.github.revoke_delay = 20
    await stage.report(ADMIN)
    stage.clock.advance(40)
    await stage.click(ADMIN, "check_validity")
    assert "confirmed inactive" in stage.read()
    before = probes(stage)
    await stage.work(within=1200)
    assert probes(stage) == before


def delete_repository(stage: Stage) -> None:
    stage.github.delete_repository(stage.repository)


def turn_scanning_off(stage: Stage) -> None:
    stage.repository.secret_scanning = False


def refuse_the_app(stage: Stage) -> None:
    stage.github.faults.add(r"GET /repos/.*/alerts/\d+", status=403, body={"message": "Not allowed."})


@pytest.mark.parametrize("change", [delete_repository, turn_scanning_off, refuse_the_app])
async def test_the_recheck_after_a_day_ends_where_github_does_not_show_the_alert(
    stage: Stage, change: Callable[[Stage], None]
) -> None:
    await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    change(stage)
    with capture_logs() as logged:
        await stage.work(within=86400 + 60)
    said = [line["event"] for line in logged]
    assert ("not_asked_again" in said, "job_failed" in said) == (True, False)
    assert literals(stage) == []
    async with stage.context.db.read() as tx:
        assert (await jobs.count(tx))[JobState.PARKED] == 0
