"""Posts each planned message once, and updates it when it would look different."""

from dataclasses import replace
from typing import Any

import structlog

from bot.context import Context, TimeAway
from bot.errors import RetryLater, UnusableJob
from bot.flows.channel_facts import ASK_AGAIN, CHANGED, SHARED, retry_later, time_of_change, unfit_reason
from bot.flows.messages import blocked_messages, lost_cards
from bot.flows.messages.draw import Drawing, draw, fingerprint
from bot.flows.messages.message_jobs import publish_job
from bot.flows.messages.time_away import may_be_posted
from bot.job_kinds import shown_key
from bot.rules.urgency import URGENT
from bot.views.card import draw_hidden
from integrations.slack import errors
from storage import jobs, leases, messages, slots
from storage.db import Tx
from storage.records import (
    ChannelId,
    Job,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    MessageTs,
    UnixTime,
)

log = structlog.get_logger(__name__)
INTERVAL = 1.0
"""Seconds between two new messages in one channel (Slack's docs: about one a second)."""
SETTLED = 15.0
"""Seconds after which a message that can't be found counts as not posted."""
AT_ONCE = 100
"""Cards drawn in one transaction."""


async def publish(context: Context, key: MessageKey, job: Job) -> None:
    """Post one message, or update it in Slack."""
    # 1. What it shows now.
    async with context.db.read() as tx:
        loaded = await messages.load_to_draw(tx, key, saved_about=CHANGED)
        if loaded is None or loaded.message.state in (MessageState.DROPPED, MessageState.FOLDED):
            return
        drawing = await draw(tx, context, loaded)
    message, changed_at = loaded.message, time_of_change(loaded.saved)
    if drawing is None:
        if message.state is MessageState.BLOCKED:
            # It has nothing to show any more, so it does not wait for its channel.
            await _change(context, message, state=MessageState.PLANNED, problem=None)
        return
    # 2. A posted message is updated, if it would look different.
    if message.state is MessageState.POSTED:
        if message.ts is None:
            raise UnusableJob(f"the message {message.key} is stored as posted, but without its ts")
        await _update(context, message, message.ts, drawing, changed_at, job)
        return
    # 3. One whose post had no known outcome is searched for before it is posted again.
    if message.state is MessageState.POSTING and await _adopt(context, message, drawing, job):
        return
    # 4. So is one that may have been posted while another copy of the database was in use.
    away = may_be_posted(context, message, loaded.alert)
    if away is not None and await _adopt(context, message, drawing, job, away):
        return
    # 5. Any other is posted, once its channel may have it and the pace of the channel allows it.
    await _post(context, message, drawing, changed_at, job)


async def redraw(context: Context, channel: ChannelId, ts: MessageTs) -> None:
    """Update one message though it shows nothing new, which resets what was picked in its menus."""
    async with context.db.begin() as tx:
        message = await messages.at(tx, channel, ts)
        if message is not None:
            await lost_cards.forget_drawing(tx, message)


async def redraw_channel(context: Context, channel: ChannelId) -> None:
    """Enqueue the publishing of all messages of a channel, and of those that could not be posted there."""
    async with context.db.begin() as tx:
        found = await messages.of_channel(tx, channel)
        await jobs.enqueue(tx, *(publish_job(message) for message in found))


async def redraw_cards(context: Context) -> None:
    """Enqueue the update of each card that would look different now, e.g. after GitHub got new abilities."""
    after = ""
    while True:
        async with context.db.read() as tx:
            found = await messages.posted_cards(tx, after, AT_ONCE, saved_about=CHANGED)
            drawn = [(loaded.message, await draw(tx, context, loaded)) for loaded in found]
        if not found:
            return
        differing = [card for card, now in drawn if now is not None and now.fingerprint != card.fingerprint]
        async with context.db.begin() as tx:
            await jobs.enqueue(tx, *(publish_job(card) for card in differing))
        after = found[-1].message.key


async def _update(
    context: Context, message: Message, ts: MessageTs, drawing: Drawing, changed_at: UnixTime, job: Job
) -> None:
    problem = await unfit_reason(context, message.channel, changed_at)
    hidden = problem == SHARED
    if hidden:
        drawing = replace(drawing, content=draw_hidden(), fingerprint=fingerprint(draw_hidden()))
    # The card of an alert that was raised again is updated in any case: the answer tells whether it still exists.
    raised = message.raised_at is not None and not hidden
    differs = drawing.fingerprint != message.fingerprint or raised
    if problem is not None and not hidden:
        if differs:
            await blocked_messages.block(context, message, problem)
        return
    if differs:
        try:
            await context.slack.update(message.channel, ts, drawing.content, metadata=drawing.metadata)
        except errors.MessageGone as error:
            await lost_cards.gone(context, message, error.code)
            return
        except errors.SlackError as error:
            # Unlike a post, an update may be repeated.
            await _block_or_raise(context, message, error)
            return
        context.metrics.messages.labels("updated").inc()
    if differs or problem != message.problem:
        await _record_update(context, message, drawing, problem, job)
    elif message.purpose is MessagePurpose.CARD and problem is None:
        # An earlier update has shown it.
        async with context.db.begin() as tx:
            await leases.finish_own(tx, job)
            await jobs.cancel(tx, shown_key(message.key), before=job.id)


async def _record_update(
    context: Context, message: Message, drawing: Drawing, problem: str | None, job: Job
) -> None:
    """Record what Slack shows now; with `problem`, that is only that the channel is shared."""
    async with context.db.begin() as tx:
        await leases.finish_own(tx, job)
        await messages.record_draw(tx, message, drawing.fingerprint, problem=problem)
        if problem is None and message.purpose is MessagePurpose.CARD:
            await jobs.cancel(tx, shown_key(message.key), before=job.id)
        if problem is None and message.raised_at is not None:
            await _wake_thread(tx, message)
        if problem is None and message.problem is not None:
            await blocked_messages.wake(tx, message.channel)
        elif problem is not None and message.problem is None:
            log.warning("card_hidden", channel=message.channel, alert=str(message.alert))
            await blocked_messages.stand_in(tx, context, message)


async def _adopt(
    context: Context, message: Message, drawing: Drawing, job: Job, away: TimeAway | None = None
) -> bool:
    """Search for a message whose post had no known outcome; False where it was certainly not posted.

    With `away`, search for one that may have been posted in that time; False also where no search is possible.
    Raises RetryLater until that is certain.
    """
    since = away.since if away else message.posting_since or message.created_at
    settled = (away.until if away else since) + SETTLED
    try:
        ts = await context.slack.find_post(
            message.channel, drawing.metadata, since=since, until=settled, thread_ts=drawing.thread
        )
    except errors.MessageGone:
        await lost_cards.thread_gone(context, message)
        return True
    except errors.SlackError as error:
        too_many = isinstance(error, errors.TooManyMessages)
        impossible = error.code == "missing_scope" or (too_many and context.clock.now() >= settled)
        if impossible and away:
            # It was most likely not posted: a second card does less harm than none.
            log.warning(
                "not_looked_for", channel=message.channel, alert=str(message.alert), reason=error.code
            )
            return False
        if impossible:
            await lost_cards.give_up(context, message, error)
        else:
            await _block_or_raise(context, message, error)
        return True
    if ts is None:
        if context.clock.now() < settled:
            raise RetryLater(context.clock.now() + ASK_AGAIN, "not known yet whether it was posted")
        return False
    context.metrics.messages.labels("found_again").inc()
    # It may show an old draw: without a fingerprint, the next one is sent in any case.
    await _record_post(context, message, MessageTs(ts), None, job)
    return True


async def _post(context: Context, message: Message, drawing: Drawing, changed_at: UnixTime, job: Job) -> None:
    problem = await unfit_reason(context, message.channel, changed_at)
    if problem is not None:
        await blocked_messages.block(context, message, problem)
        return
    async with context.db.begin() as tx:
        slot = message.slot_at
        if slot is None:
            slot = await slots.reserve(tx, message.channel, INTERVAL)
            if slot > tx.now and (message.alert is None or message.urgency in URGENT):
                slot = await slots.take_earlier(tx, message.channel, slot, urgent=URGENT)
        fields: dict[str, Any] = {"slot_at": slot}
        due = slot <= tx.now
        if due:
            state = MessageState.POSTING
            fields |= {"state": state, "posting_since": tx.now, "draw": message.draw + 1, "problem": None}
        if not await messages.change_unless_changed(tx, message, job, **fields):
            # A worker that lost its job posts nothing: the worker that has it now may be posting.
            await leases.keep(tx, job)
            raise RetryLater(tx.now, "the message was changed meanwhile")
    if not due:
        raise RetryLater(slot, "the pace of the channel")
    sending = replace(message, **fields)
    try:
        ts = await context.slack.post(
            message.channel,
            drawing.content,
            metadata=drawing.metadata,
            thread_ts=drawing.thread,
            broadcast=drawing.broadcast,
        )
    except errors.SlackUncertain as error:
        raise retry_later(context, error) from None
    except errors.SlackError as error:
        await _not_posted(context, message, error)
        return
    context.metrics.messages.labels("posted").inc()
    sent = replace(sending, problem=message.problem)
    await _record_post(context, sent, MessageTs(ts), drawing.fingerprint, job)


async def _not_posted(context: Context, message: Message, error: errors.SlackError) -> None:
    """Slack has refused the post: retry later, block the message, or raise the error."""
    await _change(context, message, state=MessageState.PLANNED, slot_at=None)
    if isinstance(error, errors.SlackRateLimited):
        later = retry_later(context, error)
        async with context.db.begin() as tx:
            await slots.pause_channel(tx, message.channel, later.at)
        raise later from None
    if isinstance(error, errors.MessageGone):
        await lost_cards.thread_gone(context, message)
    else:
        await _block_or_raise(context, message, error)


async def _block_or_raise(context: Context, message: Message, error: errors.SlackError) -> None:
    """Block the message if its channel can't take it; else raise RetryLater, or an error that no retry mends."""
    if isinstance(error, errors.ChannelUnavailable):
        await blocked_messages.block(context, message, error.code)
        return
    if isinstance(error, errors.SlackRateLimited | errors.SlackUncertain | errors.SlackUnauthorized):
        raise retry_later(context, error) from None
    raise error


async def _record_post(
    context: Context, message: Message, ts: MessageTs, drawn: str | None, job: Job
) -> None:
    """Record its `ts`, and enqueue what waited for it: its thread, and what the channel could not have."""
    posted = {"state": MessageState.POSTED, "ts": ts, "slot_at": None, "problem": None}
    async with context.db.begin() as tx:
        # Recorded even if this run has lost its job: Slack has the message in any case.
        await leases.finish_own(tx, job)
        await messages.record_draw(tx, message, drawn, **posted)
        if drawn is None:
            await jobs.enqueue(tx, publish_job(message))
        if message.problem is not None:
            await blocked_messages.wake(tx, message.channel)
        await _wake_thread(tx, message)


async def _wake_thread(tx: Tx, card: Message) -> None:
    """Enqueue the replies and the checklist that wait for their card."""
    if card.purpose is MessagePurpose.CARD and card.alert is not None:
        known = await messages.of_alert(tx, card.alert)
        thread = (MessagePurpose.CHECKLIST, MessagePurpose.REPLY)
        mine = (one for one in known if one.channel == card.channel and one.purpose in thread)
        await jobs.enqueue(tx, *(publish_job(one) for one in mine if one.ts is None))


async def _change(context: Context, message: Message, **fields: Any) -> None:
    async with context.db.begin() as tx:
        await messages.change(tx, message.key, **fields)
