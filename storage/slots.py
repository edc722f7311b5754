"""The pace of posts in each channel, and of probes: slots, in which urgent messages overtake others."""

from collections.abc import Collection
from functools import cache

import sqlalchemy as sa

from storage.db import Tx, insert_into
from storage.engines import Dialect
from storage.records import ChannelId, MessagePurpose, MessageState, UnixTime
from storage.tables import channel_pace, message

PLANNED_WITHIN = 600.0
"""Seconds in which a card was planned that can be overtaken."""


async def reserve(tx: Tx, channel: str, interval: float, *, since: UnixTime | None = None) -> UnixTime:
    """Take the channel's next slot for a post, from now or `since` on; returns its time.

    Slots are `interval` seconds apart. One statement, so that simultaneous callers, also on other machines, get
    different slots.
    """
    wanted = {"channel": channel, "since": tx.now if since is None else since, "interval": interval}
    following: float = (await tx.conn.execute(_reserve(tx.dialect), wanted)).scalar_one()
    return following - interval


@cache
def _reserve(dialect: Dialect) -> sa.Executable:
    """Built once, since that takes longer than SQLite needs to run it."""
    next_at = channel_pace.c.next_at
    since, interval = (sa.bindparam(name, type_=sa.Double) for name in ("since", "interval"))
    slot = sa.case((next_at > since, next_at), else_=since)
    query = insert_into(dialect, channel_pace).values(next_at=since + interval)
    unique = [channel_pace.c.channel]
    query = query.on_conflict_do_update(index_elements=unique, set_={"next_at": slot + interval})
    return query.returning(next_at)


async def pause_channel(tx: Tx, channel: str, until: UnixTime) -> None:
    """Give no slot before `until`, and take back those that messages have: Slack asked to wait."""
    next_at = channel_pace.c.next_at
    later = sa.case((next_at > until, next_at), else_=sa.literal(until, sa.Double))
    query = tx.insert(channel_pace).values(channel=channel, next_at=until)
    unique = [channel_pace.c.channel]
    await tx.conn.execute(query.on_conflict_do_update(index_elements=unique, set_={"next_at": later}))
    left = sa.and_(message.c.state == MessageState.FOLDED, message.c.slot_at > tx.now)
    waits = sa.or_(message.c.state == MessageState.PLANNED, left)
    await tx.conn.execute(sa.update(message).where(message.c.channel == channel, waits).values(slot_at=None))


async def take_earlier(tx: Tx, channel: ChannelId, slot: UnixTime, *, urgent: Collection[str]) -> UnixTime:
    """Exchange a slot for the earliest one of a card that can wait; returns that, or `slot` if there is none.

    A card can wait if its urgency is not one of `urgent`, or if it was folded into a summary and needs no slot. It
    gets `slot` instead. Simultaneous callers exchange with different cards.
    """
    ordinary = sa.and_(
        message.c.state == MessageState.PLANNED, ~sa.func.coalesce(message.c.urgency.in_(urgent), sa.false())
    )
    can_wait = sa.and_(
        message.c.channel == channel,
        message.c.created_at > tx.now - PLANNED_WITHIN,
        message.c.purpose == MessagePurpose.CARD,
        sa.or_(message.c.state == MessageState.FOLDED, ordinary),
        message.c.slot_at > tx.now,
        message.c.slot_at < slot,
    )
    first = sa.select(message.c.key, message.c.slot_at).where(can_wait).order_by(message.c.slot_at).limit(1)
    found = (await tx.conn.execute(first.with_for_update(skip_locked=True))).one_or_none()
    if found is None:
        return slot
    await tx.conn.execute(sa.update(message).where(message.c.key == found.key).values(slot_at=slot))
    earlier: UnixTime = found.slot_at
    return earlier


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete the pace of channels whose next slot was before then; returns how many."""
    query = sa.delete(channel_pace).where(channel_pace.c.next_at < before)
    return (await tx.conn.execute(query)).rowcount
