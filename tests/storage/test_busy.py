"""While another process locks the database, incoming requests are answered before their senders give up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import deliveries, saved_values
from storage.batch_writer import DELIVERY_WAITS, REQUEST_WAITS, BatchWriter
from storage.clock import Clock
from storage.db import Database, StorageBusy, StorageUnavailable
from storage.records import Delivery

DELIVERY = Delivery("g", "secret_scanning_alert", "created", {"action": "created"}, 1000.5)


@asynccontextmanager
async def locked(db: Database) -> AsyncIterator[None]:
    """Lock what incoming requests write, as a backup or a change of the tables by an operator does."""
    if db.path is None:
        async with db.connection() as conn, conn.begin():
            await conn.execute(sa.text("LOCK TABLE delivery, slack_request, job IN ACCESS EXCLUSIVE MODE"))
            yield
        return
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.close()


async def test_a_delivery_waits_for_a_lock_and_a_request_of_slack_is_refused(
    db: Database, clock: Clock
) -> None:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    async with asyncio.timeout(20):
        async with locked(db):
            delivered = asyncio.create_task(batch_writer.accept_delivery(DELIVERY, None))
            clicked = asyncio.create_task(batch_writer.accept_request("click", ()))
            await asyncio.sleep(0)
            clock.advance(REQUEST_WAITS)
            with pytest.raises(StorageBusy):
                await clicked
            assert not delivered.done()
        assert await delivered
    assert await batch_writer.accept_request("click", ()), "what was refused was not stored"
    await batch_writer.stop()


async def test_a_delivery_is_refused_before_github_gives_up(db: Database, clock: Clock) -> None:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    async with asyncio.timeout(20):
        async with locked(db):
            delivered = asyncio.create_task(batch_writer.accept_delivery(DELIVERY, None))
            await asyncio.sleep(0)
            clock.advance(DELIVERY_WAITS)
            with pytest.raises(StorageBusy):
                await delivered
    async with db.read() as tx:
        assert await deliveries.load(tx, "g") is None
    await batch_writer.stop()


async def test_a_stop_does_not_wait_for_a_lock(db: Database) -> None:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    async with asyncio.timeout(DELIVERY_WAITS / 2), locked(db):
        delivered = asyncio.create_task(batch_writer.accept_delivery(DELIVERY, None))
        await asyncio.sleep(0)
        await batch_writer.stop()
        with pytest.raises(StorageBusy):
            await delivered


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_incoming_request_waits_for_no_connection_of_others(db: Database) -> None:
    batch_writer = BatchWriter(db)
    await batch_writer.start()
    ended = asyncio.Event()

    async def hold() -> None:
        async with db.begin():
            await ended.wait()

    holding = [asyncio.create_task(hold()) for _ in range(16)]
    async with asyncio.timeout(5):
        assert await batch_writer.accept_delivery(DELIVERY, None)
    ended.set()
    await asyncio.gather(*holding)
    await batch_writer.stop()


async def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, clock: Clock) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", clock=clock)
    await db.migrate()

    async def store(value: str) -> None:
        async with db.begin() as tx:
            await saved_values.save(tx, value[:9], value)

    async with db.begin() as tx:
        pages = await tx.conn.scalar(sa.text("PRAGMA page_count"))
        await tx.conn.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageUnavailable, match=r"disk is full; free space on its disk, and Stanch goes on"):
        await store("too large" * 10_000)
    async with db.begin() as tx:
        await tx.conn.execute(sa.text("PRAGMA max_page_count = 100000"))
    await store("fits now" * 10_000)
    await db.close()
