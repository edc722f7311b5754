"""While many requests come in, few jobs run: first none, and ten once it has lasted for half a second."""

import asyncio
from dataclasses import replace
from pathlib import Path

from bot.context import Context
from bot.inbound.delivery_rates import MINUTE, DeliveryRates
from bot.job_kind import JobKind
from bot.job_kinds import AnswerCommand, HandleDelivery, PublishMessage
from bot.job_rows import new_job
from bot.jobs.worker import Handler, Worker
from storage import jobs
from storage.batch_writer import PAUSE, BatchWriter, Burst
from storage.clock import Clock
from storage.db import Database
from storage.priorities import (
    CONCURRENCY,
    CONCURRENCY_IN_A_BURST,
    Priority,
)
from storage.records import Job, JobState, MessageKey, RepositoryId
from tests.flows.stage import Stage
from tests.flows.test_worker import COMMAND, wake_twice


class Crowd(BatchWriter):
    """A batch writer whose burst the test sets."""

    now = Burst.NONE

    @property
    def burst(self) -> Burst:
        return self.now


class NotedSleeps(Clock):
    """A clock that notes each sleep, and does not sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Work:
    """Jobs that wait at a gate, and the worker that starts them in a burst."""

    def __init__(self, stage: Stage, *kinds: type[JobKind]) -> None:
        self.started: asyncio.Queue[int] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.crowd = Crowd(stage.context.db)
        self._db = stage.context.db
        context = replace(stage.context, batch_writer=self.crowd)
        self.worker = Worker(context, {kind: Handler(kind, self._hold) for kind in kinds})

    async def _hold(self, context: Context, todo: JobKind, job: Job) -> None:
        self.started.put_nowait(job.id)
        await self.gate.wait()

    async def running(self) -> int:
        async with self._db.read() as tx:
            return (await jobs.count(tx))[JobState.RUNNING]

    async def wait_for(self, number: int) -> None:
        """Until so many more jobs have started."""
        for _ in range(number):
            await self.started.get()


async def test_in_a_burst_of_requests_no_jobs_start_and_later_few(stage: Stage) -> None:
    most, at_once = CONCURRENCY[Priority.PERSON], CONCURRENCY_IN_A_BURST[Priority.PERSON]
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, *(new_job(COMMAND) for _ in range(most)))
    work = Work(stage, AnswerCommand)
    work.crowd.now = Burst.SHORT
    working = asyncio.create_task(work.worker.run())
    async with asyncio.timeout(10):
        await wake_twice(stage.context.db.job_wake)
        assert await work.running() == 0
        work.crowd.now = Burst.LONG
        await work.wait_for(at_once)
        await wake_twice(stage.context.db.job_wake)
        assert await work.running() == at_once
        work.crowd.now = Burst.NONE
        await work.wait_for(most - at_once)
        work.gate.set()
        work.worker.stop()
        await working


async def test_in_a_long_burst_cards_do_not_wait_for_its_end(stage: Stage) -> None:
    persons, cards = (CONCURRENCY_IN_A_BURST[one] for one in (Priority.PERSON, Priority.MESSAGE))
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, *(new_job(COMMAND) for _ in range(persons)))
        await jobs.enqueue(tx, *(new_job(PublishMessage(MessageKey(str(n)))) for n in range(cards + 1)))
    work = Work(stage, AnswerCommand, PublishMessage)
    work.crowd.now = Burst.LONG
    working = asyncio.create_task(work.worker.run())
    async with asyncio.timeout(10):
        await work.wait_for(persons + cards)
        await wake_twice(stage.context.db.job_wake)
        assert await work.running() == persons + cards
        work.gate.set()
        work.worker.stop()
        await working


async def test_in_a_long_burst_a_flood_waits_for_other_deliveries(stage: Stage) -> None:
    """Many deliveries of a flood are worked in one transaction, and the others would wait for it."""
    work = Work(stage, HandleDelivery)
    work.crowd.now = Burst.LONG
    working = asyncio.create_task(work.worker.run())
    async with asyncio.timeout(10):
        async with stage.context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(HandleDelivery("other")))
        await work.wait_for(1)
        async with stage.context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(HandleDelivery("flood"), in_flood=True))
        await wake_twice(stage.context.db.job_wake)
        assert await work.running() == 1
        work.gate.set()
        await work.wait_for(1)
        work.worker.stop()
        await working


def test_the_first_delivery_of_a_minute_does_not_count_as_one_of_a_flood() -> None:
    clock = Clock()
    rates = DeliveryRates(clock)
    here, elsewhere = RepositoryId(1), RepositoryId(2)
    assert [rates.note(each) for each in (here, here, here, elsewhere)] == [False, True, True, False]
    clock.advance(MINUTE)
    assert not rates.note(here)


async def test_a_long_burst_has_a_pause_after_each_batch(tmp_path: Path) -> None:
    """In the pauses jobs store their changes."""
    clock = NotedSleeps()
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/stanch.db", clock=clock)
    await db.migrate()
    batch_writer = BatchWriter(db)
    await batch_writer.start()

    async def accept_many(name: str) -> None:
        await asyncio.gather(*(batch_writer.accept_request(f"{name} {n}", ()) for n in range(20)))

    await accept_many("first")
    slept_before = list(clock.slept)
    for number in range(200):
        if batch_writer.burst is Burst.LONG:
            break
        clock.advance(0.05)
        await accept_many(str(number))
    await accept_many("last")
    await batch_writer.stop()
    await db.close()
    assert (slept_before, set(clock.slept)) == ([], {PAUSE})
