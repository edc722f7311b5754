"""Keeps messages that their channel can't take now, shows their alerts in the default channel, and retries."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import structlog

from bot.context import Context
from bot.flows.messages.message_jobs import new_message, publish_job, summary_job
from bot.rules.replies import raises_alert
from storage import alerts, jobs, messages, summaries
from storage.db import Tx
from storage.records import Alert, ChannelId, Event, Message, MessageKey, MessagePurpose, MessageState

log = structlog.get_logger(__name__)
STAND_INS = 5
"""Stand-ins in the default channel for one blocked channel in STAND_IN_WINDOW; a line counts all others."""
STAND_IN_WINDOW = 3600.0
"""Seconds."""
PROBE_EVERY = 60.0
"""Seconds between two retries in a channel, each of another blocked message."""


async def block(context: Context, message: Message, problem: str) -> None:
    """Keep a message for later, and show its alert in the default channel meanwhile.

    A posted message, and one whose post had no known outcome, keep their state: neither is posted a second time.
    """
    async with context.db.begin() as tx:
        kept = await messages.load_for_update(tx, message.key)
        if kept is None or kept.state in (MessageState.FOLDED, MessageState.DROPPED):
            return
        may_be_posted = kept.state in (MessageState.POSTED, MessageState.POSTING)
        state = kept.state if may_be_posted else MessageState.BLOCKED
        await messages.save(tx, replace(kept, state=state, problem=problem, slot_at=None))
        if message.problem is None:
            await stand_in(tx, context, kept)
    if message.problem != problem:
        log.warning("channel_blocked", channel=message.channel, alert=str(message.alert), reason=problem)
        context.metrics.messages.labels("blocked").inc()


async def show_blocked(
    tx: Tx, context: Context, alert: Alert, cards: Sequence[Message], events: Sequence[Event]
) -> None:
    """Show a changed alert in the default channel, where one of its cards is blocked."""
    raised = any(raises_alert(event, alert) for event in events)
    for card in cards:
        if card.is_blocked and (alert.is_open or raised):
            await _stand_in_card(tx, context, card)


async def stand_in(tx: Tx, context: Context, message: Message) -> None:
    """Show in the default channel what a message of a blocked channel would show, once for each alert.

    Open alerts and those raised again get a card; the alerts of a summary are counted in one line.
    """
    if message.purpose is MessagePurpose.SUMMARY:
        await _stand_in_summary(tx, context, message)
    elif message.purpose is MessagePurpose.CARD and message.alert is not None:
        alert = await alerts.load(tx, message.alert)
        if alert is not None and (alert.is_open or message.raised_at is not None):
            await _stand_in_card(tx, context, message)


async def _stand_in_card(tx: Tx, context: Context, blocked: Message) -> None:
    default = context.default_channel
    if default is None or default == blocked.channel:
        return
    # Two processes must not count the stand-ins of a channel at once.
    await summaries.lock_channel(tx, default)
    shown = await messages.find(tx, MessagePurpose.CARD, default, blocked.subject)
    if shown is not None and not await _is_counted_only(tx, shown):
        return
    since = tx.now - STAND_IN_WINDOW
    line = None
    if await messages.count_stand_ins(tx, default, blocked.channel, since) >= STAND_INS:
        line = await _line(tx, default, blocked.channel)
        await jobs.enqueue(tx, summary_job(line, tx))
    if shown is not None and shown.folded_into not in (None, line):
        await jobs.enqueue(tx, summary_job(shown.folded_into, tx))
    state = MessageState.PLANNED if line is None else MessageState.FOLDED
    if shown is None:
        shown = new_message(MessagePurpose.CARD, default, blocked.subject, blocked.alert, tx)
        shown = await messages.plan(tx, shown)
    fields = {"state": state, "folded_into": line, "stands_for": blocked.channel, "slot_at": None}
    await messages.change(tx, shown.key, **fields, created_at=tx.now, urgency=blocked.urgency)
    if line is None:
        await jobs.enqueue(tx, publish_job(shown))


async def _stand_in_summary(tx: Tx, context: Context, blocked: Message) -> None:
    default = context.default_channel
    if default is None or default == blocked.channel:
        return
    await summaries.lock_channel(tx, default)
    await jobs.enqueue(tx, summary_job(await _line(tx, default, blocked.channel), tx))


async def _is_counted_only(tx: Tx, card: Message) -> bool:
    """Whether the line of a blocked channel counts the alert, so that the card has no message of its own."""
    line = await messages.load(tx, card.folded_into) if card.folded_into else None
    return line is not None and line.subject.startswith(summaries.BLOCKED)


async def _line(tx: Tx, default: ChannelId, channel: ChannelId) -> MessageKey:
    """The line that counts a blocked channel's alerts: that of the last hour, or a new one."""
    running = await summaries.running_line(tx, default, channel, tx.now - STAND_IN_WINDOW)
    if running is not None:
        return running
    subject = f"{summaries.BLOCKED}{channel}:{int(tx.now * 1000)}"
    line = new_message(MessagePurpose.SUMMARY, default, subject, None, tx)
    return (await messages.plan(tx, line)).key


async def retry_blocked(context: Context) -> int:
    """Retry one blocked message of each channel; returns how many blocked messages there are.

    If the channel takes it, `wake` retries the others. Each time it is another message, since one alone may be
    refused, for example in a locked thread. While a retry waits for Slack, no other is started in its channel.
    """
    async with context.db.begin() as tx:
        blocked = await messages.blocked(tx)
        idle = await messages.blocked(tx, idle=True)
        idle_keys = {message.key for message in idle}
        waits = {message.channel for message in blocked if message.key not in idle_keys}
        by_channel = sorted(idle, key=lambda message: message.channel)
        for channel, group in groupby(by_channel, key=lambda message: message.channel):
            waiting = list(group)
            if channel not in waits:
                await jobs.enqueue(tx, publish_job(waiting[int(tx.now // PROBE_EVERY) % len(waiting)]))
    return len(blocked)


async def wake(tx: Tx, channel: ChannelId) -> None:
    """Retry all blocked messages of a channel, after it has taken one."""
    idle = await messages.blocked(tx, channel=channel, idle=True)
    await jobs.enqueue(tx, *(publish_job(message) for message in idle))
