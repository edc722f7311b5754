"""Sets up the connections to SQLite and PostgreSQL: durable commits, and no reader waits for a writer."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from storage.clock import Clock
from storage.columns import storable
from storage.database_url import read_url

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

LOCK_WAIT = 10.0
"""Seconds to wait for another process's transaction, or for a free connection."""
INCOMING_WAIT = 0.5
"""The same for one try to store incoming requests, whose senders wait for the answer."""
CONNECT_WAIT = 10.0
"""Seconds to wait for a connection to PostgreSQL."""
STATEMENT_WAIT = 30.0
"""Seconds to wait for a statement of PostgreSQL; then the connection counts as broken."""
LONG_IDLE = 5.0
"""Seconds after which an unused connection to PostgreSQL may have broken unnoticed, as by a cut in the network."""
INCOMING_STATEMENT_WAIT = 8.0
"""The same for incoming requests, and for the connection that they take. GitHub waits ten seconds for its answer."""
_SESSION = """
SET lock_timeout = {lock_wait:.0f};
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 25000
"""
"""Settings of each session with PostgreSQL; the lock's and the last one are in milliseconds.

By default PostgreSQL notices only after two hours that a host was cut off in the middle of a transaction. Until then
others wait for its locks. These settings make it 25 seconds; they have no effect on a Unix socket.
"""
CACHE = "cache_size=-500"
"""Kilobytes of SQLite's cache for each connection, as a pragma; by default it would be 2,000.

A full cache stays in memory, and the kernel caches the file besides: look-ups in a million alerts take at most 4 ms
more.
"""
_ODD = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
"""Finds JSON that may hold an escaped NUL or half of a surrogate pair. Also finds whole pairs, and `\\\\u0000`."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of one database, for writing and for reading."""

    dialect: Dialect
    write: AsyncEngine
    read: AsyncEngine
    incoming: AsyncEngine
    """For incoming requests on PostgreSQL: one connection, which no job uses. On SQLite it is `write`."""
    path: Path | None
    """SQLite's file."""
    name: str
    """The URL without its password, for people."""

    async def dispose(self) -> None:
        """Close every idle connection."""
        await self.write.dispose()
        await self.read.dispose()
        await self.incoming.dispose()


def open_engines(url: str, clock: Clock | None = None, *, makes_private: bool = True) -> Engines:
    """The engines of a database, not connected yet. Raises ValueError, which shows no value of the URL.

    Without `makes_private` SQLite's files keep the modes that they have.
    """
    found = read_url(url)
    if found.url.drivername == "sqlite+aiosqlite":
        return _sqlite(found.url, found.arguments, makes_private=makes_private)
    return _postgresql(found.url, found.arguments, clock or Clock())


def encode_json(value: object) -> str:
    """JSON as it is stored: compact, ASCII, with all text made storable, and records as objects.

    PostgreSQL's type `json` takes an escaped NUL or half of a surrogate pair, but then fails on queries of it.
    """
    text = json.dumps(value, separators=(",", ":"), default=asdict)
    return json.dumps(_storable(json.loads(text)), separators=(",", ":")) if _ODD.search(text) else text


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): _storable(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [_storable(inside) for inside in value]
    return value


def _engine(url: sa.URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url, hide_parameters=True, json_serializer=encode_json, pool_timeout=LOCK_WAIT, **options
    )


def _sqlite(url: sa.URL, given: Mapping[str, Any], *, makes_private: bool) -> Engines:
    path = Path(str(url.database))
    # With `isolation_level=None` Python's sqlite3 begins no transactions by itself.
    arguments: dict[str, Any] = {"isolation_level": None, "timeout": LOCK_WAIT, **given}
    # One connection writes; `Database.write_lock` queues the callers. Of the readers the one that was used last is
    # used next, since each that is used fills a cache.
    write = _engine(url, connect_args=arguments, pool_size=1, max_overflow=0)
    read = _engine(url, connect_args=arguments, pool_size=3, max_overflow=0, pool_use_lifo=True)
    for engine, mode, pragmas in (
        (write, "IMMEDIATE", ("synchronous=FULL", "foreign_keys=ON", CACHE)),
        (read, "DEFERRED", ("query_only=ON", CACHE)),
    ):
        if makes_private:
            sa.event.listen(engine.sync_engine, "do_connect", lambda *_: make_private(path))
        sa.event.listen(engine.sync_engine, "connect", _run_pragmas(pragmas))
        # Not by the event `begin`: with one listener, SQLAlchemy looks for others at each step of each statement.
        engine.dialect.do_begin = _begin(mode)  # type: ignore[assignment, method-assign]  # The hook is a method.
    return Engines("sqlite", write, read, write, path, f"sqlite+aiosqlite:///{path}")


async def _connect_postgresql(lock_wait: float, **arguments: Any) -> Any:
    """Connect to PostgreSQL; raises ConnectionError also for arguments that asyncpg can't use."""
    import asyncpg  # Here, since on SQLite it is not needed.

    try:
        connection = await asyncpg.connect(**arguments)
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise ConnectionError(str(error)) from None
    await connection.execute(_SESSION.format(lock_wait=lock_wait * 1000))
    return connection


def _postgresql(url: sa.URL, given: Mapping[str, Any], clock: Clock) -> Engines:
    write = _postgresql_engine(
        url, given, clock, LOCK_WAIT, CONNECT_WAIT, STATEMENT_WAIT, pool_size=8, max_overflow=8
    )
    read = write.execution_options(postgresql_readonly=True)
    incoming = _postgresql_engine(
        url,
        given,
        clock,
        INCOMING_WAIT,
        INCOMING_STATEMENT_WAIT,
        INCOMING_STATEMENT_WAIT,
        pool_size=1,
        max_overflow=0,
    )
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    name = f"postgresql+asyncpg://{host}{port}/{url.database or ''}"
    return Engines("postgresql", write, read, incoming, None, name)


def _postgresql_engine(
    url: sa.URL,
    given: Mapping[str, Any],
    clock: Clock,
    lock_wait: float,
    connect: float,
    statement: float,
    **pool: int,
) -> AsyncEngine:
    """An engine whose waits for locks, a connection and a statement are these seconds.

    Of its connections the one that was used last is used next, since each has to prepare its statements.
    """
    waits = {"timeout": connect, "command_timeout": statement}
    connects = {**waits, **given, "async_creator_fn": partial(_connect_postgresql, lock_wait)}
    engine = _engine(url, connect_args=connects, pool_use_lifo=True, **pool)
    _replace_broken(engine, clock)
    return engine


def _replace_broken(engine: AsyncEngine, clock: Clock) -> None:
    """Let the pool replace a connection that broke, as at a restart of the server, before it is used.

    asyncpg notices when a connection is closed. The server is asked only if it was idle for long: SQLAlchemy's
    `pool_pre_ping` takes three round trips before each transaction.
    """

    def note_use(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used_at"] = clock.monotonic()

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        if connection.driver_connection.is_closed():
            raise sa.exc.DisconnectionError
        now = clock.monotonic()
        if now - entry.info.get("used_at", now) > LONG_IDLE:
            try:
                connection.ping()
            except (engine.dialect.loaded_dbapi.Error, OSError) as error:
                raise sa.exc.DisconnectionError from error

    sa.event.listen(engine.sync_engine, "checkin", note_use)
    sa.event.listen(engine.sync_engine, "checkout", check)


def make_private(path: Path) -> None:
    """Create SQLite's file with mode 0600 before SQLite does; its -wal and -shm files inherit the mode.

    An existing file is never opened, since closing it would drop all locks that this process has on it. Another
    process could then delete the write-ahead log in use (SQLite's docs, "How To Corrupt An SQLite Database File",
    2.2). Raises SQLite's own error if no file can be created there.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        if not path.is_file():
            raise sqlite3.OperationalError("unable to open database file") from error
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            os.chmod(f"{path}{suffix}", 0o600)


def _begin(mode: str) -> Callable[[PoolProxiedConnection], None]:
    def begin(connection: PoolProxiedConnection) -> None:
        # By the driver: what SQLAlchemy does around a statement takes longer than this one.
        cursor = connection.cursor()
        try:
            cursor.execute(f"BEGIN {mode}")
        finally:
            cursor.close()

    return begin


def _run_pragmas(pragmas: tuple[str, ...]) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def run(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            # The first query raises an error for a file that is no database.
            cursor.execute("SELECT count(*) FROM sqlite_schema")
        except BaseException:
            connection.close()
            raise
        cursor.close()

    return run
