"""GitHub's deliveries, stored without any secret."""

from collections.abc import Sequence

import sqlalchemy as sa

from storage.db import Tx
from storage.records import Delivery, UnixTime
from storage.tables import delivery


async def insert(tx: Tx, arrived: Sequence[Delivery]) -> set[str]:
    """Store deliveries; returns the guids of those that were new."""
    if not arrived:
        return set()
    query = tx.insert(delivery).on_conflict_do_nothing(index_elements=[delivery.c.guid])
    rows = [values(one) for one in arrived]
    return set(await tx.conn.scalars(query.returning(delivery.c.guid), rows))


def values(arrived: Delivery) -> dict[str, object]:
    """The columns of a delivery's row."""
    return {
        "guid": arrived.guid,
        "event": arrived.event,
        "action": arrived.action,
        "body": arrived.body,
        "received_at": arrived.received_at,
        "outcome": arrived.outcome,
    }


async def load(tx: Tx, guid: str) -> Delivery | None:
    """The delivery of that guid, or None."""
    row = (await tx.conn.execute(sa.select(delivery).where(delivery.c.guid == guid))).one_or_none()
    return None if row is None else Delivery(**row._mapping)


async def finish(tx: Tx, guid: str, outcome: str) -> None:
    """Store the outcome of a delivery."""
    await tx.conn.execute(sa.update(delivery).where(delivery.c.guid == guid).values(outcome=outcome))


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete deliveries that have an outcome and were received before then; returns how many."""
    old = sa.and_(delivery.c.received_at < before, delivery.c.outcome.is_not(None))
    return (await tx.conn.execute(sa.delete(delivery).where(old))).rowcount
