"""Subscriptions: which channel gets which alerts."""

from typing import Any

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import ChannelId, Subscription
from storage.tables import subscription


async def add(tx: Tx, new: Subscription) -> None:
    """Store a channel's subscription, or replace the one that it has."""
    await rows.overwrite(tx, subscription, _values(tx, new))


async def change(tx: Tx, before: Subscription | None, after: Subscription) -> bool:
    """Store `after` in the place of `before`, which is None for a channel without a subscription.

    Returns False if somebody else has changed the channel's subscription since `before` was loaded.
    """
    if before is None:
        query = tx.insert(subscription).values(_values(tx, after))
        query = query.on_conflict_do_nothing(index_elements=[subscription.c.channel])
        return (await tx.conn.execute(query)).rowcount == 1
    update = sa.update(subscription).where(*_same(before)).values(_values(tx, after))
    return (await tx.conn.execute(update)).rowcount == 1


async def remove(tx: Tx, channel: ChannelId) -> bool:
    """Delete a channel's subscription; False if it has none."""
    query = sa.delete(subscription).where(subscription.c.channel == channel)
    return (await tx.conn.execute(query)).rowcount == 1


async def remove_unchanged(tx: Tx, known: Subscription) -> bool:
    """Delete a subscription; False if somebody else has changed it since it was loaded."""
    return (await tx.conn.execute(sa.delete(subscription).where(*_same(known)))).rowcount == 1


_ALL = sa.select(subscription).order_by(subscription.c.created_at, subscription.c.channel)


async def all_subscriptions(tx: Tx) -> list[Subscription]:
    """All subscriptions, oldest first."""
    return await rows.listed(tx, _ALL, _record)


async def of_channel(tx: Tx, channel: ChannelId) -> Subscription | None:
    """A channel's subscription, or None."""
    return await rows.find(tx, subscription, _record, channel=channel)


def _same(known: Subscription) -> tuple[sa.ColumnElement[bool], ...]:
    """That the row is still the loaded one. Version 0.1.0 changes the filter and the time, and not `changed_at`."""
    return (
        subscription.c.channel == known.channel,
        subscription.c.filter == known.filter,
        subscription.c.created_at == known.created_at,
        subscription.c.changed_at.is_not_distinct_from(known.changed_at),
    )


def _values(tx: Tx, new: Subscription) -> dict[str, Any]:
    return {**rows.values(new, subscription), "created_at": new.created_at or tx.now}


def _record(columns: rows.Columns) -> Subscription:
    return rows.build(Subscription, columns, pinned=columns["pinned"] or {})
