"""Connections to SQLite and PostgreSQL, set up so that nothing is lost and no reader waits for a writer."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.database_url import read_url
from storage.tables import storable

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

LOCK_WAIT = 10.0
"""Seconds that a writer waits for another process's transaction, or for a free connection."""
CONNECT_WAIT = 10.0
"""Seconds until a PostgreSQL server counts as unreachable."""
STATEMENT_WAIT = 30.0
"""Seconds until a statement counts as lost with its connection to PostgreSQL."""
_ODD = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
"""How JSON escapes a NUL, and either half of a surrogate pair. Whole pairs and a plain `\\u0000` look so, too."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The two doors into one database."""

    dialect: Dialect
    write: AsyncEngine
    read: AsyncEngine
    path: Path | None
    """SQLite's file."""
    name: str
    """The URL without its password, for people."""

    async def dispose(self) -> None:
        """Close every idle connection."""
        await self.write.dispose()
        await self.read.dispose()


def open_engines(url: str) -> Engines:
    """Prepare, without connecting. Raises ValueError for a URL that can't be used, without any value of it."""
    found = read_url(url)
    if found.url.drivername == "sqlite+aiosqlite":
        return _sqlite(found.url, found.arguments)
    return _postgresql(found.url, found.arguments)


def encode_json(value: object) -> str:
    """JSON as it is stored: compact, ASCII, and without what `storable` takes out of text.

    PostgreSQL keeps an escaped NUL or half of a surrogate pair in its `json`, and fails when it is to read it.
    """
    text = json.dumps(value, separators=(",", ":"))
    return json.dumps(_storable(value), separators=(",", ":")) if _ODD.search(text) else text


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): _storable(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inside) for inside in value]
    return value


def _engine(url: sa.URL, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url, hide_parameters=True, json_serializer=encode_json, pool_timeout=LOCK_WAIT, **options
    )


def _sqlite(url: sa.URL, given: Mapping[str, Any]) -> Engines:
    path = Path(str(url.database))
    # `isolation_level=None` keeps Python's own idea of transactions out of ours.
    arguments: dict[str, Any] = {"isolation_level": None, "timeout": LOCK_WAIT, **given}
    # One writer: callers of this process queue up for it in order, instead of polling SQLite's lock.
    write = _engine(url, connect_args=arguments, pool_size=1, max_overflow=0)
    read = _engine(url, connect_args=arguments, pool_size=4, max_overflow=0)
    for engine, begin, pragmas in (
        (write, "BEGIN IMMEDIATE", ("synchronous=FULL", "foreign_keys=ON")),
        (read, "BEGIN DEFERRED", ("query_only=ON",)),
    ):
        sa.event.listen(engine.sync_engine, "do_connect", _make_private(path))
        sa.event.listen(engine.sync_engine, "connect", _run_pragmas(pragmas))
        sa.event.listen(engine.sync_engine, "begin", _run_begin(begin))
    return Engines("sqlite", write, read, path, f"sqlite+aiosqlite:///{path}")


async def _connect_postgresql(**arguments: Any) -> Any:
    """Connect; what the driver can't do with its arguments is a ConnectionError, as every other failure."""
    import asyncpg  # On SQLite nobody waits for it.

    try:
        return await asyncpg.connect(**arguments)
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise ConnectionError(str(error)) from None


def _postgresql(url: sa.URL, given: Mapping[str, Any]) -> Engines:
    waits = {"timeout": CONNECT_WAIT, "command_timeout": STATEMENT_WAIT}
    write = _engine(
        url,
        connect_args={**waits, **given, "async_creator_fn": _connect_postgresql},
        pool_size=8,
        max_overflow=8,
        # A connection that died with the server is replaced before it is used.
        pool_pre_ping=True,
    )
    read = write.execution_options(postgresql_readonly=True)
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return Engines("postgresql", write, read, None, f"postgresql+asyncpg://{host}{port}/{url.database or ''}")


def make_private(path: Path) -> None:
    """Create SQLite's file for its owner alone before SQLite would; -wal and -shm inherit its mode.

    A file that is there is never opened here: closing it again would drop every lock that this process has on
    it, and the next process to end would take itself for the last one and delete the write-ahead log under us
    (SQLite's docs: "How To Corrupt", 2.2). Raises SQLite's own error for a place where no file can be.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        if not path.is_file():
            raise sqlite3.OperationalError("unable to open database file") from error
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            os.chmod(f"{path}{suffix}", 0o600)


def _make_private(path: Path) -> Callable[..., None]:
    def run(*_: object) -> None:
        make_private(path)

    return run


def _run_pragmas(pragmas: tuple[str, ...]) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def run(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            # A file of something else is found out here, on the first look into it.
            cursor.execute("SELECT count(*) FROM sqlite_schema")
        except BaseException:
            connection.close()
            raise
        cursor.close()

    return run


def _run_begin(statement: str) -> Callable[[sa.Connection], None]:
    def run(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)

    return run
