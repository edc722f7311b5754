"""Nothing of a sign-in gets out: no token, verifier, code, cookie or id is found in anything that is put out."""

import re
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import DirectoryOptions, Options
from storage.clock import Clock
from storage.tables import directory_pair
from tests.flows.outputs import collect_outputs, logging_as
from tests.flows.planted import find_traces
from tests.flows.sign_in import Browser, button_address, identity_of, open_window, request_id, type_code
from tests.flows.stage import UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database
EXCHANGE, ASK = "POST /login/oauth/access_token", "GET /user"


@pytest.mark.parametrize(("style", "keeps_tokens"), [("json", True), ("text", False)])
async def test_nothing_of_a_sign_in_gets_out(
    database_url: str,
    clock: Clock,
    private_key: str,
    style: Literal["json", "text"],
    capsys: pytest.CaptureFixture[str],
    *,
    keeps_tokens: bool,
) -> None:
    settings: dict[str, Any] = {} if keeps_tokens else {"stanch_encryption_keys": None}
    with logging_as(style):
        # With a directory, whose pairs the callback reads once it has the token.
        options = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))
        async with open_stage(
            database_url, clock, private_key, options=options, sign_in=True, **settings
        ) as stage:
            secrets, codes = await _play(stage)
            outputs = await collect_outputs(stage)
    said = capsys.readouterr()
    outputs |= {"standard output": said.out.encode(), "the log": said.err.encode()}
    # There they belong: the button's address, and the exchange.
    del outputs["calls of GitHub"], outputs["calls of Slack"]
    found = find_traces(outputs, secrets)
    # The SHA-256 of 256 random bits is stored on purpose.
    assert [trace for trace in found if not trace.endswith("SHA-256 of the id")] == []
    for code in codes:
        assert not re.search(rf"(?<![\d.]){code}(?!\d)", said.err + said.out)
    assert ('"exc_type"' if style == "json" else "Traceback") in said.err, "nothing failed in the middle"


async def _play(stage: Stage) -> tuple[dict[str, str], list[str]]:
    """Sign-ins that fail in every way, one that works, and its end; returns what must be nowhere."""
    secrets: dict[str, str] = {"the client secret": stage.github.client_secret}
    codes: list[str] = []
    view = await open_window(stage, UNLINKED)
    secrets["the id"] = request_id(view)
    browser = Browser(stage, stage.leaker)
    faults: list[tuple[str, dict[str, Any]]] = [
        (EXCHANGE, {"drop": "after"}),
        (EXCHANGE, {"status": 500}),
        (ASK, {"status": 401, "body": {"message": "Bad credentials"}}),
        (ASK, {"drop": "after"}),
    ]
    for number, (call, fault) in enumerate(faults):
        callback = await browser.authorize(await browser.go_to_github(button_address(view)))
        [code] = parse_qs(urlsplit(callback).query)["code"]
        secrets[f"cookie {number}"] = next(iter(browser.cookies.values())).partition(".")[0]
        secrets[f"code {number}"] = code
        quoted = {"body": {"message": f"Bad {code}"}} if call == EXCHANGE and "status" in fault else {}
        stage.github.faults.add(call, times=2, **{**fault, **quoted})  # A lost read is repeated once.
        assert (await browser.open(callback)).status == 502
        stage.github.faults.clear()
    secrets |= await _fail_in_the_middle(stage, browser, button_address(view))
    shown = await browser.sign_in(button_address(view))
    codes.append(shown.code)
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert await identity_of(stage, UNLINKED) is not None
    stage.github.faults.add("DELETE /applications/.*", times=2, status=502, body={"message": "no"})
    await stage.type(UNLINKED, "unlink")
    await stage.work(within=600)
    stage.clock.advance(700)
    await run_housekeeping_once(stage.context)
    for number, sent in enumerate(stage.github.calls("POST", "/login/oauth/access_token")):
        assert isinstance(sent.body, bytes)
        secrets[f"verifier {number}"] = parse_qs(sent.body.decode())["code_verifier"][0]
    for number, pair in enumerate(stage.github.authorizations[stage.leaker.id].pairs):
        assert pair.refresh is not None
        secrets[f"access {number}"], secrets[f"refresh {number}"] = pair.access.literal, pair.refresh.literal
    return secrets, codes


async def _fail_in_the_middle(stage: Stage, browser: Browser, address: str) -> dict[str, str]:
    """What the directory says can't be read, with the token in the frames that the exception passes."""
    callback = await browser.authorize(await browser.go_to_github(address))
    [code] = parse_qs(urlsplit(callback).query)["code"]
    secrets = {"failed cookie": next(iter(browser.cookies.values())).partition(".")[0], "failed code": code}
    account = stage.leaker
    unreadable = {
        "slack_team": stage.slack.team_id,
        "slack_user": UNLINKED,
        "github_id": account.id,
        "github_login": account.login,
        "kind": None,
        "address_hash": "",
        "first_seen_at": 0.0,
        "seen_at": stage.clock.now(),
    }
    # A table of the same columns, without NOT NULL.
    await _execute(stage, sa.text("ALTER TABLE directory_pair RENAME TO away"))
    await _execute(stage, sa.text("CREATE TABLE directory_pair AS SELECT * FROM away"))
    await _execute(stage, sa.insert(directory_pair).values(unreadable))
    assert (await browser.open(callback)).status == 500
    await _execute(stage, sa.text("DROP TABLE directory_pair"))
    await _execute(stage, sa.text("ALTER TABLE away RENAME TO directory_pair"))
    return secrets


async def _execute(stage: Stage, statement: sa.Executable) -> None:
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(statement)
