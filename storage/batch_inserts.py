"""How a batch of arrivals gets into PostgreSQL, and into SQLite."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from storage import deliveries, jobs
from storage.db import Database, Tx
from storage.engines import LOCK_WAIT, encode_json, make_private
from storage.records import Delivery, NewJob, UnixTime
from storage.tables import slack_request, storable

REPEAT_WINDOW = 600.0
"""Seconds in which the same signed Slack request is done once."""
PRUNE_EVERY = 300.0
"""Seconds between two rounds of forgetting Slack requests, which are kept for two windows."""


class Arrival(Protocol):
    """Something that arrived and the jobs that it asks for."""

    @property
    def what(self) -> Delivery | str:
        """A delivery, or the fingerprint of a Slack request."""

    @property
    def jobs(self) -> Sequence[NewJob]:
        """Stored only when it is new."""


class Writer(Protocol):
    """Stores batches, each in one commit."""

    async def write(self, batch: Sequence[Arrival]) -> list[bool]:
        """Whether each arrival was new. Raises StorageUnavailable, or the driver's error for strange data."""

    async def close(self) -> None:
        """End what `write` began."""


class PostgresWriter:
    """Three statements of many rows each, in one transaction."""

    def __init__(self, db: Database) -> None:
        """Prepare; connects at the first batch."""
        self._db = db
        self._prune_at: UnixTime = 0.0

    async def write(self, batch: Sequence[Arrival]) -> list[bool]:
        """Whether each arrival was new."""
        async with self._db.begin() as tx:
            unknown = await deliveries.insert(
                tx, [one.what for one in batch if isinstance(one.what, Delivery)]
            )
            unknown |= await _insert_requests(tx, {one.what for one in batch if isinstance(one.what, str)})
            accepted: list[NewJob] = []
            new: list[bool] = []
            for arrival in batch:
                name = storable(arrival.what if isinstance(arrival.what, str) else arrival.what.guid)
                new.append(name in unknown)
                # The same again in the same batch is a repeat already.
                unknown.discard(name)
                accepted.extend(arrival.jobs if new[-1] else ())
            await jobs.enqueue(tx, *accepted)
            if tx.now >= self._prune_at:
                self._prune_at = tx.now + PRUNE_EVERY
                old = slack_request.c.seen_at < tx.now - 2 * REPEAT_WINDOW
                await tx.conn.execute(sa.delete(slack_request).where(old))
            return new

    async def close(self) -> None:
        """Nothing: the connections are the database's."""


async def _insert_requests(tx: Tx, fingerprints: set[str]) -> set[str]:
    """Note that these requests were seen now, and return those that were not within the window."""
    if not fingerprints:
        return set()
    insert = tx.insert(slack_request)
    query = insert.on_conflict_do_update(
        index_elements=[slack_request.c.fingerprint],
        set_={"seen_at": insert.excluded.seen_at},
        where=slack_request.c.seen_at <= tx.now - REPEAT_WINDOW,
    ).returning(slack_request.c.fingerprint)
    rows = [{"fingerprint": fingerprint, "seen_at": tx.now} for fingerprint in sorted(fingerprints)]
    return set(await tx.conn.scalars(query, rows))


_INSERT_DELIVERY = """
    INSERT INTO delivery (guid, event, action, body, received_at, outcome)
    VALUES (:guid, :event, :action, :body, :received_at, :outcome) ON CONFLICT (guid) DO NOTHING"""
_INSERT_REQUEST = """
    INSERT INTO slack_request (fingerprint, seen_at) VALUES (:fingerprint, :now)
    ON CONFLICT (fingerprint) DO UPDATE SET seen_at = excluded.seen_at WHERE seen_at <= :now - :window"""
_INSERT_JOB = """
    INSERT INTO job (kind, payload, key, dedup, state, priority, run_at, holds, attempts, created_at)
    VALUES (:kind, :payload, :key, :dedup, :state, :priority, :runs, :holds, :attempts, :made)
    ON CONFLICT (dedup) DO NOTHING"""
_PRUNE_REQUESTS = "DELETE FROM slack_request WHERE seen_at < ?"


class SqliteWriter:
    """One visit to a thread with a connection of its own.

    Through SQLAlchemy and aiosqlite a batch is a dozen visits: that took two thirds of the whole time.
    """

    def __init__(self, db: Database, path: Path) -> None:
        """Prepare; connects at the first batch."""
        self._db = db
        self._path = path
        self._thread = ThreadPoolExecutor(1, "inbox")
        self._conn: sqlite3.Connection | None = None
        self._prune_at: UnixTime = 0.0

    async def write(self, batch: Sequence[Arrival]) -> list[bool]:
        """Whether each arrival was new."""
        now = self._db.clock.now()
        with self._db.failures():
            async with self._db.write_lock(incoming=True):
                loop = asyncio.get_running_loop()
                new = await loop.run_in_executor(self._thread, self._write, batch, now)
        if any(is_new and arrival.jobs for is_new, arrival in zip(new, batch, strict=True)):
            self._db.job_wake.set()
        return new

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _write(self, batch: Sequence[Arrival], now: UnixTime) -> list[bool]:
        conn = self._conn or self._connect()
        try:
            conn.execute("BEGIN IMMEDIATE")
            new = [_insert(conn, arrival, now) for arrival in batch]
            if now >= self._prune_at:
                self._prune_at = now + PRUNE_EVERY
                conn.execute(_PRUNE_REQUESTS, (now - 2 * REPEAT_WINDOW,))
            conn.execute("COMMIT")
        except BaseException:
            # Whatever state it is in: a new connection starts from what is committed.
            self._disconnect()
            raise
        return new

    def _connect(self) -> sqlite3.Connection:
        make_private(self._path)
        self._conn = sqlite3.connect(self._path, timeout=LOCK_WAIT, isolation_level=None)
        self._conn.execute("PRAGMA synchronous=FULL")
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None


def _insert(conn: sqlite3.Connection, arrival: Arrival, now: UnixTime) -> bool:
    if isinstance(arrival.what, str):
        request = {"fingerprint": storable(arrival.what), "now": now, "window": REPEAT_WINDOW}
        stored = conn.execute(_INSERT_REQUEST, request)
    else:
        stored = conn.execute(_INSERT_DELIVERY, _plain(deliveries.values(arrival.what)))
    if stored.rowcount != 1:
        return False
    for new in arrival.jobs:
        conn.execute(_INSERT_JOB, _plain(jobs.values(new, now)))
    return True


def _plain(values: dict[str, object]) -> dict[str, object]:
    """The values as SQLite itself takes them."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    return encode_json(value) if isinstance(value, Mapping) else value
