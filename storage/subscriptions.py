"""Subscriptions: which channel gets which alerts."""

import sqlalchemy as sa

from storage.db import Row, Tx
from storage.records import ChannelId, Subscription, ThreadLevel
from storage.tables import subscription


async def add(tx: Tx, new: Subscription) -> None:
    """Store a channel's subscription, or replace the one that it has."""
    values = {"filter": new.filter, "thread": new.thread, "created_at": new.created_at or tx.now}
    query = tx.insert(subscription).values(channel=new.channel, **values)
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[subscription.c.channel], set_=values))


async def remove(tx: Tx, channel: ChannelId) -> bool:
    """Delete a channel's subscription; False if it has none."""
    query = sa.delete(subscription).where(subscription.c.channel == channel)
    return (await tx.conn.execute(query)).rowcount == 1


async def all_subscriptions(tx: Tx) -> list[Subscription]:
    """All subscriptions, oldest first."""
    query = sa.select(subscription).order_by(subscription.c.created_at, subscription.c.channel)
    return [_record(row) for row in await tx.conn.execute(query)]


async def of_channel(tx: Tx, channel: ChannelId) -> Subscription | None:
    """A channel's subscription, or None."""
    query = sa.select(subscription).where(subscription.c.channel == channel)
    row = (await tx.conn.execute(query)).one_or_none()
    return None if row is None else _record(row)


def _record(row: Row) -> Subscription:
    return Subscription(ChannelId(row.channel), row.filter, ThreadLevel(row.thread), row.created_at)
