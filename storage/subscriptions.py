"""Subscriptions: which channel gets which alerts."""

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import ChannelId, Subscription
from storage.tables import subscription


async def add(tx: Tx, new: Subscription) -> None:
    """Store a channel's subscription, or replace the one that it has."""
    row = {**rows.values(new, subscription), "created_at": new.created_at or tx.now}
    await rows.overwrite(tx, subscription, row)


async def remove(tx: Tx, channel: ChannelId) -> bool:
    """Delete a channel's subscription; False if it has none."""
    query = sa.delete(subscription).where(subscription.c.channel == channel)
    return (await tx.conn.execute(query)).rowcount == 1


async def all_subscriptions(tx: Tx) -> list[Subscription]:
    """All subscriptions, oldest first."""
    query = sa.select(subscription).order_by(subscription.c.created_at, subscription.c.channel)
    return await rows.listed(tx, query, _record)


async def of_channel(tx: Tx, channel: ChannelId) -> Subscription | None:
    """A channel's subscription, or None."""
    query = sa.select(subscription).where(subscription.c.channel == channel)
    return await rows.one(tx, query, _record)


def _record(columns: rows.Columns) -> Subscription:
    return rows.build(Subscription, columns)
