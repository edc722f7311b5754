"""A literal, a person's token and the keys of Stanch are in no place where a process puts anything."""

import asyncio
from collections.abc import Mapping
from typing import Literal

import pytest
import sqlalchemy as sa

from integrations.sandbox.github import GitHubUser, LiveToken
from storage.tables import alert as alert_table
from storage.tables import channel_pace
from tests.flows.planted import encoded, find_traces, make_secret
from tests.flows.sign_in import Browser, button_address
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.signing_in import NEWCOMER, open_window, start_with_newcomer, type_code
from tests.processes.sinks import REVOKE, read_sinks
from tests.processes.waiting import until


@pytest.mark.parametrize(
    ("database_url", "style"), [("sqlite", "json"), ("postgresql", "text")], indirect=["database_url"]
)
async def test_no_secret_is_in_any_of_14_sinks(scene: Scene, style: Literal["json", "text"]) -> None:
    (scene.directory / "tmp").mkdir()
    scene.environment |= {
        "STANCH_LOG_LEVEL": "debug",
        "STANCH_LOG_FORMAT": style,
        "STANCH_AUDIT_STREAM": str(scene.directory / "audit.jsonl"),
        "TMPDIR": str(scene.directory / "tmp"),
        "PYTHONFAULTHANDLER": "1",
    }
    token = scene.github.add_live_token(owner=scene.leaker, scopes=("repo",), literal=make_secret("sinks"))
    newcomer = await start_with_newcomer(scene)
    pages = await _sign_in(scene, newcomer)
    await _work_the_alert(scene, token)
    contents = await read_sinks(scene)
    contents |= {"pages of the sign-in": pages.encode(), "faulthandler": await _abort_in_a_probe(scene)}
    assert find_traces(contents, _secrets(scene, token, newcomer)) == []
    assert b"Traceback" in contents["the log at debug"] or b'"exc_type"' in contents["the log at debug"]
    assert b"Fatal Python error: Aborted" in contents["faulthandler"]


def _secrets(scene: Scene, token: LiveToken, newcomer: GitHubUser) -> Mapping[str, str]:
    """What must be nowhere, by name."""
    key_lines = scene.github.private_key.splitlines()
    secrets = {"the literal": token.literal, "the App's private key": key_lines[len(key_lines) // 2]}
    for name in (
        *("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GITHUB_WEBHOOK_SECRET", "GITHUB_APP_CLIENT_SECRET"),
        *("STANCH_ENCRYPTION_KEYS", "STANCH_AUDIT_KEY"),
    ):
        secrets[name] = scene.environment[name]
    for number, pair in enumerate(scene.github.authorizations[newcomer.id].pairs):
        assert pair.refresh is not None
        secrets[f"access token {number}"] = pair.access.literal
        secrets[f"refresh token {number}"] = pair.refresh.literal
    return secrets


async def _sign_in(scene: Scene, newcomer: GitHubUser) -> str:
    """Sign in, first with an exchange that fails; returns all pages."""
    browser = Browser(scene, newcomer)
    address = button_address(view := await open_window(scene))
    scene.github.faults.add("POST /login/oauth/access_token", times=1, status=500)
    pages = [await browser.sign_in(address) for _ in range(2)]
    await type_code(scene, view, pages[-1].code)
    await scene.idle()
    pages.append(await browser.open(address))
    return "\n".join(f"{page.headers} {page.text}" for page in pages)


async def _work_the_alert(scene: Scene, token: LiveToken) -> None:
    """Leak, check, report and close, each with failures on the way that quote the literal."""
    faults, literal = scene.github.faults, token.literal
    quoted = {"message": f"Bad {literal} or {encoded(literal)}"}
    alert = await scene.leak(token=token, path=f"config/{literal}.env")
    await scene.slack.command(NEWCOMER, CHANNEL, f"search {literal}")
    for trouble in ({"garbage": True}, {"status": 500, "body": quoted}):
        faults.add("GET /user", times=1, **trouble)
        await _check(scene)
    await _fail_inside(scene)
    # An uncertain call would be tried again only after seconds.
    faults.add(f"POST {REVOKE}", times=1, status=422, body=quoted)
    for _ in range(2):
        await scene.submit_report(NEWCOMER)
        await scene.idle()
    await until(lambda: "eported" in scene.card().shown_text, "it is reported", within=RECOVERED)
    view = await scene.open_close_form(NEWCOMER)
    refused = await scene.slack.submit(NEWCOMER, view.id, {"comment": {"comment": f"It was {literal}"}})
    assert "looks like a secret" in refused.view_errors["comment"]
    faults.add(f"PATCH {ANY_ALERT}", times=1, status=422, body=quoted)
    await scene.submit(NEWCOMER, view, {"comment": {"comment": "Rotated."}})
    await scene.idle()
    await scene.submit_close(NEWCOMER)
    await until(lambda: alert.state == "resolved", "it is closed", within=RECOVERED)
    await scene.idle()
    scene.github.reopen(alert, by=scene.leaker, comment=f"Again: {literal}")
    await scene.idle()
    assert len(scene.github.calls("POST", REVOKE)) >= 1


async def _check(scene: Scene) -> None:
    """Click Check validity, without the pause between two probes."""
    await _end_pause(scene)
    await scene.slack.click(ADMIN, CHANNEL, scene.card().ts, "check_validity")
    await scene.idle()


async def _end_pause(scene: Scene) -> None:
    async with scene.db.begin() as tx:
        await tx.conn.execute(sa.update(channel_pace).values(next_at=0.0))
        await tx.conn.execute(sa.update(alert_table).values(probe=sa.null()))


async def _fail_inside(scene: Scene) -> None:
    """An error of ours with the literal in the frames that it passes: the turn of a probe can't be stored."""
    await _end_pause(scene)
    await _rename(scene, "channel_pace", "channel_pace_away")
    await scene.slack.click(ADMIN, CHANNEL, scene.card().ts, "check_validity")
    await until(lambda: b"actions/probe.py" in scene.bot.log.read_bytes(), "it has failed", within=RECOVERED)
    await _rename(scene, "channel_pace_away", "channel_pace")
    await scene.idle()


async def _rename(scene: Scene, old: str, new: str) -> None:
    async with scene.db.begin() as tx:
        await tx.conn.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))


async def _abort_in_a_probe(scene: Scene) -> bytes:
    """What the process prints that is aborted while it holds the literal; faulthandler shows its stacks."""
    gate = scene.github.faults.gate("GET /user|GET /rate_limit", at="before", times=None)
    checking = asyncio.create_task(_check(scene))
    await gate.reached(timeout=RECOVERED)
    checking.cancel()
    return await scene.bot.abort()
