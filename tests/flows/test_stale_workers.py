"""A worker that was paused longer than its lease goes on beside the one that took over: nothing is recorded twice."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Literal

from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import LEASE, Worker
from integrations.sandbox.faults import FaultPlan
from storage import alerts, job_queue, jobs
from storage.records import JobState
from tests.flows.stage import ADMIN, CHANNEL, READER, Stage, key_of

REVOKE = "POST /credentials/revoke"
CONSENT = {"consequence": {"understood": ["yes"]}}


async def overtake(
    stage: Stage,
    faults: FaultPlan,
    call: str,
    start: Callable[[], Awaitable[object]],
    *,
    at: Literal["before", "after"] = "before",
) -> None:
    """Pause one worker in a call, before or after the call's effect, until another worker has run its job."""
    held = faults.gate(call, at=at)
    await start()
    await stage.running.slack.forms.settle()
    stopped = asyncio.create_task(stage.running.worker.run_due())
    await held.reached()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    # The other worker is of another process, so the probe of the paused one does not hold it up.
    await Worker(replace(stage.context, probe_lock=asyncio.Lock()), HANDLERS).run_due()
    held.open()
    await stopped
    await stage.work(within=60)


def count_in_thread(stage: Stage, words: str) -> int:
    """How often the replies to the only card contain the words."""
    thread = stage.slack.thread(CHANNEL, stage.card().ts)
    return sum(message.shown_text.count(words) for message in thread)


async def test_a_close_is_recorded_once(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    view = stage.form(ADMIN).id
    await overtake(stage, stage.github.faults, "PATCH .*", lambda: stage.slack.submit(ADMIN, view, {}))
    assert await stage.audited("close_alert") == [("intended", None), ("done", "revoked")]
    assert count_in_thread(stage, "Closed as revoked") == 1


async def test_a_report_is_recorded_once(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    view = stage.form(ADMIN).id
    await overtake(stage, stage.github.faults, REVOKE, lambda: stage.slack.submit(ADMIN, view, CONSENT))
    assert [outcome for outcome, _ in await stage.audited("report_leak")] == ["intended", "done"]
    assert count_in_thread(stage, "reported the leak to GitHub") == 1


async def test_a_worker_that_lost_its_job_before_the_call_does_not_call(stage: Stage) -> None:
    """It is paused while it asks for the role."""
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    view = stage.form(ADMIN).id
    role = "GET /repos/.*/collaborators/.*"
    await overtake(stage, stage.github.faults, role, lambda: stage.slack.submit(ADMIN, view, CONSENT))
    assert len(stage.github.calls("POST", "/credentials/revoke")) == 1
    assert [outcome for outcome, _ in await stage.audited("report_leak")] == ["intended", "done"]


async def test_a_refusal_is_recorded_once(stage: Stage) -> None:
    await stage.leak()
    card = stage.card().ts
    role = "GET /repos/.*/collaborators/.*"
    clicked = partial(stage.slack.click, READER, CHANNEL, card, "check_validity")
    await overtake(stage, stage.github.faults, role, clicked)
    assert await stage.audited("check_validity") == [("refused", "no_role")]
    assert len(stage.slack.private_messages(READER)) == 1


async def test_the_result_of_a_report_is_sent_once(stage: Stage) -> None:
    await stage.leak()
    await stage.report(ADMIN)

    async def wait() -> None:
        stage.clock.advance(61)

    await overtake(stage, stage.github.faults, "GET /rate_limit", wait)
    assert count_in_thread(stage, "no longer works") == 1


async def test_the_next_probe_of_a_report_is_planned_once(stage: Stage) -> None:
    """GitHub has not revoked the token yet, so the alert itself does not show that its probe was recorded."""
    stage.github.revoke_delay = None
    await stage.leak()
    await stage.report(ADMIN)

    async def wait() -> None:
        stage.clock.advance(61)

    await overtake(stage, stage.github.faults, "GET /rate_limit", wait)
    async with stage.context.db.read() as tx:
        waiting = await jobs.list_jobs(tx, states=(JobState.READY,))
    assert [job.kind for job in waiting] == ["follow_up"]


async def test_two_workers_post_one_message_once(stage: Stage) -> None:
    """The first try of the post was lost, and neither worker finds it in the channel."""
    lost = stage.slack.faults.add("chat.postMessage", drop="before")
    stage.github.leak(stage.repository, token=stage.live_token())
    await stage.work(within=6)
    stage.slack.faults.remove(lost)
    stage.clock.advance(60)
    looked = stage.slack.faults.gate("conversations.(history|replies)", at="after")
    stopped = asyncio.create_task(stage.running.worker.run_due())
    await looked.reached()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    posting = stage.slack.faults.gate("chat.postMessage", at="before")
    overtaking = asyncio.create_task(Worker(stage.context, HANDLERS).run_due())
    await posting.reached()
    looked.open()
    await stopped
    posting.open()
    await overtaking
    await stage.work(within=60)
    assert len(stage.slack.cards(CHANNEL)) == 1


async def test_a_worker_that_lost_its_job_does_not_end_the_claim_of_the_next_one(stage: Stage) -> None:
    """GitHub does not answer the first one while the second one is about to correct the validity."""
    alert = await stage.leak()
    stage.clock.advance(31)
    await stage.click(ADMIN, "check_validity")
    await stage.report(ADMIN)
    stage.clock.advance(61)
    first = stage.github.faults.gate("PATCH .*", at="before")
    stopped = asyncio.create_task(stage.running.worker.run_due())
    await first.reached()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    second = stage.github.faults.gate("PATCH .*", at="before")
    overtaking = asyncio.create_task(Worker(stage.context, HANDLERS).run_due())
    await second.reached()
    first.drop()
    await stopped
    async with stage.context.db.read() as tx:
        assert await alerts.is_claimed(tx, key_of(alert))
    second.open()
    await overtaking
    await stage.work(within=60)
    assert alert.validity == "inactive"
