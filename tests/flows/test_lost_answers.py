"""GitHub's answer was lost, and nobody can find out: the person hears so, and the alert is free again."""

from typing import Any

import pytest

from bot.options import Options
from storage.clock import Clock
from tests.flows.stage import ADMIN, OWNER, Stage, open_stage

pytestmark = pytest.mark.either_database

REVOKE = "/credentials/revoke"
NOT_KNOWN = "It is not known whether it was done."


def count_answers(stage: Stage, user: str, words: str) -> int:
    """How often somebody was told that."""
    return sum(words in message.shown_text for message in stage.slack.private_messages(user))


async def test_a_token_that_can_t_be_asked_about_ends_the_report_at_once(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """A refresh token could only be exchanged, which would rotate it."""
    options = Options.model_validate({"report": {"refresh_tokens": True}})
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        token = stage.github.add_live_token(owner=stage.leaker, kind="refresh")
        await stage.leak(token=token, secret_type="github_refresh_token")
        stage.github.faults.add(f"POST {REVOKE}", times=1, drop="before")
        await stage.report(ADMIN)
        await stage.work(within=60)
        assert NOT_KNOWN in stage.answer_to(ADMIN)
        assert "there is no harmless way to ask about this kind of token" in stage.answer_to(ADMIN)
        outcomes = [outcome for outcome, _ in await stage.audited("report_leak")]
        assert outcomes == ["intended", "failed"]
        await stage.report(OWNER)
        assert "reported to GitHub" in stage.read()
        stage.check()


@pytest.mark.parametrize(
    "trouble", [{"status": 403, "body": {"message": "Forbidden"}}, {"status": 500}, {"drop": "before"}]
)
async def test_a_token_that_gives_no_answer_for_long_ends_the_report(
    stage: Stage, trouble: dict[str, Any]
) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, drop="after")
    stage.github.faults.add("GET /(rate_limit|user)", **trouble)
    await stage.report(ADMIN)
    await stage.work(within=400)
    assert count_answers(stage, ADMIN, NOT_KNOWN) == 0
    await stage.work(within=400)
    assert count_answers(stage, ADMIN, NOT_KNOWN) == 1
    assert len(stage.github.calls("POST", REVOKE)) == 1
    assert (await stage.audited("report_leak"))[-1][0] == "failed"
    assert "report_leak" in stage.card().action_ids


async def test_others_go_on_with_an_alert_whose_report_was_lost(stage: Stage) -> None:
    """A close in Slack, and what GitHub tells of it, wait for the report's end and no longer."""
    alert = await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, drop="after")
    stage.github.faults.add("GET /(rate_limit|user)", status=500)
    await stage.report(ADMIN)
    await stage.close_as(OWNER, "wont_fix", "We take the risk.")
    stage.github.set_public_leak(alert)
    await stage.work(within=700)
    assert alert.state == "resolved"
    assert "Closed as won't fix" in stage.read()
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.publicly_leaked


async def test_a_close_whose_answer_was_lost_ends_with_an_outage_that_lasts(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.github.faults.add("PATCH .*", times=1, drop="before")
    await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
    await stage.work()
    down = stage.github.faults.add("GET /repos/.*", status=503)
    await stage.work(within=700)
    assert count_answers(stage, ADMIN, NOT_KNOWN) == 1
    assert "503" in stage.answer_to(ADMIN)
    stage.github.faults.remove(down)
    await stage.close_as(OWNER, "revoked")
    assert "Closed as revoked" in stage.read()


async def test_after_a_long_stop_it_is_tried_more_than_once(stage: Stage) -> None:
    """The process was down for an hour: one answer that is none ends nothing."""
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, drop="after")
    stage.github.faults.add("GET /(rate_limit|user)", times=3, status=500)
    await stage.report(ADMIN)
    stage.clock.advance(3600)
    await stage.work(within=300)
    assert count_answers(stage, ADMIN, NOT_KNOWN) == 0
    assert "Reported" in stage.read()


async def test_a_report_that_waits_for_slack_holds_nobody_up(stage: Stage) -> None:
    """It was promised and not begun: what others do with the alert goes on."""
    alert = await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await stage.report(ADMIN)
    stage.slack.faults.add("users.info", status=503)
    await stage.work(within=900)
    stage.github.set_public_leak(alert)
    await stage.work(within=60)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.publicly_leaked
