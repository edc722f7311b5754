"""The database: transactions that change (`begin`) and read (`read`), and the migration of its tables."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import migrations
from storage.clock import Clock
from storage.driver_errors import describe, is_failure, is_locked, is_refused, is_stale, reason_of
from storage.engines import INCOMING_WAIT, LOCK_WAIT, Dialect, Engines, open_engines
from storage.records import AuditRow, JobId, UnixTime
from storage.write_lock import WriteLock

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"
Row: TypeAlias = sa.Row[*tuple[Any, ...]]

_keeps_statements: ContextVar[bool] = ContextVar("keeps_statements", default=True)
_MIGRATION_LOCK = 5_283_127_014_411_917_301
"""The number of PostgreSQL's advisory lock for migrations; any number that nothing else uses."""


@contextmanager
def rare_statements() -> Iterator[None]:
    """In it, SQLAlchemy keeps no compiled statements: each takes some 50 kB of memory, for one run in a minute."""
    token = _keeps_statements.set(False)
    try:
        yield
    finally:
        _keeps_statements.reset(token)


class StorageUnavailable(Exception):
    """The database can't be used right now; `str()` is one sentence that names it, without any secret."""


class StaleStatement(StorageUnavailable):
    """Another process changed the tables; a second try works at once."""


class StatementRefused(StorageUnavailable):
    """The database refused a statement, as one about a missing table; that does not end by itself."""


class StorageBusy(StorageUnavailable):
    """Another transaction has a lock for too long, so nothing was stored; a second try may work soon."""


@dataclass(slots=True)
class Tx:
    """One transaction. Only functions of this package use its fields; all others pass it on."""

    conn: AsyncConnection
    now: UnixTime
    clock: Clock
    dialect: Dialect
    audit_key: bytes = field(repr=False)
    job_enqueued: bool = False
    """Whether a job became ready, so that the worker is woken after the commit."""
    finished: list[JobId] = field(default_factory=list)
    """Jobs whose runs end in this transaction."""
    audited: list[AuditRow] = field(default_factory=list)
    """Rows added to the audit log; after the commit, the hash of the last one is the head of the log."""

    def insert(self, table: sa.Table) -> Insert:
        """An INSERT of this dialect, which has ON CONFLICT."""
        return insert_into(self.dialect, table)


def insert_into(dialect: Dialect, table: sa.Table) -> Insert:
    """An INSERT of that dialect, for a statement that is built once."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import (
        postgresql,
    )  # Here, since it takes 2 MB of memory that SQLite does not need.

    return postgresql.insert(table)


class Database:
    """One SQLite file or PostgreSQL database."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        audit_key: bytes | None = None,
        on_audit: Callable[[Sequence[AuditRow]], None] | None = None,
        engines: Engines | None = None,
    ) -> None:
        """Take a SQLAlchemy URL (`sqlite+aiosqlite:///…`, `postgresql+asyncpg://…`), and don't connect yet.

        Without `audit_key`, the hashes of the audit log have an empty key. `on_audit` is called after each commit
        that added to the audit log, with the rows. `engines` are used instead of new ones for the URL: tests keep
        them with the statements that they have compiled. Raises ValueError for any other kind of URL.
        """
        self._engines = engines or open_engines(url, clock)
        self._audit_key = audit_key or b""
        self._on_audit = on_audit
        self.clock = clock
        self.dialect: Dialect = self._engines.dialect
        self.name = self._engines.name
        """The URL without user and password."""
        self.path = self._engines.path
        """SQLite's file; None for PostgreSQL."""
        self.job_wake = asyncio.Event()
        """Set when a job may have become ready; the worker clears it."""
        self.finished_jobs: set[JobId] = set()
        """Jobs that ended in the transaction of their own changes; the worker removes them from the set."""
        self._write_lock = WriteLock()

    @asynccontextmanager
    async def begin(self, *, incoming: bool = False) -> AsyncIterator[Tx]:
        """A transaction that changes the database: commits at the end, rolls back on any exception.

        The body must wait for nothing but the database: on SQLite, all other writers wait for it. With `incoming` it
        waits only `INCOMING_WAIT` seconds for locks, and on PostgreSQL has a connection of its own.
        Raises StorageUnavailable if the database fails, before or at the commit.
        """
        engine = self._engines.incoming if incoming else self._engines.write
        with self.failures():
            async with self.write_lock(incoming=incoming), engine.begin() as conn:
                tx = await self._tx(conn)
                yield tx
        self.finished_jobs.update(tx.finished)
        if tx.job_enqueued:
            self.job_wake.set()
        if tx.audited and self._on_audit is not None:
            self._on_audit(tx.audited)

    @asynccontextmanager
    async def write_lock(self, *, incoming: bool = False) -> AsyncIterator[None]:
        """Be the only writer of this process to SQLite; does nothing on PostgreSQL.

        SQLite's own lock is polled and gives no order. With `incoming` it is given before all others, since the
        sender of the request waits for the answer. Raises StorageBusy after `LOCK_WAIT` seconds, with `incoming`
        after `INCOMING_WAIT`.
        """
        if self.dialect == "postgresql":
            yield
            return
        try:
            async with asyncio.timeout(INCOMING_WAIT if incoming else LOCK_WAIT):
                await self._write_lock.acquire(incoming=incoming)
        except TimeoutError:
            raise StorageBusy(f"The database at {self.name} is busy: a change takes too long.") from None
        try:
            yield
        finally:
            self._write_lock.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A transaction that only reads and never waits for a writer; on SQLite it sees one snapshot.

        Raises StorageUnavailable.
        """
        with self.failures():
            # The first query begins it, and returning the connection ends it.
            async with self._engines.read.connect() as conn:
                yield await self._tx(conn)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside of any transaction, not reused afterwards. Raises StorageUnavailable."""
        with self.failures():
            async with self._engines.write.connect() as conn:
                try:
                    yield conn
                finally:
                    await conn.invalidate()

    async def migrate(self) -> str | None:
        """Create the tables or upgrade them to this version; several processes may do so at the same time.

        Returns the revision that was there, one of `migrations.VERSIONS`, or None if there were no tables. Raises
        StorageUnavailable, also for tables of a newer version.
        """
        if self.dialect == "sqlite":
            await self._use_write_ahead_log()
        before = await self.revision()
        if before == migrations.HEAD:
            return before
        # Importing Alembic takes a third of a second; a start on a migrated database saves it.
        from alembic.util.exc import CommandError

        from storage.migrations.upgrade import upgrade

        try:
            async with self.begin() as tx:
                if self.dialect == "postgresql":
                    await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
                await tx.conn.run_sync(upgrade)
        except CommandError:
            raise StorageUnavailable(
                f"The database at {self.name} was last used by a newer version of Stanch."
            ) from None
        return before

    async def is_migrated(self) -> bool:
        """Whether the tables are those of this version. Raises StorageUnavailable."""
        return await self.revision() == migrations.HEAD

    async def revision(self) -> str | None:
        """The revision of the tables; None if there are none. Raises StorageUnavailable."""
        with self.failures():
            if self._engines.path is not None and not self._engines.path.exists():
                return None
        async with self.read() as tx:
            if not await tx.conn.run_sync(lambda conn: sa.inspect(conn).has_table("alembic_version")):
                return None
            version: str | None = await tx.conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return version

    async def close(self) -> None:
        """Close all connections; the object can't be used afterwards."""
        await self._engines.dispose()

    async def _tx(self, conn: AsyncConnection) -> Tx:
        if not _keeps_statements.get():
            await conn.execution_options(compiled_cache=None)
        return Tx(conn, self.clock.now(), self.clock, self.dialect, self._audit_key)

    async def _use_write_ahead_log(self) -> None:
        """Switch the file to the write-ahead log, so that readers don't wait for a writer; the file keeps this.

        The switch needs the file exclusively, and SQLite does not wait for that: processes that start at the same
        time get "database is locked", so it is tried again.
        """
        for attempt in range(100):
            try:
                async with self.connection() as conn:
                    await conn.run_sync(_set_journal_mode)
                return
            except StorageUnavailable:
                if attempt == 99:
                    raise
                await self.clock.sleep(0.05)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn the drivers' errors for an unavailable database into StorageUnavailable."""
        try:
            yield
        except sa.exc.TimeoutError:
            raise StorageBusy(
                f"The database at {self.name} is busy: no connection became free in time."
            ) from None
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            if is_stale(error):
                raise StaleStatement(
                    f"The tables of the database at {self.name} were changed meanwhile; the same again works."
                ) from error
            if not is_failure(error):
                raise
            sort = StorageBusy if is_locked(error) else StorageUnavailable
            if is_refused(error):
                sort = StatementRefused
            raise sort(f"The database at {self.name} {describe(error)}.") from error
        except OSError as error:
            raise StorageUnavailable(
                f"The database at {self.name} can't be reached: {reason_of(error)}."
            ) from error


def _set_journal_mode(conn: sa.Connection) -> None:
    raw = conn.connection.cursor()
    raw.execute("PRAGMA journal_mode=WAL")
    raw.close()
