"""Incoming requests share commits, are stored once, and are answered after the commit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import deliveries, job_queue, jobs
from storage.batch_writer import BatchWriter, Burst
from storage.clock import Clock
from storage.db import Database, StorageUnavailable
from storage.records import Delivery, NewJob
from storage.tables import job, slack_request


@pytest.fixture
async def batch_writer(db: Database) -> AsyncIterator[BatchWriter]:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    yield batch_writer
    await batch_writer.stop()


def delivery(guid: str, **body: str) -> Delivery:
    return Delivery(guid, "secret_scanning_alert", "created", {"action": "created", **body}, 1000.5)


def new(name: str, dedup: str | None = None) -> NewJob:
    return NewJob("test", {"name": name}, dedup=dedup)


async def stored_jobs(db: Database) -> list[str]:
    return sorted(str(one.payload["name"]) for one in await job_queue.claim(db, "w", 1000, 60))


async def test_a_delivery_is_stored_unchanged_and_deleted_after_its_outcome(
    db: Database, batch_writer: BatchWriter
) -> None:
    received = Delivery("g", "ping", None, {"deep": [{"ü": 1.5}, None, True]}, 1000.5)
    assert await batch_writer.accept_delivery(received, new("a"))
    async with db.begin() as tx:
        assert await deliveries.load(tx, "g") == received
        await deliveries.finish(tx, "g", "stored")
        assert await deliveries.load(tx, "other") is None
    async with db.begin() as tx:
        kept = await deliveries.load(tx, "g")
        assert kept is not None
        assert kept.outcome == "stored"
        assert await deliveries.prune(tx, 1000) == 0
        assert await deliveries.prune(tx, 1001) == 1


async def test_a_delivery_without_an_outcome_is_not_deleted(db: Database, batch_writer: BatchWriter) -> None:
    """Its job may be parked for longer than GitHub can redeliver it."""
    assert await batch_writer.accept_delivery(delivery("g"), new("a"))
    async with db.begin() as tx:
        assert await deliveries.prune(tx, 2000) == 0
        assert await deliveries.load(tx, "g") is not None


async def test_the_job_of_a_delivery_is_ready_and_the_worker_woken(
    db: Database, batch_writer: BatchWriter
) -> None:
    await batch_writer.accept_delivery(delivery("g"), NewJob("intake", {"guid": "g"}, key="1/2"))
    assert db.job_wake.is_set()
    (found,) = await job_queue.claim(db, "w", 10, 60)
    assert (found.kind, found.payload, found.key, found.attempts) == ("intake", {"guid": "g"}, "1/2", 1)


async def test_a_repeated_delivery_is_ignored(db: Database, batch_writer: BatchWriter) -> None:
    assert await batch_writer.accept_delivery(delivery("g"), new("first"))
    assert not await batch_writer.accept_delivery(delivery("g", changed="yes"), new("second"))
    together = [batch_writer.accept_delivery(delivery("h"), new(f"twin{number}")) for number in range(5)]
    assert sorted(await asyncio.gather(*together)) == [False] * 4 + [True]
    assert await stored_jobs(db) == ["first", "twin0"]


async def test_a_slack_request_is_stored_once_in_ten_minutes(
    db: Database, batch_writer: BatchWriter, clock: Clock
) -> None:
    assert await batch_writer.accept_request("f", [new("a"), new("b")])
    clock.advance(590)
    assert not await batch_writer.accept_request("f", [new("repeat")])
    clock.advance(20)
    assert await batch_writer.accept_request("f", [new("c")])
    assert not await batch_writer.accept_request("f", [new("repeat")])
    assert await batch_writer.accept_request("no jobs", [])
    assert await stored_jobs(db) == ["a", "b", "c"]


async def test_fingerprints_of_old_slack_requests_are_deleted(
    db: Database, batch_writer: BatchWriter, clock: Clock
) -> None:
    await batch_writer.accept_request("old", [])
    clock.advance(3600)
    await batch_writer.accept_request("new", [])
    async with db.read() as tx:
        assert (await tx.conn.scalars(sa.select(slack_request.c.fingerprint))).all() == ["new"]


async def test_a_delivery_is_stored_also_if_its_job_is_a_duplicate(
    db: Database, batch_writer: BatchWriter
) -> None:
    assert await batch_writer.accept_delivery(delivery("g"), new("a", dedup="x"))
    assert await batch_writer.accept_delivery(delivery("h"), new("b", dedup="x"))
    assert await stored_jobs(db) == ["a"]


async def test_a_thousand_simultaneous_deliveries_are_stored_in_order(
    db: Database, batch_writer: BatchWriter
) -> None:
    accepted = await asyncio.gather(
        *(batch_writer.accept_delivery(delivery(f"g{n}"), new(f"{n:04}")) for n in range(1000))
    )
    assert all(accepted)
    async with db.read() as tx:
        payloads = (await tx.conn.scalars(sa.select(job.c.payload).order_by(job.c.id))).all()
    assert [payload["name"] for payload in payloads] == [f"{n:04}" for n in range(1000)]


async def test_it_shares_the_database_with_other_writers(db: Database, batch_writer: BatchWriter) -> None:
    async def write(number: int) -> None:
        async with db.begin() as tx:
            await jobs.enqueue(tx, new(f"tx{number}"))

    async with asyncio.timeout(20):
        await asyncio.gather(
            *(write(number) for number in range(50)),
            *(batch_writer.accept_delivery(delivery(f"g{number}"), new("a")) for number in range(50)),
        )
    assert len(await stored_jobs(db)) == 100


async def test_a_cancelled_caller_does_not_affect_the_others(batch_writer: BatchWriter) -> None:
    impatient = asyncio.create_task(batch_writer.accept_delivery(delivery("a"), new("a")))
    patient = asyncio.create_task(batch_writer.accept_delivery(delivery("b"), new("b")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient


async def test_a_request_that_cannot_be_stored_does_not_affect_the_others(
    db: Database, batch_writer: BatchWriter
) -> None:
    unusable = Delivery("bad", "x", None, {}, received_at="yesterday\ud800")  # type: ignore[arg-type]  # On purpose.
    results = await asyncio.gather(
        batch_writer.accept_delivery(delivery("a"), new("a")),
        batch_writer.accept_delivery(unusable, NewJob("x", {"bad": {1, 2}})),  # type: ignore[dict-item]  # On purpose.
        batch_writer.accept_delivery(delivery("b"), new("b")),
        return_exceptions=True,
    )
    assert (results[0], results[2]) == (True, True)
    assert isinstance(results[1], Exception)
    assert await batch_writer.accept_delivery(delivery("c"), new("c"))
    assert await stored_jobs(db) == ["a", "b", "c"]


async def test_text_is_made_storable(db: Database, batch_writer: BatchWriter) -> None:
    odd = Delivery("g\0\ud800", "e\0", None, {"text": "a\0b\ud800"}, 1000)
    assert await batch_writer.accept_delivery(odd, new("a"))
    assert not await batch_writer.accept_delivery(odd, new("again"))
    async with db.read() as tx:
        kept = await deliveries.load(tx, "g?")
    assert kept is not None
    assert kept.body == {"text": "ab?"}


async def test_every_waiting_caller_gets_the_error_of_the_database(tmp_path: Path, clock: Clock) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'none' / 'x.db'}", clock=clock)
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    results = await asyncio.gather(
        *(batch_writer.accept_delivery(delivery(f"g{n}"), new("a")) for n in range(5)), return_exceptions=True
    )
    assert {type(result) for result in results} == {StorageUnavailable}
    await batch_writer.stop()
    await db.close()


async def test_stop_stores_accepted_requests_first(db: Database) -> None:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    last = asyncio.create_task(batch_writer.accept_delivery(delivery("g"), new("a")))
    await asyncio.sleep(0)
    await batch_writer.stop()
    assert await last
    with pytest.raises(StorageUnavailable):
        await batch_writer.accept_delivery(delivery("h"), new("b"))


async def test_many_simultaneous_requests_are_a_burst_that_ends(
    db: Database, batch_writer: BatchWriter, clock: Clock
) -> None:
    await batch_writer.accept_request("one", ())
    seen = [batch_writer.burst]
    # The first one is written alone; the others come in meanwhile and share a commit.
    await asyncio.gather(*(batch_writer.accept_request(f"of many {number}", ()) for number in range(20)))
    seen.append(batch_writer.burst)
    clock.set_back(3600)
    assert batch_writer.burst is Burst.SHORT, "a corrected clock neither ends nor prolongs a burst"
    clock.advance(1)
    assert [*seen, batch_writer.burst] == [Burst.NONE, Burst.SHORT, Burst.NONE]
