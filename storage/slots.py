"""Lets urgent messages overtake others in the pace of their channel."""

from collections.abc import Collection

import sqlalchemy as sa

from storage.db import Tx
from storage.records import ChannelId, MessagePurpose, MessageState, UnixTime
from storage.tables import message

PLANNED_WITHIN = 600.0
"""Seconds in which a card was planned that can be overtaken."""


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
