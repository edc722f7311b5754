"""Summaries, and the folded cards for which they stand in a channel."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage import alerts, repositories, rows
from storage.db import Tx
from storage.records import (
    Alert,
    AlertState,
    ChannelId,
    MessageKey,
    MessagePurpose,
    MessageState,
    Repository,
    SummaryGroup,
    UnixTime,
)
from storage.tables import alert, channel_pace, message, repository

FLOOD = "flood:"
"""How the subject of a flood's summary begins."""
GROWTH = "urgent:"
"""How the subject of a reply begins that reports new urgent alerts in a summary; the summary's key follows."""

SENT_WITHIN = 300.0
"""Seconds within which nearly all cards are sent after they were planned, however many wait for their channel."""
BLOCKED = "blocked:"
"""How the subject of the message begins that counts the alerts of a blocked channel."""


@dataclass(frozen=True, slots=True)
class NewCards:
    """The newest cards planned for a channel, alone or in a flood's summary."""

    ordinary: int
    urgent: int
    flood: MessageKey | None
    """The newest summary of a flood that stands for one of them."""


async def lock_channel(tx: Tx, channel: ChannelId) -> None:
    """Lock the channel, so that no other transaction plans for it until this one ends."""
    query = tx.insert(channel_pace).values(channel=channel, next_at=0.0)
    same = {"next_at": channel_pace.c.next_at}
    await tx.conn.execute(query.on_conflict_do_update(index_elements=[channel_pace.c.channel], set_=same))


def _cards_since(channel: object, since: object) -> tuple[sa.ColumnElement[bool], ...]:
    """Which messages are cards planned for a channel since then; both may be parameters of a statement."""
    is_card = message.c.purpose == MessagePurpose.CARD
    return message.c.channel == channel, is_card, message.c.created_at > since


_SUMMARY = message.alias("summary")
# Built once, since that takes longer than SQLite needs to run it.
_NEWEST = (
    sa.select(message.c.urgency, message.c.folded_into, _SUMMARY.c.created_at)
    .outerjoin_from(message, _SUMMARY, _SUMMARY.c.key == message.c.folded_into)
    .where(*_cards_since(sa.bindparam("of_channel"), sa.bindparam("since")))
    .where(sa.or_(message.c.folded_into.is_(None), _SUMMARY.c.subject.startswith(FLOOD)))
    .order_by(message.c.created_at.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def newest_cards(
    tx: Tx, channel: ChannelId, since: UnixTime, *, urgent: Collection[str], limit: int
) -> NewCards:
    """Up to `limit` cards planned for a channel since then, the newest ones.

    `urgent` are the urgencies that count as urgent. A flood may bring thousands of cards within a minute, and this is
    asked for each.
    """
    found = (await tx.conn.execute(_NEWEST, {"of_channel": channel, "since": since, "most": limit})).all()
    urgent_cards = sum(row.urgency in urgent for row in found)
    floods = {row.folded_into: row.created_at for row in found if row.folded_into is not None}
    flood = max(floods, key=floods.__getitem__) if floods else None
    return NewCards(len(found) - urgent_cards, urgent_cards, flood)


async def count_alone(tx: Tx, channel: ChannelId, since: UnixTime, urgencies: Collection[str]) -> int:
    """The number of cards of these urgencies in no summary that were sent to a channel since then, or will be.

    A card is sent some time after it was planned, and is not looked for here after `SENT_WITHIN` seconds.
    """
    alone = sa.and_(*_cards_since(channel, since - SENT_WITHIN), message.c.folded_into.is_(None))
    is_counted = sa.or_(message.c.posting_since.is_(None), message.c.posting_since > since)
    query = sa.select(sa.func.count()).where(alone, is_counted, message.c.urgency.in_(urgencies))
    return (await tx.conn.execute(query)).scalar_one()


async def running_flood(tx: Tx, channel: ChannelId, since: UnixTime) -> MessageKey | None:
    """The flood's summary that stands for a card planned for this channel since then, or None."""
    summary = message.alias("summary")
    query = sa.select(summary.c.key).join(message, message.c.folded_into == summary.c.key)
    query = query.where(*_cards_since(channel, since), summary.c.subject.startswith(FLOOD))
    found: MessageKey | None = await tx.conn.scalar(query.order_by(summary.c.created_at.desc()).limit(1))
    return found


async def fold_waiting(
    tx: Tx, channel: ChannelId, since: UnixTime, summary: MessageKey, *, urgent: Sequence[str], keep: int
) -> None:
    """Fold the cards planned since then and not sent yet into a summary, except `keep` urgent ones.

    `urgent` has the most urgent first. Urgent cards that were sent count among the `keep`.
    """
    is_urgent = sa.func.coalesce(message.c.urgency.in_(urgent), sa.false())
    alone = sa.and_(*_cards_since(channel, since), message.c.folded_into.is_(None))
    await _fold(tx, sa.and_(alone, _UNSENT, ~is_urgent), summary)
    rank = sa.case({level: rank for rank, level in enumerate(urgent)}, value=message.c.urgency)
    order = (sa.case((_UNSENT, 1), else_=0), rank, message.c.created_at)
    kept = list(await tx.conn.scalars(sa.select(message.c.key).where(alone, is_urgent).order_by(*order)))
    if len(kept) > keep:
        await _fold(tx, sa.and_(_UNSENT, message.c.key.in_(kept[keep:])), summary)


async def fold_one_waiting(
    tx: Tx, channel: ChannelId, since: UnixTime, summary: MessageKey, urgency: str
) -> bool:
    """Fold the newest card of that urgency that is not sent yet into a summary; False if there is none."""
    one = sa.select(message.c.key).where(*_cards_since(channel, since), message.c.folded_into.is_(None))
    one = one.where(_UNSENT, message.c.urgency == urgency).order_by(message.c.created_at.desc()).limit(1)
    key: str | None = await tx.conn.scalar(one)
    return key is not None and await _fold(tx, sa.and_(_UNSENT, message.c.key == key), summary) == 1


async def at_risk(tx: Tx, summary: MessageKey) -> list[tuple[Alert, Repository, UnixTime]]:
    """The open alerts in a summary that may be urgent, each with its repository and when its card was planned."""
    query = sa.select(alert, message.c.created_at.label("folded_at")).select_from(message).join(alert)
    query = query.join(repository, repository.c.id == alert.c.repository_id)
    signs = (alert.c.bypassed, alert.c.publicly_leaked, alert.c.multi_repo)
    works = sa.or_(alert.c.validity == "active", alert.c.probe.is_not(None))
    risk = sa.or_(works, repository.c.visibility == "public", *(sign.is_(True) for sign in signs))
    query = query.where(message.c.folded_into == summary, alert.c.state == AlertState.OPEN, risk)
    found = await rows.listed(tx, query, lambda columns: (alerts.record(columns), columns["folded_at"]))
    by_id = await repositories.load_all(tx, {one.key.repository_id for one, _ in found})
    return [(one, by_id[one.key.repository_id], folded_at) for one, folded_at in found]


async def running_line(tx: Tx, default: ChannelId, channel: ChannelId, since: UnixTime) -> MessageKey | None:
    """The message in the default channel that counts a blocked channel's alerts since then, or None."""
    query = sa.select(message.c.key).where(
        message.c.channel == default,
        message.c.purpose == MessagePurpose.SUMMARY,
        message.c.subject.startswith(f"{BLOCKED}{channel}:"),
        message.c.created_at > since,
        message.c.state != MessageState.DROPPED,
    )
    found: MessageKey | None = await tx.conn.scalar(query.order_by(message.c.created_at.desc()).limit(1))
    return found


async def unposted(tx: Tx, subject: str) -> list[MessageKey]:
    """The summaries of that subject, one for each channel, that are not sent yet."""
    query = sa.select(message.c.key).where(
        message.c.purpose == MessagePurpose.SUMMARY,
        message.c.subject == subject,
        message.c.state == MessageState.PLANNED,
    )
    return [MessageKey(key) for key in await tx.conn.scalars(query)]


async def groups(tx: Tx, summary: MessageKey) -> list[SummaryGroup]:
    """The alerts of a summary, counted by repository, state and validity; the greatest number first."""
    return await _groups(tx, message.c.folded_into == summary)


async def groups_of_blocked(tx: Tx, channel: ChannelId, default: ChannelId) -> list[SummaryGroup]:
    """The alerts of a channel's blocked summaries, without those with a card in the default channel."""
    summary, shown = message.alias("summary"), message.alias("shown")
    is_blocked = sa.exists().where(
        summary.c.key == message.c.folded_into,
        summary.c.channel == channel,
        summary.c.state == MessageState.BLOCKED,
    )
    is_shown = sa.exists().where(
        shown.c.channel == default,
        shown.c.purpose == MessagePurpose.CARD,
        shown.c.subject == message.c.subject,
    )
    return await _groups(tx, sa.and_(message.c.channel == channel, is_blocked, ~is_shown))


async def _groups(tx: Tx, wanted: sa.ColumnElement[bool]) -> list[SummaryGroup]:
    number = sa.func.count().label("number")
    columns = (repository.c.full_name, repository.c.owner_login, alert.c.state, alert.c.validity)
    query = sa.select(*columns, number).select_from(message).join(alert)
    query = query.join(repository, repository.c.id == alert.c.repository_id)
    query = query.where(wanted).group_by(*columns)
    found = await tx.conn.execute(query.order_by(number.desc(), repository.c.full_name))
    return [SummaryGroup(row[0], row[1], AlertState(row[2]), row[3], row[4]) for row in found]


_UNSENT = message.c.state.in_((MessageState.PLANNED, MessageState.BLOCKED))
"""Not sent yet, so that it can still be folded."""


async def _fold(tx: Tx, which: sa.ColumnElement[bool], summary: MessageKey) -> int:
    # A folded card keeps its slot: another message may take it (`slots.take_earlier`).
    folded = {"state": MessageState.FOLDED, "folded_into": summary}
    return (await tx.conn.execute(sa.update(message).where(which).values(folded))).rowcount
