"""The worker: how many jobs it runs at once, and when it holds back."""

import asyncio
from dataclasses import replace

from bot.edge.jobs import PATIENCE, SIMULTANEOUS, SIMULTANEOUS_IN_A_CROWD, Handler, Worker
from bot.tools import Tools
from storage import jobs
from storage.inbox import Inbox
from storage.records import Job, JobState, NewJob
from tests.flows.stage import Stage


class Crowd(Inbox):
    """An inbox that is crowded as the test says."""

    seconds: float | None = None

    @property
    def crowded_for(self) -> float | None:
        return self.seconds


async def test_jobs_wait_for_those_who_wait_for_an_answer_and_few_run_if_that_lasts(stage: Stage) -> None:
    started: asyncio.Queue[int] = asyncio.Queue()
    gate = asyncio.Event()

    async def hold(tools: Tools, job: Job) -> None:
        started.put_nowait(job.id)
        await gate.wait()

    async def running() -> int:
        async with stage.tools.db.read() as tx:
            return (await jobs.count(tx))[JobState.RUNNING]

    async with stage.tools.db.begin() as tx:
        await jobs.enqueue(tx, *(NewJob("hold", {}) for _ in range(SIMULTANEOUS)))
    crowd = Crowd(stage.tools.db)
    worker = Worker(replace(stage.tools, inbox=crowd), {"hold": Handler(hold)})
    crowd.seconds = 0.0
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        await _looked_twice(stage.tools.db.job_wake)
        assert await running() == 0
        crowd.seconds = PATIENCE
        for _ in range(SIMULTANEOUS_IN_A_CROWD):
            await started.get()
        assert await running() == SIMULTANEOUS_IN_A_CROWD
        crowd.seconds = None
        for _ in range(SIMULTANEOUS - SIMULTANEOUS_IN_A_CROWD):
            await started.get()
        gate.set()
        worker.stop()
        await working


async def _looked_twice(wake: asyncio.Event) -> None:
    """Wake the worker, and wait until it has begun to look; at the second time the first look is over."""
    for _ in range(2):
        wake.set()
        while wake.is_set():  # noqa: ASYNC110 - the worker clears it.
            await asyncio.sleep(0.01)
