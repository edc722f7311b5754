"""The worker while its own tables fail, and jobs for which nobody waits."""

import asyncio

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.context import Context
from bot.job_kind import JobKind
from bot.job_kinds import RedrawCards
from bot.job_rows import new_job
from bot.jobs.worker import LONGEST_WAIT, Handler, Worker
from storage import jobs
from storage.records import Job, JobState
from tests.flows.stage import Stage

pytestmark = pytest.mark.either_database


async def test_a_job_that_ends_while_the_database_fails_is_recorded_later_and_not_run_again(
    stage: Stage,
) -> None:
    runs: list[int] = []

    async def run(context: Context, todo: JobKind, job: Job) -> None:
        runs.append(job.id)
        async with context.db.begin() as tx:
            await tx.conn.execute(sa.text("ALTER TABLE job RENAME TO gone"))

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(RedrawCards()))
    worker = Worker(stage.context, {RedrawCards: Handler(RedrawCards, run)})
    with capture_logs() as lines:
        working = asyncio.create_task(worker.run())
        async with asyncio.timeout(10):
            while not any(line["event"] == "worker_waits" for line in lines):  # noqa: ASYNC110 - no event for it.
                await asyncio.sleep(0.01)
            async with stage.context.db.begin() as tx:
                await tx.conn.execute(sa.text("ALTER TABLE gone RENAME TO job"))
            stage.clock.advance(1.1)
            while await counted(stage, JobState.RUNNING):  # noqa: ASYNC110 - there is no event for it.
                await asyncio.sleep(0.01)
            worker.stop()
            await working
    assert len(runs) == 1
    assert await counted(stage, JobState.PARKED) == await counted(stage, JobState.READY) == 0


async def counted(stage: Stage, state: JobState) -> int:
    async with stage.context.db.read() as tx:
        return (await jobs.count(tx)).get(state, 0)


async def test_a_job_for_which_nobody_waits_is_parked_and_told_to_nobody(stage: Stage) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(RedrawCards()))
    worker = Worker(stage.context, {RedrawCards: Handler(RedrawCards, fail)})
    with capture_logs() as lines:
        for _ in range(RedrawCards.attempts):
            assert await worker.run_due() == 1
            stage.clock.advance(LONGEST_WAIT)
    assert {line["event"] for line in lines} == {"job_failed"}
    assert await counted(stage, JobState.PARKED) == 1
    assert await worker.run_due() == 0
