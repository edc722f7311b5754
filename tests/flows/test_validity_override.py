"""The validity that Stanch writes to GitHub is corrected after later probes, and gives no replies."""

import asyncio
from functools import partial
from typing import Any, Literal, TypeAlias

import pytest
from structlog.testing import capture_logs

from bot.job_kinds import CorrectValidity
from bot.job_rows import new_job
from bot.jobs.worker import LEASE
from integrations.sandbox.github import GitHubAlert
from storage import alerts, job_queue, jobs, subscriptions
from storage.records import ChannelId, EventKind, JobState, Subscription, ThreadLevel
from tests.flows.stage import ADMIN, CHANNEL, READER, Stage, key_of
from tests.flows.test_check import written
from tests.flows.test_roles import VIEW, organization
from tests.flows.test_stale_workers import overtake

pytestmark = pytest.mark.either_database

DAY = 86400.0
Where: TypeAlias = Literal["before", "after"]


async def check(stage: Stage, user: str = ADMIN) -> None:
    """Check validity once that is allowed again."""
    stage.clock.advance(31)
    await stage.click(user, "check_validity")


def revoke(stage: Stage, alert: GitHubAlert) -> None:
    token = stage.github.token_of(alert)
    assert token is not None
    stage.github.revoke_token(token)


def let_view(stage: Stage, user: str) -> None:
    stage.github.add_custom_repository_role(organization(stage), "viewer", permissions=[VIEW])
    stage.github.add_collaborator(stage.repository, stage.people[user], "viewer")


def replies(stage: Stage) -> list[str]:
    return [reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts)]


async def changes(stage: Stage, alert: GitHubAlert) -> list[object]:
    """The validities to which GitHub's own changed, by the timeline."""
    async with stage.context.db.read() as tx:
        found = await alerts.events_of_kind(tx, key_of(alert), EventKind.VALIDITY_CHANGED)
    return [event.details["after"] for event in found]


@pytest.mark.parametrize("webhook", [True, False])
async def test_a_validity_that_stanch_wrote_gives_no_reply(stage: Stage, webhook: bool) -> None:
    """Neither when it is written or cleared, nor when GitHub's webhook reports it."""
    stage.github.validated_on_override = webhook
    async with stage.context.db.begin() as tx:
        await subscriptions.add(tx, Subscription(ChannelId(CHANNEL), "", ThreadLevel.ALL))
    alert = await stage.leak()
    await check(stage)
    assert alert.validity == "active"
    revoke(stage, alert)
    await check(stage)
    await stage.work(within=60)
    assert written(stage) == ["active", None, "inactive"]
    said = replies(stage)
    assert not any("Validity on GitHub changed" in words for words in said)
    assert sum("checked it" in words for words in said) == 2
    assert not any(message.reply_broadcast for message in stage.slack.thread(CHANNEL, stage.card().ts))


async def test_a_change_by_github_gives_a_reply_after_a_check(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.set_validity(alert, "active")
    await check(stage)
    assert any("changed from unknown to active" in words for words in replies(stage))
    assert written(stage) == []


async def test_a_confirmed_report_corrects_what_a_check_had_written(stage: Stage) -> None:
    alert = await stage.leak()
    await check(stage)
    assert written(stage) == ["active"]
    await stage.report(ADMIN)
    await stage.work(within=120)
    assert "reported and confirmed inactive" in stage.read()
    assert alert.validity == "inactive"
    assert await changes(stage, alert) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502},
        {"drop": "before"},
        {"drop": "after"},
        {"status": 429, "headers": {"retry-after": "30"}},
    ],
)
async def test_a_correction_is_retried_and_does_not_hold_the_alert(
    stage: Stage, fault: dict[str, Any]
) -> None:
    alert = await stage.leak()
    await check(stage)
    await stage.report(ADMIN)
    down = stage.github.faults.add("PATCH .*", **fault)
    await stage.work(within=120)
    let_view(stage, READER)
    await stage.click(READER, "take")
    assert "On it: <@U0READER>" in stage.read()
    stage.github.faults.remove(down)
    await stage.work(within=120)
    assert alert.validity == "inactive"
    assert not any("Validity on GitHub changed" in words for words in replies(stage))


@pytest.mark.parametrize(
    ("at", "steps"),
    [("before", ()), ("after", ()), ("after", ("before", "after"))],
    ids=["nothing", "cleared", "written"],
)
async def test_a_correction_that_was_not_recorded_is_no_news(
    stage: Stage, at: Where, steps: tuple[Where, ...]
) -> None:
    """The process ended before GitHub's answer to a write, or between that and its record."""
    alert = await stage.leak()
    await check(stage)
    await stage.report(ADMIN)
    stage.github.webhook_url = None
    stage.clock.advance(61)
    held = stage.github.faults.gate("PATCH .*", at=at)
    working = asyncio.create_task(stage.running.worker.run_due())
    await held.reached()
    for where in steps:
        following = stage.github.faults.gate("PATCH .*", at=where)
        held.open()
        held = following
        await held.reached()
    working.cancel()
    await asyncio.wait({working})
    held.drop()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    await stage.work(within=60)
    assert written(stage)[-1] in (None, "inactive")
    assert alert.validity != "active"
    assert await changes(stage, alert) == []


async def test_the_recheck_after_a_day_corrects_it(stage: Stage) -> None:
    alert = await stage.leak()
    await check(stage)
    await stage.close_as(ADMIN, "revoked")
    revoke(stage, alert)
    await stage.work(within=DAY + 60)
    assert alert.validity == "inactive"
    assert not any("Raised again" in words for words in replies(stage))


async def test_a_validity_that_stanch_wrote_does_not_raise_the_alert_again(stage: Stage) -> None:
    await stage.leak()
    await check(stage)
    await stage.close_as(ADMIN, "revoked")
    stage.github.faults.add("GET /(rate_limit|user)", status=500)
    await stage.work(within=DAY + 60)
    assert not any("Raised again" in words for words in replies(stage))


async def test_a_check_by_somebody_who_may_only_view_clears_a_wrong_override(stage: Stage) -> None:
    let_view(stage, READER)
    alert = await stage.leak()
    await check(stage)
    revoke(stage, alert)
    await check(stage, READER)
    assert written(stage) == ["active", None]
    assert (alert.validity_override, alert.validity) == (None, "unknown")


async def test_an_override_that_was_cleared_is_recorded_though_github_refuses_the_next_one(
    stage: Stage,
) -> None:
    alert = await stage.leak()
    await check(stage)
    revoke(stage, alert)
    stage.github.faults.add("PATCH .*", status=422, skip=1)
    stage.clock.advance(31)
    await stage.click_privately(ADMIN, "check_validity")
    assert "The validity that Stanch had written to GitHub's alert was cleared." in stage.answer_to(ADMIN)
    assert written(stage) == ["active", None, "inactive"]
    assert alert.validity_override is None
    stored = await stage.stored(alert)
    assert stored is not None
    assert (stored.validity, stored.validity_written) == ("unknown", False)
    assert ("done", "inactive: bad_credentials") in await stage.audited("check_validity")


async def test_github_s_own_validity_is_not_overwritten(stage: Stage) -> None:
    alert = await stage.leak()
    await check(stage)
    stage.github.set_validity(alert, "active")
    revoke(stage, alert)
    await check(stage)
    assert written(stage) == ["active", None]
    assert alert.validity == "active"


async def test_a_write_that_was_not_recorded_gives_no_reply(stage: Stage) -> None:
    """The process ended between GitHub's answer and its record."""
    await stage.leak()
    card = stage.card().ts
    clicked = partial(stage.slack.click, ADMIN, CHANNEL, card, "check_validity")
    await overtake(stage, stage.github.faults, "PATCH .*", clicked, at="after")
    assert written(stage) == ["active"]
    assert not any("Validity on GitHub changed" in words for words in replies(stage))


async def test_what_is_true_is_not_corrected(stage: Stage) -> None:
    """Somebody's check has corrected it before the job's turn."""
    alert = await stage.leak()
    await check(stage)
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(CorrectValidity(key_of(alert))))
    stage.github.requests.clear()
    await stage.work(within=60)
    assert stage.github.requests == []
    assert alert.validity == "active"


async def test_a_validity_that_somebody_else_has_changed_is_recorded_and_left(stage: Stage) -> None:
    alert = await stage.leak()
    await check(stage)
    await stage.report(ADMIN)
    down = stage.github.faults.add("PATCH .*", status=502)
    await stage.work(within=70)
    stage.github.webhook_url = None
    stage.github.set_validity(alert, "inactive")
    alert.validity_override = None
    stage.github.faults.remove(down)
    count = len(written(stage))
    await stage.work(within=120)
    assert len(written(stage)) == count
    assert await changes(stage, alert) == ["inactive"]
    stored = await stage.stored(alert)
    assert stored is not None
    assert (stored.validity, stored.validity_written) == ("inactive", False)


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_correction_that_github_refuses_ends_and_the_next_probe_makes_it(
    stage: Stage, status: int
) -> None:
    alert = await stage.leak()
    await check(stage)
    await stage.report(ADMIN)
    refused = stage.github.faults.add("PATCH .*", status=status, body={"message": "Archived."})
    with capture_logs() as logged:
        await stage.work(within=120)
    assert [line["event"] for line in logged if line["log_level"] == "error"] == []
    assert refused.hits == 1
    await stage.click(ADMIN, "take")
    assert f"On it: <@{ADMIN}>" in stage.read()
    stage.github.faults.remove(refused)
    await check(stage)
    assert alert.validity == "inactive"


async def test_a_correction_in_a_repository_out_of_reach_ends_and_holds_nothing(stage: Stage) -> None:
    alert = await stage.leak()
    await check(stage)
    await stage.report(ADMIN)
    stage.github.faults.add("PATCH .*", status=502)
    await stage.work(within=70)
    stage.github.delete_repository(stage.repository)
    with capture_logs() as logged:
        await stage.work(within=120)
    assert [line["reason"] for line in logged if line["event"] == "validity_not_corrected"] == ["unreachable"]
    async with stage.context.db.read() as tx:
        assert not await alerts.is_claimed(tx, key_of(alert))
        assert (await jobs.count(tx))[JobState.PARKED] == 0
