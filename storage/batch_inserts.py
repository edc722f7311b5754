"""Inserts a batch of incoming requests in one commit, for PostgreSQL and for SQLite."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from storage import deliveries, jobs, rows
from storage.columns import storable
from storage.db import Database, Tx
from storage.engines import CACHE, INCOMING_WAIT, encode_json, make_private
from storage.records import Delivery, NewJob, UnixTime
from storage.tables import delivery, slack_request

REPEAT_WINDOW = 600.0
"""Seconds in which a second copy of a signed Slack request is not processed again."""
PRUNE_EVERY = 300.0
"""Seconds between two deletions of old fingerprints of Slack requests, which are kept for two windows."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A delivery of GitHub or a request of Slack, with its jobs."""

    source: Delivery | str
    """A delivery, or the fingerprint of a Slack request."""
    jobs: Sequence[NewJob]
    """Stored only if the source is new."""


class PostgresWriter:
    """Stores a batch by three statements of many rows, in one transaction."""

    def __init__(self, db: Database) -> None:
        """Connects at the first batch."""
        self._db = db
        self._prune_at: UnixTime = 0.0

    async def write(self, batch: Sequence[Incoming]) -> list[bool]:
        """Whether each element was new. Raises StorageUnavailable, or the driver's error for unusable data."""
        sources = [one.source for one in batch]
        async with self._db.begin(incoming=True) as tx:
            unknown = await deliveries.insert(tx, [one for one in sources if isinstance(one, Delivery)])
            unknown |= await _insert_requests(tx, {one for one in sources if isinstance(one, str)})
            accepted: list[NewJob] = []
            new: list[bool] = []
            for incoming in batch:
                source = incoming.source
                name = storable(source if isinstance(source, str) else source.guid)
                new.append(name in unknown)
                # A second copy in the same batch is a repeat.
                unknown.discard(name)
                accepted.extend(incoming.jobs if new[-1] else ())
            await jobs.enqueue(tx, *accepted)
            if tx.now >= self._prune_at:
                self._prune_at = tx.now + PRUNE_EVERY
                old = slack_request.c.seen_at < tx.now - 2 * REPEAT_WINDOW
                await tx.conn.execute(sa.delete(slack_request).where(old))
            return new

    async def close(self) -> None:
        """Nothing to close: the connections are the database's."""


async def _insert_requests(tx: Tx, fingerprints: set[str]) -> set[str]:
    """Store that these requests were seen now; returns those that were not seen within the window before."""
    if not fingerprints:
        return set()
    insert = tx.insert(slack_request)
    query = insert.on_conflict_do_update(
        index_elements=[slack_request.c.fingerprint],
        set_={"seen_at": insert.excluded.seen_at},
        where=slack_request.c.seen_at <= tx.now - REPEAT_WINDOW,
    ).returning(slack_request.c.fingerprint)
    seen = [{"fingerprint": fingerprint, "seen_at": tx.now} for fingerprint in sorted(fingerprints)]
    return set(await tx.conn.scalars(query, seen))


_INSERT_DELIVERY = """
    INSERT INTO delivery (guid, event, action, body, received_at, outcome)
    VALUES (:guid, :event, :action, :body, :received_at, :outcome) ON CONFLICT (guid) DO NOTHING"""
_INSERT_REQUEST = """
    INSERT INTO slack_request (fingerprint, seen_at) VALUES (:fingerprint, :now)
    ON CONFLICT (fingerprint) DO UPDATE SET seen_at = excluded.seen_at WHERE seen_at <= :now - :window"""
_INSERT_JOB = """
    INSERT INTO job (kind, payload, key, dedup, state, priority, run_at, holds, attempts, created_at, trace)
    VALUES (:kind, :payload, :key, :dedup, :state, :priority, :runs, :holds, :attempts, :made, :trace)
    ON CONFLICT (dedup) DO NOTHING"""
_PRUNE_REQUESTS = "DELETE FROM slack_request WHERE seen_at < ?"


class SqliteWriter:
    """Stores a batch in one call to a thread that has a connection of its own.

    aiosqlite makes about a dozen such calls for a batch, each a switch between threads. Measured with 16 clients, a
    webhook then takes 1.6 times the processor time.
    """

    def __init__(self, db: Database, path: Path) -> None:
        """Connects at the first batch."""
        self._db = db
        self._path = path
        self._thread = ThreadPoolExecutor(1, "batch_writer")
        self._conn: sqlite3.Connection | None = None
        self._prune_at: UnixTime = 0.0

    async def write(self, batch: Sequence[Incoming]) -> list[bool]:
        """Whether each element was new; raises as `PostgresWriter.write` does."""
        now = self._db.clock.now()
        with self._db.failures():
            async with self._db.write_lock(incoming=True):
                loop = asyncio.get_running_loop()
                new = await loop.run_in_executor(self._thread, self._write, batch, now)
        if any(is_new and incoming.jobs for is_new, incoming in zip(new, batch, strict=True)):
            self._db.job_wake.set()
        return new

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _write(self, batch: Sequence[Incoming], now: UnixTime) -> list[bool]:
        conn = self._conn or self._connect()
        try:
            conn.execute("BEGIN IMMEDIATE")
            new = [_insert(conn, incoming, now) for incoming in batch]
            if now >= self._prune_at:
                self._prune_at = now + PRUNE_EVERY
                conn.execute(_PRUNE_REQUESTS, (now - 2 * REPEAT_WINDOW,))
            conn.execute("COMMIT")
        except BaseException:
            # The connection's state is unknown now: closing it rolls back, and the next batch opens a new one.
            self._disconnect()
            raise
        return new

    def _connect(self) -> sqlite3.Connection:
        make_private(self._path)
        self._conn = sqlite3.connect(self._path, timeout=INCOMING_WAIT, isolation_level=None)
        self._conn.execute("PRAGMA synchronous=FULL")
        self._conn.execute(f"PRAGMA {CACHE}")
        return self._conn

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None


Writer: TypeAlias = PostgresWriter | SqliteWriter


def _insert(conn: sqlite3.Connection, incoming: Incoming, now: UnixTime) -> bool:
    if isinstance(incoming.source, str):
        request = {"fingerprint": storable(incoming.source), "now": now, "window": REPEAT_WINDOW}
        stored = conn.execute(_INSERT_REQUEST, request)
    else:
        stored = conn.execute(_INSERT_DELIVERY, _plain(rows.values(incoming.source, delivery)))
    if stored.rowcount != 1:
        return False
    for new in incoming.jobs:
        conn.execute(_INSERT_JOB, _plain(jobs.values(new, now)))
    return True


def _plain(values: dict[str, object]) -> dict[str, object]:
    """The values as Python's `sqlite3` takes them."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    return encode_json(value) if isinstance(value, Mapping) else value
