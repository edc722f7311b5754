"""Transactions, migrations and failures of both databases."""

import asyncio
import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from storage import migrations, partial_indexes  # noqa: F401 - the second adds indexes to the tables.
from storage.clock import Clock
from storage.db import Database, StatementRefused, StorageBusy, StorageUnavailable
from storage.driver_errors import is_failure
from storage.engines import LONG_IDLE, open_engines
from storage.migrations.upgrade import config
from storage.tables import METADATA, saved_value
from tests.conftest import CUT, PostgreSQL, run_in_thread
from tests.processes.waiting import until


def modes(directory: Path) -> dict[str, int]:
    """The permissions of each file."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


async def ask(db: Database) -> None:
    """Send a query."""
    async with db.read() as tx:
        await tx.conn.execute(sa.text("SELECT 1"))


async def test_an_empty_database_is_migrated(empty_database_url: str, clock: Clock) -> None:
    db = Database(empty_database_url, clock=clock)
    assert not await db.is_migrated()
    await db.migrate()
    assert await db.is_migrated()
    await db.migrate()
    await ask(db)
    await db.close()


async def test_four_simultaneous_starts_migrate_once(empty_database_url: str, clock: Clock) -> None:
    starts = [Database(empty_database_url, clock=clock) for _ in range(4)]
    await asyncio.gather(*(start.migrate() for start in starts))
    assert all([await start.is_migrated() for start in starts])
    for start in starts:
        await start.close()


async def test_tables_agree_with_the_migrations(db: Database) -> None:
    def differences(conn: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(conn), METADATA))

    async with db.read() as tx:
        assert await tx.conn.run_sync(differences) == []


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [migrations.HEAD]


async def test_database_of_a_newer_version_is_refused(db: Database) -> None:
    async with db.begin() as tx:
        await tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageUnavailable, match="newer version of Stanch"):
        await db.migrate()


async def test_an_exception_rolls_back(db: Database) -> None:
    async with db.begin() as tx:
        await tx.conn.execute(sa.insert(saved_value).values(key="kept", value=1))

    async def fail() -> None:
        async with db.begin() as tx:
            await tx.conn.execute(sa.insert(saved_value).values(key="forgotten", value=2))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with db.read() as tx:
        assert (await tx.conn.scalars(sa.select(saved_value.c.key))).all() == ["kept"]


async def test_readers_do_not_wait_for_a_writer(db: Database) -> None:
    async with asyncio.timeout(5), db.begin() as writer:
        await writer.conn.execute(sa.insert(saved_value).values(key="new", value=1))
        async with db.read() as reader:
            assert (await reader.conn.scalars(sa.select(saved_value.c.key))).all() == []


async def test_a_read_transaction_refuses_to_write(db: Database) -> None:
    with pytest.raises((StorageUnavailable, sa.exc.DBAPIError)):
        async with db.read() as tx:
            await tx.conn.execute(sa.insert(saved_value).values(key="new", value=1))


async def test_writers_of_one_process_wait_for_each_other(db: Database) -> None:
    async def increment() -> None:
        async with db.begin() as tx:
            query = sa.select(saved_value.c.value).where(saved_value.c.key == "n").with_for_update()
            value = (await tx.conn.execute(query)).scalar_one()
            await tx.conn.execute(sa.update(saved_value).values(value=value + 1))

    async with db.begin() as tx:
        await tx.conn.execute(sa.insert(saved_value).values(key="n", value=0))
    await asyncio.gather(*(increment() for _ in range(20)))
    async with db.read() as tx:
        assert (await tx.conn.scalar(sa.select(saved_value.c.value))) == 20


async def test_text_is_made_storable(db: Database) -> None:
    async with db.begin() as tx:
        await tx.conn.execute(sa.insert(saved_value).values(key="a\0b\ud800c", value="a\0b\ud800c"))
    async with db.read() as tx:
        row = (await tx.conn.execute(sa.select(saved_value))).one()
    assert (row.key, row.value) == ("ab?c", "ab?c")


async def test_errors_hold_no_parameters(db: Database) -> None:
    row = {"key": "once", "value": "confidential"}
    with pytest.raises(sa.exc.IntegrityError) as caught:
        async with db.begin() as tx:
            await tx.conn.execute(sa.insert(saved_value), [row, row])
    assert "confidential" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://x/y", "sqlite+aiosqlite:///:memory:", "postgresql://x/y"]
)
def test_other_urls_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must (start with|name a file)") as caught:
        Database(url, clock=Clock())
    assert url not in str(caught.value)


@pytest.mark.parametrize("umask", [0o000, 0o022])
async def test_sqlite_files_belong_to_their_owner_alone(tmp_path: Path, clock: Clock, umask: int) -> None:
    old = os.umask(umask)
    try:
        db = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", clock=clock)
        await db.migrate()
        async with db.begin() as tx:
            await tx.conn.execute(sa.insert(saved_value).values(key="a", value=1))
        assert modes(tmp_path) == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
        await db.close()
    finally:
        os.umask(old)


async def test_the_mode_of_an_existing_sqlite_file_is_restricted(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "x.db"
    path.touch()
    path.chmod(0o644)
    db = Database(f"sqlite+aiosqlite:///{path}", clock=clock)
    await db.migrate()
    assert modes(tmp_path)["x.db"] == 0o600
    await db.close()


async def test_is_migrated_creates_no_sqlite_file(tmp_path: Path, clock: Clock) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", clock=clock)
    assert not await db.is_migrated()
    assert modes(tmp_path) == {}
    await db.close()


async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "missing" / "x.db"
    db = Database(f"sqlite+aiosqlite:///{path}", clock=clock)
    with pytest.raises(StorageUnavailable) as caught:
        await ask(db)
    assert str(caught.value) == (
        f"The database at sqlite+aiosqlite:///{path} can't be opened: unable to open database file."
    )
    await db.close()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database, " * 100)
    db = Database(f"sqlite+aiosqlite:///{path}", clock=clock)
    with pytest.raises(StorageUnavailable, match="file is not a database"):
        await ask(db)
    await db.close()


async def test_a_reader_that_gets_no_connection_in_time_finds_the_database_busy(
    tmp_path: Path, clock: Clock
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"
    impatient = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    db = Database(url, clock=clock, engines=replace(open_engines(url), read=impatient))
    async with db.read():
        with pytest.raises(StorageBusy, match="is busy: no connection became free in time"):
            await ask(db)
    await ask(db)
    await db.close()


async def test_a_statement_about_a_missing_table_is_refused(db: Database) -> None:
    for transaction in (db.begin, db.read):
        with pytest.raises(StatementRefused, match=r"The database at .* failed: .*gone"):
            async with transaction() as tx:
                await tx.conn.execute(sa.text("SELECT * FROM gone"))
    await ask(db)


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (sqlite3.OperationalError("disk I/O error"), True),
        (sqlite3.DatabaseError("file is not a database"), True),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), False),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), False),
    ],
)
def test_a_fault_of_ours_is_no_outage_of_the_database(error: sqlite3.Error, is_outage: bool) -> None:
    assert is_failure(error) is is_outage


async def test_an_unreachable_server_is_named_without_the_password(clock: Clock, unused_port: int) -> None:
    db = Database(f"postgresql+asyncpg://u:pa55@127.0.0.1:{unused_port}/x?password=pa55", clock=clock)
    with pytest.raises(StorageUnavailable) as caught:
        await ask(db)
    assert str(caught.value).startswith(
        f"The database at postgresql+asyncpg://127.0.0.1:{unused_port}/x can't be reached: "
    )
    assert "pa55" not in str(caught.value)
    await db.close()


async def test_broken_connections_are_replaced(db: Database) -> None:
    """As after a restart of the server."""
    if db.dialect == "sqlite":
        return
    async with db.begin() as first, db.begin() as second, db.read() as third:
        used = [await tx.conn.get_raw_connection() for tx in (first, second, third)]
        connections: list[Any] = [each.driver_connection for each in used]
    pids = {connection.get_server_pid() for connection in connections}
    async with db.begin() as tx:
        for pid in pids - {await tx.conn.scalar(sa.text("SELECT pg_backend_pid()"))}:
            await tx.conn.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await until(lambda: sum(connection.is_closed() for connection in connections) == 2, "two are closed")
    async with db.begin(), db.begin(), db.read() as tx:
        assert await tx.conn.scalar(sa.text("SELECT 1")) == 1


async def test_after_a_pause_a_connection_is_asked_before_it_is_used(
    postgresql: PostgreSQL, postgresql_template: str, clock: Clock
) -> None:
    """As after a cut in the network, nothing told the process that its connections broke."""
    url = postgresql.url(postgresql.create(postgresql_template))
    db = Database(url, clock=clock)
    await ask(db)
    # It takes this thread, which therefore can't notice that the connection is closed.
    run_in_thread(cut_others(url))
    with pytest.raises(StorageUnavailable):
        await ask(db)
    await ask(db)
    run_in_thread(cut_others(url))
    clock.advance(LONG_IDLE + 1)
    await ask(db)
    await db.close()


async def cut_others(url: str) -> None:
    """End all connections to the database, from another one."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(CUT)
    await connection.close()


async def test_a_connection_that_breaks_in_a_transaction_is_an_unavailable_database(db: Database) -> None:
    if db.dialect == "sqlite":
        return
    with pytest.raises(StorageUnavailable) as caught:
        async with db.begin() as tx:
            await tx.conn.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert "terminating connection" in str(caught.value) or "closed" in str(caught.value)
    await ask(db)


async def test_a_database_that_does_not_exist_is_named(postgresql: PostgreSQL, clock: Clock) -> None:
    db = Database(postgresql.url("nowhere"), clock=clock)
    with pytest.raises(StorageUnavailable, match=r'failed: database "nowhere" does not exist\.$'):
        await ask(db)
    await db.close()


async def test_the_lock_of_another_process_gives_an_error_in_one_sentence(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "x.db"
    db = Database(f"sqlite+aiosqlite:///{path}?timeout=0.01", clock=clock)
    await db.migrate()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match=r"is busy: database is locked\.$"):
        async with db.begin():
            pass
    async with db.read():
        pass
    other.execute("ROLLBACK")
    other.close()
    async with db.begin():
        pass
    await db.close()
