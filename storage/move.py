"""Moves everything from one database into another, empty one, in one transaction."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage import audit, saved_values
from storage.db import Database, Tx
from storage.job_listener import has_listener
from storage.tables import METADATA, saved_value

MOVING_FROM = "moving_from"
"""The saved value of a database whose filling has begun and not ended: the name of the database that is moved."""
_LOCK = 5_283_127_014_411_917_303
"""The number of PostgreSQL's advisory lock under which one process at a time fills a database."""
_BATCH = 500
"""Rows that are read and inserted at once."""
_TRIES = 20
_PAUSE = 0.5
"""Seconds between two tries to lock the new database: a killed process holds the lock for a moment."""


class MoveRefused(Exception):
    """Nothing was moved; `str()` is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What a move has copied."""

    rows: Mapping[str, int]
    """The number of rows by table."""
    audit: audit.Verification
    """The result of checking the audit log in the new database; it is the same in the old one."""


async def move(source: Database, target: Database) -> MoveResult:
    """Copy all rows of a migrated database; nothing changes in `source`, and nobody else can write to it meanwhile.

    If the move ends early, `target` is empty but for the saved value MOVING_FROM, and the next move starts over.
    Raises MoveRefused, also if a worker uses `source` on PostgreSQL, and StorageUnavailable.
    """
    if _is_same(source, target):
        raise MoveRefused(
            f"DATABASE_URL_NEW names the database at {source.name}, which is moved: name a new one."
        )
    async with source.begin() as old:
        await _keep_writers_out(source, old)
        await target.migrate()
        async with target.begin() as new:
            await _lock_empty(target, new)
            await saved_values.save(new, MOVING_FROM, source.name)
        async with target.begin() as new:
            await _lock_empty(target, new)
            for table in METADATA.sorted_tables:
                async for batch in _batches(source, old, table):
                    await _insert(target, new, table, batch)
            for table in METADATA.sorted_tables:
                if table.autoincrement_column is not None:
                    await _set_last_id(new, table, await _last_id(old, table))
            await saved_values.drop(new, MOVING_FROM)
            return MoveResult(await _same_counts(old, new), await _same_audit_log(old, new))


async def unfinished(tx: Tx) -> str | None:
    """The name of the database of which a move to this one has begun and not ended, or None."""
    name = await saved_values.load(tx, MOVING_FROM)
    return None if name is None else str(name)


def _is_same(source: Database, target: Database) -> bool:
    """Whether both are one database, for a file also by another path or a link."""
    if source.path is not None and target.path is not None and target.path.exists():
        return source.path.samefile(target.path)
    return source.name == target.name


async def _keep_writers_out(source: Database, old: Tx) -> None:
    """Let no other transaction change the rows until this one ends; a transaction of SQLite does so by itself."""
    if old.dialect == "sqlite":
        return
    if await has_listener(old):
        raise MoveRefused(
            f"A stanch serve uses the database at {source.name}: stop all its processes, and run this again."
        )
    names = ", ".join(f'"{table.name}"' for table in METADATA.sorted_tables)
    await old.conn.execute(sa.text(f"LOCK TABLE {names} IN SHARE MODE"))


async def _lock_empty(target: Database, new: Tx) -> None:
    """Wait until no other process fills the database; raises MoveRefused if it has any row then."""
    for _ in range(_TRIES):
        if new.dialect == "sqlite" or await new.conn.scalar(
            sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))
        ):
            break
        await target.clock.sleep(_PAUSE)
    else:
        raise MoveRefused(f"Another process moves a database to the one at {target.name}: let it end.")
    for table in METADATA.sorted_tables:
        query = sa.select(sa.func.count()).select_from(table)
        if table is saved_value:
            query = query.where(saved_value.c.key != MOVING_FROM)
        count = await new.conn.scalar(query)
        if count:
            raise MoveRefused(
                f"The database at {target.name} is not empty ({table.name}: {count}), and a move overwrites nothing: "
                "name a new one."
            )


async def _batches(source: Database, old: Tx, table: sa.Table) -> AsyncIterator[list[dict[str, Any]]]:
    # Its own `failures`, so that an error of this database is not taken for one of the other.
    with source.failures():
        query = sa.select(table).order_by(*table.primary_key)
        async with old.conn.stream(query.execution_options(yield_per=_BATCH)) as result:
            async for rows in result.partitions():
                yield [row._asdict() for row in rows]


async def _insert(target: Database, new: Tx, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    try:
        with target.failures():
            await new.conn.execute(sa.insert(table), rows)
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).splitlines()[0].rstrip(".")
        raise MoveRefused(
            f"The database at {target.name} does not take a row of the table {table.name}: {reason}."
        ) from None


async def _last_id(tx: Tx, table: sa.Table) -> int:
    """The last id that the database has given, also to a row that is deleted; 0 if it has given none.

    An id is never given again: an alert names the job that has claimed it.
    """
    if tx.dialect == "sqlite":
        query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return await tx.conn.scalar(query, {"name": table.name}) or 0
    query = sa.text("SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, 'id') AS regclass))")
    return await tx.conn.scalar(query, {"name": table.name}) or 0


async def _set_last_id(tx: Tx, table: sa.Table, last: int) -> None:
    if last == 0:
        return
    if tx.dialect == "postgresql":
        query = sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
        await tx.conn.execute(query, {"name": table.name, "last": last})
        return
    # SQLite's docs, "Autoincrement": the table may be changed like any other. A row comes with the first insert.
    await tx.conn.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    query = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
    await tx.conn.execute(query, {"name": table.name, "last": last})


async def _same_counts(old: Tx, new: Tx) -> Mapping[str, int]:
    counts = {}
    for table in METADATA.sorted_tables:
        query = sa.select(sa.func.count()).select_from(table)
        before, after = await old.conn.scalar(query), await new.conn.scalar(query)
        if before != after:
            raise MoveRefused(
                f"The table {table.name} has {before} rows, and {after} arrived: nothing was moved."
            )
        counts[table.name] = after or 0
    return counts


async def _same_audit_log(old: Tx, new: Tx) -> audit.Verification:
    """Check both audit logs; one that did not verify before may be moved, but not differ."""
    before, after = await audit.verify(old), await audit.verify(new)
    if before != after or await audit.last_hash(old) != await audit.last_hash(new):
        raise MoveRefused(
            f"The audit log did not arrive as it is ({after.problem or 'another head'}): nothing was moved."
        )
    return after
