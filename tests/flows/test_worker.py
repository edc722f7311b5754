"""The worker: how many jobs it runs at once, and when it holds back."""

import asyncio

from bot.edge.jobs import SIMULTANEOUS, SIMULTANEOUS_IN_A_CROWD, Handler, Worker
from bot.tools import Tools
from storage import jobs
from storage.records import Job, JobState, NewJob
from tests.flows.stage import Stage


async def test_few_jobs_run_while_many_wait_for_an_answer_and_all_others_afterwards(stage: Stage) -> None:
    started: asyncio.Queue[int] = asyncio.Queue()
    gate = asyncio.Event()

    async def hold(tools: Tools, job: Job) -> None:
        started.put_nowait(job.id)
        await gate.wait()

    async with stage.tools.db.begin() as tx:
        await jobs.enqueue(tx, *(NewJob("hold", {}) for _ in range(SIMULTANEOUS)))
    # A crowd of a hundred seconds from now: it goes on for as long as the test wants.
    stage.clock.advance(100)
    await asyncio.gather(*(stage.tools.inbox.accept_request(str(number), ()) for number in range(20)))
    stage.clock.advance(-99)
    worker = Worker(stage.tools, {"hold": Handler(hold)})
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        for _ in range(SIMULTANEOUS_IN_A_CROWD):
            await started.get()
        async with stage.tools.db.read() as tx:
            assert (await jobs.count(tx))[JobState.RUNNING] == SIMULTANEOUS_IN_A_CROWD
        stage.clock.advance(100)
        for _ in range(SIMULTANEOUS - SIMULTANEOUS_IN_A_CROWD):
            await started.get()
        gate.set()
        worker.stop()
        await working
