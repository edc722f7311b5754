"""GitHub's deliveries, stored without any secret."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import Delivery, UnixTime
from storage.tables import delivery


async def insert(tx: Tx, arrived: Sequence[Delivery]) -> set[str]:
    """Store deliveries; returns the guids of those that were new."""
    if not arrived:
        return set()
    query = tx.insert(delivery).on_conflict_do_nothing(index_elements=[delivery.c.guid])
    new = [rows.values(one, delivery) for one in arrived]
    return set(await tx.conn.scalars(query.returning(delivery.c.guid), new))


async def load(tx: Tx, guid: str) -> Delivery | None:
    """The delivery of that guid, or None."""
    return await rows.find(tx, delivery, lambda columns: Delivery(**columns), guid=guid)


async def load_all(tx: Tx, guids: Collection[str]) -> dict[str, Delivery]:
    """The stored deliveries of these guids."""
    query = sa.select(delivery).where(delivery.c.guid.in_(guids))
    found = await rows.listed(tx, query, lambda columns: Delivery(**columns))
    return {one.guid: one for one in found}


_ONE = sa.update(delivery).where(delivery.c.guid == sa.bindparam("of_guid"))


async def finish(tx: Tx, guid: str, outcome: str) -> None:
    """Store the outcome of a delivery."""
    await tx.conn.execute(_ONE, {"of_guid": guid, "outcome": outcome})


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete deliveries that have an outcome and were received before then; returns how many."""
    old = sa.and_(delivery.c.received_at < before, delivery.c.outcome.is_not(None))
    return (await tx.conn.execute(sa.delete(delivery).where(old))).rowcount
