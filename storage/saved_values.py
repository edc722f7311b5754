"""How far a repeated task has come: small values by name."""

import sqlalchemy as sa

from storage.db import Tx
from storage.records import StoredJson, UnixTime
from storage.tables import mark


async def prune_times(tx: Tx, prefix: str, before: UnixTime) -> None:
    """Forget the marks whose names begin so and whose values are times before then."""
    query = sa.select(mark.c.key, mark.c.value).where(mark.c.key.startswith(prefix, autoescape=True))
    rows = (await tx.conn.execute(query)).all()
    old = [row.key for row in rows if isinstance(row.value, int | float) and row.value < before]
    if old:
        await tx.conn.execute(sa.delete(mark).where(mark.c.key.in_(old)))


async def load(tx: Tx, key: str) -> StoredJson:
    """The value of that name, or None."""
    value: StoredJson = await tx.conn.scalar(sa.select(mark.c.value).where(mark.c.key == key))
    return value


async def save(tx: Tx, key: str, value: StoredJson) -> None:
    """Set the value of that name."""
    query = tx.insert(mark).values(key=key, value=value)
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[mark.c.key], set_={"value": value}))


async def keep(tx: Tx, key: str, value: StoredJson) -> StoredJson:
    """Set the value of that name unless it has one; returns the value that it has now."""
    query = tx.insert(mark).values(key=key, value=value)
    await tx.conn.execute(query.on_conflict_do_nothing(index_elements=[mark.c.key]))
    return await load(tx, key)
