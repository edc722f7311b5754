"""The database is locked for longer than Stanch waits, as by a backup or an operator's change of its tables."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from storage.database_url import read_url
from storage.tables import METADATA
from tests.chaos import trouble
from tests.chaos.databases import Kind, fresh_databases
from tests.chaos.parts import run_part


def run_and_report() -> int:
    """Run it on both databases and print what happened; returns the exit status."""
    return max(
        run_part("a locked database, SQLite", lambda directory: _run("sqlite", directory)),
        run_part("a locked database, PostgreSQL", lambda directory: _run("postgresql", directory)),
    )


async def _run(kind: Kind, directory: Path) -> list[str]:
    with fresh_databases(kind) as fresh:
        url = fresh(0)
        lock = _locked_sqlite if kind == "sqlite" else _locked_postgresql
        return await trouble.run(url, directory, lambda: lock(url))


@asynccontextmanager
async def _locked_sqlite(url: str) -> AsyncIterator[None]:
    other = sqlite3.connect(str(read_url(url).url.database), isolation_level=None, timeout=10)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.close()


@asynccontextmanager
async def _locked_postgresql(url: str) -> AsyncIterator[None]:
    """Every table, against all reads and changes."""
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    lock = await _lock_tables(other)
    yield
    await lock.rollback()
    await other.close()


async def _lock_tables(other: asyncpg.Connection) -> asyncpg.transaction.Transaction:
    """Lock them one after the other; what the product has locked meanwhile can make that a deadlock."""
    tables = ", ".join(sorted(METADATA.tables))
    while True:
        lock = other.transaction()
        await lock.start()
        try:
            await other.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        except asyncpg.DeadlockDetectedError:
            await lock.rollback()
        else:
            return lock
