"""Small named values in the table `mark`: how far a repeated task has come, and what must survive a restart."""

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import StoredJson, UnixTime
from storage.tables import saved_value

_VALUE = sa.select(saved_value.c.value).where(saved_value.c.key == sa.bindparam("name"))


async def load(tx: Tx, name: str) -> StoredJson:
    """The value of that name, or None."""
    value: StoredJson = await tx.conn.scalar(_VALUE, {"name": name})
    return value


async def save(tx: Tx, name: str, value: StoredJson) -> None:
    """Store a value, or overwrite the value of the same name."""
    await rows.overwrite(tx, saved_value, {"key": name, "value": value})


async def drop(tx: Tx, name: str) -> None:
    """Delete the value of that name, if there is one."""
    await tx.conn.execute(sa.delete(saved_value).where(saved_value.c.key == name))


async def keep(tx: Tx, name: str, value: StoredJson) -> StoredJson:
    """Store a value unless there is one of that name; returns the stored value."""
    query = tx.insert(saved_value).values(key=name, value=value)
    await tx.conn.execute(query.on_conflict_do_nothing(index_elements=[saved_value.c.key]))
    return await load(tx, name)


async def lock(tx: Tx, name: str) -> StoredJson:
    """The value of that name, or None; other transactions can't lock or change it until this one ends."""
    query = tx.insert(saved_value).values(key=name, value=None)
    await tx.conn.execute(query.on_conflict_do_nothing(index_elements=[saved_value.c.key]))
    same = sa.select(saved_value.c.value).where(saved_value.c.key == name)
    value: StoredJson = await tx.conn.scalar(same.with_for_update())
    return value


async def prune_times(tx: Tx, prefix: str, before: UnixTime) -> None:
    """Delete the values whose names start with `prefix` and that are times before then."""
    starts = saved_value.c.key.startswith(prefix, autoescape=True)
    found = await tx.conn.execute(sa.select(saved_value).where(starts))
    old = [row.key for row in found if isinstance(row.value, int | float) and row.value < before]
    if old:
        await tx.conn.execute(sa.delete(saved_value).where(saved_value.c.key.in_(old)))
