"""Deliveries that can be worked together: only due ones of one repository's flood, and none that another works."""

import asyncio

from storage import deliveries, flood_jobs, job_queue, jobs
from storage.clock import Clock
from storage.db import Database
from storage.records import Delivery, JobId, JobState, NewJob

PREFIX = "alert:7/"


async def enqueue(db: Database, *keys: str, in_flood: bool = True, delay: float = 0.0) -> list[JobId]:
    """Store a delivery for each key; returns the ids of their jobs."""
    async with db.begin() as tx:
        guids = [f"{key} {in_flood} {delay} {number}" for number, key in enumerate(keys)]
        await deliveries.insert(tx, [Delivery(guid, "event", None, {}, tx.now) for guid in guids])
        new = (
            NewJob("delivery", {"guid": guid}, key=key, in_flood=in_flood, delay=delay)
            for guid, key in zip(guids, keys, strict=True)
        )
        return [stored for stored in await jobs.enqueue(tx, *new) if stored is not None]


async def due(db: Database, most: int = 100) -> list[str | None]:
    async with db.read() as tx:
        return [job.key for job, _ in await flood_jobs.due(tx, "delivery", PREFIX, most)]


async def test_only_what_can_be_claimed_of_one_flood_is_due(db: Database, clock: Clock) -> None:
    await enqueue(db, "alert:7/1", "alert:7/2", "alert:7/2", "alert:77/1", "alert:7/3")
    await enqueue(db, "alert:7/4", in_flood=False)
    await enqueue(db, "alert:7/5", delay=60)
    async with db.begin() as tx:
        await jobs.enqueue(tx, NewJob("details", {}, key="alert:7/6", in_flood=True))
    assert await due(db) == ["alert:7/1", "alert:7/2", "alert:7/3"]
    assert await due(db, most=2) == ["alert:7/1", "alert:7/2"]
    # The first one of its key waits for no flood, so the next one waits for it.
    await enqueue(db, "alert:7/4")
    assert "alert:7/4" not in await due(db)
    [_, running] = await job_queue.claim(db, "w", 2, 60)
    assert running.key == "alert:7/1"
    assert await due(db) == ["alert:7/2", "alert:7/3"]
    clock.advance(60)
    assert "alert:7/5" in await due(db)


async def test_locked_jobs_are_ended_with_their_deliveries(db: Database) -> None:
    await enqueue(db, "alert:7/1", "alert:7/2", "alert:7/3")
    async with db.read() as tx:
        found = await flood_jobs.due(tx, "delivery", PREFIX, 100)
    [claimed] = await job_queue.claim(db, "w", 1, 60)
    async with db.begin() as tx:
        ids = await flood_jobs.lock(tx, [job.id for job, _ in found])
        assert ids == {job.id for job, _ in found} - {claimed.id}
        await flood_jobs.end(tx, [(job, delivery) for job, delivery in found if job.id in ids], "stored")
    async with db.read() as tx:
        states = await jobs.count(tx)
        outcomes = [
            one.outcome for one in (await deliveries.load_all(tx, {d.guid for _, d in found})).values()
        ]
    assert (states[JobState.DONE], states[JobState.RUNNING]) == (2, 1)
    assert sorted(map(str, outcomes)) == ["None", "stored", "stored"]


async def test_nobody_waits_for_jobs_that_another_transaction_ends(db: Database) -> None:
    first, second = await enqueue(db, "alert:7/1", "alert:7/2")
    if db.dialect == "sqlite":
        # Its one writer makes the others wait.
        return
    async with db.begin() as tx:
        assert await flood_jobs.lock(tx, [first]) == {first}
        async with asyncio.timeout(5), db.begin() as other:
            assert await flood_jobs.lock(other, [first, second]) == {second}
        async with asyncio.timeout(5):
            assert [job.id for job in await job_queue.claim(db, "w", 2, 60)] == [second]
