"""Stanch's messages in channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from storage import alerts, leases, repositories, rows
from storage.columns import StorableText
from storage.db import Row, Tx
from storage.records import (
    Alert,
    AlertKey,
    ChannelId,
    Job,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    MessageTs,
    Repository,
    RepositoryId,
    StoredJson,
    UnixTime,
)
from storage.tables import alert, job, message, repository, saved_value, subscription

UNCERTAIN = "uncertain: "
"""How the problem of a message begins that was dropped because it is not known whether Slack has it."""
_IS_BLOCKED = sa.and_(
    message.c.problem.is_not(None),
    message.c.state.in_((MessageState.BLOCKED, MessageState.POSTING, MessageState.POSTED)),
)


_OLDEST_FIRST = (message.c.created_at, message.c.key)
_SAVED_KEY = sa.bindparam("saved_about", type_=sa.Text).concat(message.c.channel)
_TO_DRAW = (
    sa.select(message, alert, repository, saved_value.c.value, subscription.c.mention)
    .select_from(message)
    .outerjoin(alert)
    .outerjoin(repository, repository.c.id == message.c.repository_id)
    .outerjoin(subscription, subscription.c.channel == message.c.channel)
    .outerjoin(saved_value, saved_value.c.key == _SAVED_KEY)
)
_TO_DRAW_ONE = _TO_DRAW.where(message.c.key == sa.bindparam("key"))
_POSTED_CARDS = (
    _TO_DRAW.where(message.c.purpose == MessagePurpose.CARD, message.c.state == MessageState.POSTED)
    .where(message.c.key > sa.bindparam("after"))
    .order_by(message.c.key)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


@dataclass(frozen=True, slots=True)
class MessageToDraw:
    """A message with the alert and the repository that it shows, loaded by one statement."""

    message: Message
    alert: Alert | None
    repository: Repository | None
    saved: StoredJson
    """The saved value of its channel, see `load_to_draw`."""
    mention: str | None = None
    """The user group that its channel mentions."""


async def plan(tx: Tx, new: Message) -> Message:
    """Store a message; returns it, or the stored message of the same purpose, channel and subject."""
    unique = [message.c.purpose, message.c.channel, message.c.subject]
    query = tx.insert(message).on_conflict_do_nothing(index_elements=unique)
    if (await tx.conn.execute(query, _values(new))).rowcount == 1:
        return new
    same = (column == getattr(new, column.name) for column in unique)
    return _record((await tx.conn.execute(sa.select(message).where(*same))).one()._asdict())


async def insert_all(tx: Tx, new: Sequence[Message]) -> None:
    """Store messages of alerts that were stored in this transaction."""
    await tx.conn.execute(tx.insert(message), [_values(one) for one in new])


async def load(tx: Tx, key: MessageKey) -> Message | None:
    """The message, or None."""
    return await rows.find(tx, message, _record, key=key)


async def load_to_draw(tx: Tx, key: MessageKey, *, saved_about: str) -> MessageToDraw | None:
    """The message with its alert, its repository, and the saved value named `saved_about` and the channel's id."""
    row = (await tx.conn.execute(_TO_DRAW_ONE, {"key": key, "saved_about": saved_about})).one_or_none()
    return None if row is None else _drawn(row)


async def posted_cards(tx: Tx, after: str, limit: int, *, saved_about: str) -> list[MessageToDraw]:
    """Up to `limit` posted cards in the order of their keys, from behind `after` on; `""` for the first page."""
    page = {"after": after, "most": limit, "saved_about": saved_about}
    return [_drawn(row) for row in await tx.conn.execute(_POSTED_CARDS, page)]


async def load_for_update(tx: Tx, key: MessageKey) -> Message | None:
    """The message, or None; other transactions can't change it until this one ends."""
    return await rows.find(tx, message, _record, lock=True, key=key)


async def change(tx: Tx, key: MessageKey, **fields: Any) -> Message | None:
    """Change only these fields of a message; returns the changed message, or None if there is none."""
    current = await load_for_update(tx, key)
    if current is None:
        return None
    changed = replace(current, **fields)
    await save(tx, changed)
    return changed


_UNLESS_CHANGED = sa.update(message).where(
    message.c.key == sa.bindparam("known_key"),
    message.c.state == sa.bindparam("known_state"),
    message.c.draw == sa.bindparam("known_draw"),
    message.c.slot_at.is_not_distinct_from(sa.bindparam("known_slot_at")),
    leases.HAS_LEASE,
)


async def change_unless_changed(tx: Tx, known: Message, run: Job, **fields: Any) -> bool:
    """Change these fields unless the message was drawn, sent or scheduled since `known` was loaded.

    Returns False in that case, and if the run has lost its lease. One conditional UPDATE: if two workers read first
    and wrote then, both would post.
    """
    as_known = {f"known_{name}": getattr(known, name) for name in ("key", "state", "draw", "slot_at")}
    values = {**as_known, **leases.run_values(run), **fields}
    return (await tx.conn.execute(_UNLESS_CHANGED, values)).rowcount == 1


_SAME_DRAW = message.c.draw == sa.bindparam("known_draw")
_DRAWN = (
    sa.update(message)
    .where(message.c.key == sa.bindparam("known_key"))
    .values(
        fingerprint=sa.case((_SAME_DRAW, sa.bindparam("drawn", type_=StorableText)), else_=sa.null()),
        draw=message.c.draw + 1,
    )
)
_KNOWN_RAISED_AT = sa.bindparam("known_raised_at", type_=sa.Double)
_DRAWN_AND_TOLD = _DRAWN.values(raised_at=sa.func.nullif(message.c.raised_at, _KNOWN_RAISED_AT))


async def record_draw(tx: Tx, known: Message, fingerprint: str | None, **fields: Any) -> None:
    """Record that Slack shows the draw made of `known`, and change these fields.

    The fingerprint is stored only if no other draw was requested since. `raised_at` is cleared only if the alert was
    not raised again since, and if `fields` has no problem.
    """
    values = {"known_key": known.key, "known_draw": known.draw, "drawn": fingerprint, **fields}
    if fields.get("problem") is None and known.raised_at is not None:
        await tx.conn.execute(_DRAWN_AND_TOLD, {**values, "known_raised_at": known.raised_at})
    else:
        await tx.conn.execute(_DRAWN, values)


async def save(tx: Tx, changed: Message) -> None:
    """Overwrite a message that was loaded by `load_for_update` in this transaction.

    Saving a message that was loaded earlier would undo later changes by others.
    """
    await tx.conn.execute(sa.update(message).where(message.c.key == changed.key), _values(changed))


async def find(tx: Tx, purpose: MessagePurpose, channel: ChannelId, subject: str) -> Message | None:
    """The message of that purpose, channel and subject, or None."""
    return await rows.find(tx, message, _record, purpose=purpose, channel=channel, subject=subject)


_OF_ALERT = (
    sa.select(message)
    .where(message.c.repository_id == sa.bindparam("repository_id"))
    .where(message.c.alert_number == sa.bindparam("number"))
    .order_by(*_OLDEST_FIRST)
)
_OF_ALERT_AND_PURPOSE = _OF_ALERT.where(message.c.purpose == sa.bindparam("purpose"))


async def of_alert(tx: Tx, key: AlertKey, purpose: MessagePurpose | None = None) -> list[Message]:
    """An alert's messages in all channels, of one purpose or of all, oldest first."""
    about = {"repository_id": key.repository_id, "number": key.number}
    if purpose is None:
        return await rows.listed(tx, _OF_ALERT, _record, about)
    return await rows.listed(tx, _OF_ALERT_AND_PURPOSE, _record, {**about, "purpose": purpose})


async def of_channel(tx: Tx, channel: ChannelId) -> list[Message]:
    """A channel's messages except dropped ones, oldest first."""
    gone = message.c.state == MessageState.DROPPED
    return await _list(tx, sa.select(message).where(message.c.channel == channel, ~gone))


async def notices(tx: Tx, channel: ChannelId, about: str) -> list[Message]:
    """A channel's notices whose subject starts with `about`, except dropped ones, oldest first."""
    starts = message.c.subject.startswith(about, autoescape=True)
    is_notice = message.c.purpose == MessagePurpose.NOTICE
    query = sa.select(message).where(message.c.channel == channel, is_notice, starts)
    return await _list(tx, query.where(message.c.state != MessageState.DROPPED))


async def save_facts(tx: Tx, key: MessageKey, facts: Mapping[str, StoredJson]) -> None:
    """Store what a notice tells now."""
    await tx.conn.execute(sa.update(message).where(message.c.key == key).values(facts=dict(facts)))


async def prune_notices(tx: Tx, before: UnixTime) -> int:
    """Delete notices that were planned before then, and that are posted or given up; returns how many."""
    ended = message.c.state.in_((MessageState.POSTED, MessageState.DROPPED))
    is_old = sa.and_(message.c.purpose == MessagePurpose.NOTICE, message.c.created_at < before, ended)
    return (await tx.conn.execute(sa.delete(message).where(is_old))).rowcount


async def cards_of_repository(tx: Tx, repository_id: RepositoryId) -> list[Message]:
    """The cards of a repository's alerts in all channels except dropped ones, oldest first."""
    of_repository = message.c.repository_id == repository_id
    gone = message.c.state == MessageState.DROPPED
    query = sa.select(message).where(of_repository, message.c.purpose == MessagePurpose.CARD, ~gone)
    return await _list(tx, query)


async def at(tx: Tx, channel: ChannelId, ts: MessageTs) -> Message | None:
    """The message with that timestamp in a channel, or None."""
    query = sa.select(message).where(message.c.channel == channel, message.c.ts == ts)
    return await rows.one(tx, query.limit(1), _record)


async def blocked(tx: Tx, *, channel: ChannelId | None = None, idle: bool = False) -> list[Message]:
    """Messages that can't be posted or updated in their channel, oldest first; `idle`: only those without a job."""
    query = sa.select(message).where(_IS_BLOCKED)
    if channel is not None:
        query = query.where(message.c.channel == channel)
    if idle:
        # The job's key is that of `PublishMessage`.
        same = job.c.key == sa.literal("message:", sa.Text).concat(message.c.key)
        query = query.where(~sa.exists().where(same, job.c.state == sa.literal_column("'ready'", sa.Text)))
    return await _list(tx, query)


async def count_blocked(tx: Tx) -> int:
    """The number of messages that can't be posted or updated in their channel."""
    return await _count(tx, _IS_BLOCKED)


async def count_uncertain(tx: Tx, since: UnixTime) -> int:
    """The number of messages sent since then that were dropped because it is not known whether Slack has them."""
    lost = sa.and_(message.c.state == MessageState.DROPPED, message.c.problem.startswith(UNCERTAIN))
    return await _count(tx, lost, message.c.posting_since > since)


async def count_stand_ins(tx: Tx, default: ChannelId, channel: ChannelId, since: UnixTime) -> int:
    """The number of stand-ins for a blocked channel in the default channel since then, without folded ones."""
    stands_in = sa.and_(message.c.channel == default, message.c.stands_for == channel)
    return await _count(tx, stands_in, message.c.state != MessageState.FOLDED, message.c.created_at > since)


def _drawn(row: Row) -> MessageToDraw:
    about, where = rows.part(row, alert), rows.part(row, repository)
    return MessageToDraw(
        _record(rows.part(row, message)),
        None if about["number"] is None else alerts.record(about),
        None if where["id"] is None else repositories.record(where),
        row._mapping[saved_value.c.value],
        row._mapping[subscription.c.mention],
    )


async def _list(tx: Tx, query: sa.Select[*tuple[Any, ...]]) -> list[Message]:
    return await rows.listed(tx, query.order_by(*_OLDEST_FIRST), _record)


async def _count(tx: Tx, *conditions: sa.ColumnElement[bool]) -> int:
    return (await tx.conn.execute(sa.select(sa.func.count()).where(*conditions))).scalar_one()


def _values(record: Message) -> dict[str, object]:
    number = record.alert and record.alert.number
    repository_id = record.alert and record.alert.repository_id
    return {**rows.values(record, message), "repository_id": repository_id, "alert_number": number}


def _record(columns: rows.Columns) -> Message:
    key = AlertKey(columns["repository_id"], columns["alert_number"])
    return rows.build(Message, columns, alert=None if columns["repository_id"] is None else key)
