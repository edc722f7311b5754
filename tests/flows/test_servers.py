"""Servers that can less: what GitHub was not heard to have is neither shown nor asked for."""

import pytest
from structlog.testing import capture_logs

from storage.clock import Clock
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage
from tests.flows.test_accounts import forget, ready, restart

pytestmark = pytest.mark.either_database

REVOKE = "/credentials/revoke"


def sent(stage: Stage) -> set[str]:
    """The fields that were set on alerts."""
    return {name for call in stage.github.calls("PATCH") if isinstance(call.body, dict) for name in call.body}


@pytest.mark.parametrize(
    ("version", "fields"),
    [("3.19.0", set()), ("3.20.1", {"assignee"}), ("3.22.0", {"assignee", "validity"})],
)
async def test_an_enterprise_server_is_sent_what_its_release_has(
    stage: Stage, version: str, fields: set[str]
) -> None:
    stage.github.installed_version = version
    await forget(stage)
    await restart(stage)
    await stage.leak()
    assert "report_leak" not in stage.card().action_ids
    await stage.click(ADMIN, "take")
    await stage.click(OWNER, "check_validity")
    assert sent(stage) == fields
    assert stage.github.calls("POST", REVOKE) == []


@pytest.mark.parametrize("version", [None, "3.19.0"])
async def test_a_server_that_could_not_be_asked_can_nothing_until_it_is(
    stage: Stage, version: str | None
) -> None:
    stage.github.installed_version = version
    await forget(stage)
    meta = stage.github.faults.add("GET /meta", times=None, status=503)
    await restart(stage)
    await stage.leak()
    assert "report_leak" not in stage.card().action_ids
    await stage.click(ADMIN, "take")
    await stage.click(OWNER, "check_validity")
    assert sent(stage) == set()
    stage.github.faults.remove(meta)
    await stage.context.platforms.check_github()
    await stage.work(within=3)
    assert ("report_leak" in stage.card().action_ids) is (version is None)


async def test_a_form_that_was_opened_when_more_was_known_reports_nothing(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    stage.github.installed_version = "3.19.0"
    await forget(stage)
    meta = stage.github.faults.add("GET /meta", times=None, status=503)
    await restart(stage)
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert stage.github.calls("POST", REVOKE) == []
    assert ("refused", "server") in await stage.audited("report_leak")
    stage.github.faults.remove(meta)


@pytest.mark.parametrize(("calls", "status", "state"), [(".*", 503, "failing"), ("GET /meta", 401, "ok")])
async def test_what_a_server_can_is_known_while_it_does_not_say_so_after_a_restart(
    stage: Stage, calls: str, status: int, state: str
) -> None:
    """While it is down, and in private mode, in which it answers nobody without a login."""
    await stage.leak()
    assert "report_leak" in stage.card().action_ids
    outage = stage.github.faults.add(calls, times=None, status=status)
    await restart(stage)
    assert (await ready(stage))["github"]["state"] == state
    stage.github.leak(stage.repository, token=stage.live_token())
    await stage.work(within=10)
    assert all("report_leak" in card.action_ids for card in stage.slack.cards(CHANNEL))
    stage.github.faults.remove(outage)


async def test_a_release_that_is_too_old_is_named(stage: Stage, clock: Clock) -> None:
    stage.github.installed_version = "3.18.4"
    with capture_logs() as lines:
        await restart(stage)
        clock.advance(61)
        await stage.context.platforms.check_github()
    [line] = [line for line in lines if line["event"] == "unsupported_server"]
    assert line["version"] == "3.18.4"
    said = (await ready(stage))["github"]
    assert said["state"] == "ok"
    assert "3.18.4 is not supported, 3.19 is the oldest" in said["reason"]
    stage.github.installed_version = "3.19.0"
    clock.advance(3601)
    await stage.context.platforms.check_github()
    assert (await ready(stage))["github"] == {"state": "ok", "reason": "answers"}
