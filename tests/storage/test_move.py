"""A move to another database: every value of every table arrives, or nothing does."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from storage import audit, jobs, saved_values
from storage.clock import Clock
from storage.db import Database, StorageUnavailable
from storage.job_listener import listening
from storage.move import MOVING_FROM, MoveRefused, move, unfinished
from storage.records import NewJob
from storage.tables import METADATA, alert, delivery
from tests.storage.test_audit import append, tamper

BOTH_WAYS = pytest.mark.parametrize(
    ("database_url", "empty_database_url"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite")],
    indirect=True,
)
TO_POSTGRESQL = pytest.mark.parametrize(
    ("database_url", "empty_database_url"), [("sqlite", "postgresql")], indirect=True
)
FROM_POSTGRESQL = pytest.mark.parametrize(
    ("database_url", "empty_database_url"), [("postgresql", "sqlite")], indirect=True
)
ROWS = 1_100
"""More than are read at once."""


@pytest.fixture
async def new(empty_database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """The empty database to which everything is moved."""
    database = Database(empty_database_url, clock=clock, audit_key=b"k" * 32)
    yield database
    await database.close()


def example(column: sa.Column[Any], number: int) -> Any:
    """A value of the column's type; every second row has NULL where it may."""
    if column.nullable and number % 2:
        return None
    if column.name in ("alert_number", "number"):
        return number
    if isinstance(column.type, sa.LargeBinary):
        return bytes([0, 255, number % 256])
    if isinstance(column.type, sa.JSON):
        return {"text": "«ü» 🙂", "floats": [0.1, 1e300, -5e-324], "big": 2**62, "none": None, "": [True, {}]}
    if isinstance(column.type, sa.Boolean):
        return number % 3 == 0
    if isinstance(column.type, sa.Double):
        return 1_790_000_000.123456 + number / 7
    if isinstance(column.type, sa.BigInteger):
        return 2**62 + number
    if isinstance(column.type, sa.Integer):
        return number
    return f"{column.name} «ü» 🙂\r\n\t'\"\\ {number}"


async def fill(db: Database, rows: int) -> None:
    async with db.begin() as tx:
        for table in METADATA.sorted_tables:
            if table.name != "audit":
                values = [{column.name: example(column, n) for column in table.columns} for n in range(rows)]
                await tx.conn.execute(sa.insert(table), values)
    for _ in range(3):
        await append(db)


async def content(db: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    async with db.read() as tx:
        return {
            table.name: [
                row._asdict() for row in await tx.conn.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in METADATA.sorted_tables
        }


async def is_empty(db: Database) -> bool:
    return not any(
        row for rows in (await content(db)).values() for row in rows if row.get("key") != MOVING_FROM
    )


@pytest.mark.parametrize(
    ("database_url", "empty_database_url"),
    [
        ("sqlite", "postgresql"),
        ("postgresql", "sqlite"),
        ("postgresql", "postgresql"),
        ("sqlite", "sqlite"),
    ],
    indirect=True,
)
async def test_every_value_of_every_table_arrives(db: Database, new: Database) -> None:
    await fill(db, 4)
    before = await content(db)
    moved = await move(db, new)
    assert await content(new) == before
    assert await content(db) == before
    assert moved.rows == {name: len(rows) for name, rows in before.items()}
    assert moved.audit == audit.Verification(True, 3, before["audit"][-1]["hash"], None)
    assert await new.is_migrated()


@TO_POSTGRESQL
async def test_many_rows_arrive_in_batches(db: Database, new: Database) -> None:
    async with db.begin() as tx:
        values = [{column.name: example(column, n) for column in delivery.columns} for n in range(ROWS)]
        await tx.conn.execute(sa.insert(delivery), values)
    assert (await move(db, new)).rows["delivery"] == ROWS
    assert await content(new) == await content(db)


@TO_POSTGRESQL
async def test_text_that_the_new_database_can_not_store_arrives_without_it(
    db: Database, new: Database
) -> None:
    await fill(db, 1)
    with closing(sqlite3.connect(str(db.path))) as raw, raw:
        raw.execute("UPDATE alert SET resolution_comment = 'a' || char(0) || 'b'")
        raw.execute("""UPDATE alert SET token = '{"name":"x\\u0000y \\ud83d \\ud83d\\ude42"}'""")
    await move(db, new)
    async with new.read() as tx:
        [row] = await tx.conn.execute(sa.select(alert.c.resolution_comment, alert.c.token))
    assert row == ("ab", {"name": "xy ? 🙂"})


@BOTH_WAYS
async def test_no_number_of_a_deleted_job_is_given_again(db: Database, new: Database) -> None:
    async with db.begin() as tx:
        await jobs.enqueue(tx, NewJob("first", {}), NewJob("second", {}))
        last = await tx.conn.scalar(sa.text("SELECT max(id) FROM job"))
        await tx.conn.execute(sa.text("DELETE FROM job"))
    await move(db, new)
    async with new.begin() as tx:
        await jobs.enqueue(tx, NewJob("third", {}))
        assert await tx.conn.scalar(sa.text("SELECT max(id) FROM job")) == last + 1


@BOTH_WAYS
async def test_a_move_that_fails_half_way_leaves_nothing_but_the_note_and_starts_over(
    db: Database, new: Database
) -> None:
    await fill(db, 3)
    reached: list[str] = []
    for failing in ("INSERT INTO alert", "INSERT INTO message", "DELETE FROM mark"):

        def fail(_: object, __: object, statement: str, *___: object, failing: str = failing) -> None:
            if statement.startswith(failing):
                reached.append(failing)
                raise asyncio.CancelledError

        engine = new._engines.write.sync_engine
        sa.event.listen(engine, "before_cursor_execute", fail)
        with pytest.raises(asyncio.CancelledError):
            await move(db, new)
        sa.event.remove(engine, "before_cursor_execute", fail)
        async with new.read() as tx:
            assert await unfinished(tx) == db.name
        assert await is_empty(new)
    assert len(reached) == 3
    await move(db, new)
    assert await content(new) == await content(db)
    async with new.read() as tx:
        assert await unfinished(tx) is None


@BOTH_WAYS
async def test_a_database_with_rows_is_refused_and_stays_usable(db: Database, new: Database) -> None:
    await fill(db, 1)
    await new.migrate()
    async with new.begin() as tx:
        await saved_values.save(tx, "one", 1)
    with pytest.raises(MoveRefused, match=r"is not empty \(mark: 1\), and a move overwrites nothing"):
        await move(db, new)
    async with new.read() as tx:
        assert await unfinished(tx) is None
    with pytest.raises(MoveRefused, match="which is moved: name a new one"):
        await move(db, db)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
async def test_the_same_file_by_another_path_is_refused_at_once(
    db: Database, clock: Clock, link: str
) -> None:
    """Its write lock is ours, so that a move would wait for itself."""
    assert db.path is not None
    path = db.path.with_name("link.db")
    getattr(path, link)(db.path)
    other = Database(f"sqlite+aiosqlite:///{path}", clock=clock)
    with pytest.raises(MoveRefused, match="which is moved: name a new one"):
        await move(db, other)
    await other.close()


@BOTH_WAYS
async def test_a_second_move_of_the_same_changes_nothing(db: Database, new: Database) -> None:
    await fill(db, 1)
    await move(db, new)
    with pytest.raises(MoveRefused, match="is not empty"):
        await move(db, new)
    assert await content(new) == await content(db)
    async with new.read() as tx:
        assert await unfinished(tx) is None


@FROM_POSTGRESQL
async def test_a_worker_on_postgresql_is_noticed(db: Database, new: Database) -> None:
    async with listening(db):
        with pytest.raises(MoveRefused, match=r"uses the database at .*: stop all its processes"):
            await move(db, new)
    assert await new.revision() is None
    await move(db, new)


@BOTH_WAYS
async def test_nobody_writes_to_the_old_database_while_it_is_moved(
    db: Database, new: Database, database_url: str, clock: Clock
) -> None:
    other = Database(database_url, clock=clock)
    writing: list[asyncio.Task[None]] = []

    async def write() -> None:
        async with other.begin() as tx:
            await saved_values.save(tx, "late", 1)

    def begin(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO mark") and not writing:
            writing.append(asyncio.get_running_loop().create_task(write()))

    sa.event.listen(new._engines.write.sync_engine, "before_cursor_execute", begin)
    await fill(db, 1)
    await move(db, new)
    await writing[0]
    async with db.read() as tx:
        assert await saved_values.load(tx, "late") == 1
    async with new.read() as tx:
        assert await saved_values.load(tx, "late") is None
    await other.close()


@BOTH_WAYS
async def test_an_audit_log_that_did_not_verify_before_is_moved_as_it_is(db: Database, new: Database) -> None:
    await fill(db, 1)
    await tamper(db, "UPDATE audit SET reason = 'other' WHERE seq = 2")
    moved = await move(db, new)
    assert (moved.audit.ok, moved.audit.rows) == (False, 1)
    assert (await content(new))["audit"] == (await content(db))["audit"]


@TO_POSTGRESQL
async def test_an_audit_log_that_changes_on_the_way_is_not_moved(db: Database, new: Database) -> None:
    """Stanch stores no NUL; with one, a row's hash no longer fits where PostgreSQL leaves it out."""
    await fill(db, 1)
    await tamper(db, "UPDATE audit SET reason = 'x' || char(0) || 'y' WHERE seq = 3")
    async with db.read() as tx:
        [last] = [row async for row in audit.rows(tx) if row.seq == 3]
    right = audit.chain_hash(b"k" * 32, last)
    async with db.begin() as tx:
        await tx.conn.execute(sa.text("UPDATE audit SET hash = :right WHERE seq = 3"), {"right": right})
        assert (await audit.verify(tx)).ok
    with pytest.raises(MoveRefused, match=r"The audit log did not arrive as it is \(Row 3 was altered"):
        await move(db, new)
    assert await is_empty(new)


@TO_POSTGRESQL
async def test_a_row_that_is_not_taken_is_named(db: Database, new: Database) -> None:
    await fill(db, 1)
    with closing(sqlite3.connect(str(db.path))) as raw, raw:
        raw.execute("UPDATE delivery SET body = '[NaN]'")
    with pytest.raises(
        MoveRefused, match=r"does not take a row of the table delivery: .*invalid input syntax"
    ):
        await move(db, new)
    assert await is_empty(new)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_database_that_can_not_be_reached_is_named(
    db: Database, clock: Clock, unused_port: int
) -> None:
    away = Database(f"postgresql+asyncpg://stanch@127.0.0.1:{unused_port}/stanch", clock=clock)
    with pytest.raises(StorageUnavailable, match=rf"127.0.0.1:{unused_port}/stanch can't be reached"):
        await move(db, away)
    await away.close()
