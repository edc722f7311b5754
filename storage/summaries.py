"""Cards that have no message of their own, because a summary in their channel stands for them."""

import sqlalchemy as sa

from storage.db import Tx
from storage.records import AlertState, ChannelId, MessageKey, MessagePurpose, MessageState, Share, UnixTime
from storage.tables import alert, channel_pace, message, repository

FLOOD = "flood:"
"""How the subject of a summary of many alerts at once begins."""


async def lock_channel(tx: Tx, channel: ChannelId) -> None:
    """Let nobody else plan for this channel until the transaction ends."""
    query = tx.insert(channel_pace).values(channel=channel, next_at=0.0)
    same = {"next_at": channel_pace.c.next_at}
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[channel_pace.c.channel], set_=same))


async def count_new_cards(tx: Tx, channel: ChannelId, since: UnixTime) -> int:
    """How many cards a channel was to get since then: on their own, or in a flood's summary."""
    summary = message.alias("summary")
    query = sa.select(sa.func.count()).select_from(
        message.outerjoin(summary, summary.c.key == message.c.folded_into)
    )
    in_flood = sa.or_(message.c.folded_into.is_(None), summary.c.subject.startswith(FLOOD))
    return (await tx.conn.execute(query.where(*_cards_since(channel, since), in_flood))).scalar_one()


async def running_flood(tx: Tx, channel: ChannelId, since: UnixTime) -> MessageKey | None:
    """The flood's summary into which a card of this channel was folded since then, if there is one."""
    summary = message.alias("summary")
    query = sa.select(summary.c.key).join(message, message.c.folded_into == summary.c.key)
    query = query.where(*_cards_since(channel, since), summary.c.subject.startswith(FLOOD))
    found: str | None = await tx.conn.scalar(query.order_by(summary.c.created_at.desc()).limit(1))
    return None if found is None else MessageKey(found)


async def fold_waiting(tx: Tx, channel: ChannelId, since: UnixTime, summary: MessageKey) -> None:
    """Let a summary stand for the cards planned since then that have not been sent."""
    waiting = message.c.state.in_((MessageState.PLANNED, MessageState.BLOCKED))
    query = sa.update(message).where(*_cards_since(channel, since), waiting)
    await tx.conn.execute(query.values(state=MessageState.FOLDED, folded_into=summary, slot_at=None))


async def unposted(tx: Tx, subject: str) -> list[MessageKey]:
    """The summaries of that subject, one for each channel, that nobody has asked Slack to show yet."""
    query = sa.select(message.c.key).where(
        message.c.purpose == MessagePurpose.SUMMARY,
        message.c.subject == subject,
        message.c.state == MessageState.PLANNED,
    )
    return [MessageKey(key) for key in await tx.conn.scalars(query)]


async def shares(tx: Tx, summary: MessageKey) -> list[Share]:
    """What a summary stands for, by repository, state and validity; the most first."""
    number = sa.func.count().label("number")
    columns = (repository.c.full_name, repository.c.owner_login, alert.c.state, alert.c.validity)
    same = sa.and_(alert.c.repository_id == message.c.repository_id, alert.c.number == message.c.alert_number)
    query = sa.select(*columns, number).select_from(message).join(alert, same)
    query = query.join(repository, repository.c.id == alert.c.repository_id)
    query = query.where(message.c.folded_into == summary).group_by(*columns)
    rows = await tx.conn.execute(query.order_by(number.desc(), repository.c.full_name))
    return [Share(name, owner, AlertState(state), validity, n) for name, owner, state, validity, n in rows]


def _cards_since(channel: ChannelId, since: UnixTime) -> tuple[sa.ColumnElement[bool], ...]:
    is_card = message.c.purpose == MessagePurpose.CARD
    return message.c.channel == channel, is_card, message.c.created_at > since
