"""Folds new cards into a summary when a channel would get too many at once."""

import secrets

from bot.flows.messages.message_jobs import (
    FIRST_SUMMARY,
    SUMMARY_PACE,
    new_message,
    publish_job,
    summary_job,
)
from bot.rules.urgency import ORDER, URGENT, Urgency
from storage import jobs, messages, summaries
from storage.db import Tx
from storage.records import ChannelId, Message, MessageKey, MessagePurpose, MessageState, UnixTime

FLOOD_WINDOW = 60.0
"""Seconds in which new cards of a channel are counted."""
FLOOD = 25
"""New cards of a channel within FLOOD_WINDOW, urgent ones and others counted apart; more go into a summary."""
URGENT_ALONE = 10
"""Urgent alerts of a flood that get a card of their own within FLOOD_WINDOW, the most urgent ones."""
ANNOUNCE_EVERY = 60.0
"""Seconds between two replies about urgent alerts that were folded into a summary."""


async def flood_summary(tx: Tx, channel: ChannelId, level: Urgency) -> MessageKey | None:
    """The summary of a flood into which a new card of this urgency is folded; None where it is posted alone.

    A critical alert is posted in the place of a high one that is not posted yet.
    """
    await summaries.lock_channel(tx, channel)
    since = tx.now - FLOOD_WINDOW
    # Of so many, FLOOD are urgent or FLOOD are not.
    new = await summaries.newest_cards(tx, channel, since, urgent=URGENT, limit=2 * FLOOD - 1)
    if max(new.ordinary, new.urgent) < FLOOD:
        return None
    if level in URGENT and await summaries.count_alone(tx, channel, since, URGENT) < URGENT_ALONE:
        return None
    # The newest ones may all have been raised again, and so be in no summary.
    summary = new.flood or await summaries.running_flood(tx, channel, since)
    summary = summary or await _start_flood(tx, channel, since)
    if level not in URGENT:
        return summary
    await _announce(tx, channel, summary)
    if level is Urgency.CRITICAL and await summaries.fold_one_waiting(
        tx, channel, since, summary, Urgency.HIGH
    ):
        await jobs.enqueue(tx, summary_job(summary, tx))
        return None
    return summary


async def _start_flood(tx: Tx, channel: ChannelId, since: UnixTime) -> MessageKey:
    """Plan a flood's summary, and fold into it the cards that are planned and not posted."""
    subject = f"{summaries.FLOOD}{secrets.token_hex(4)}"
    started = await messages.plan(tx, new_message(MessagePurpose.SUMMARY, channel, subject, None, tx))
    urgent = [level for level in ORDER if level in URGENT]
    await summaries.fold_waiting(tx, channel, since, started.key, urgent=urgent, keep=URGENT_ALONE)
    # By `summary_job` it would stand for what changes between this draw and the end of its SUMMARY_PACE seconds.
    await jobs.enqueue(tx, publish_job(started, FIRST_SUMMARY))
    return started.key


async def _announce(tx: Tx, channel: ChannelId, summary: MessageKey) -> None:
    """Plan a reply about an urgent alert in a summary, once a minute: an update of the summary notifies nobody."""
    minute = int(tx.now // ANNOUNCE_EVERY)
    reply = await _plan_growth(tx, channel, summary, minute)
    if reply.state not in (MessageState.PLANNED, MessageState.BLOCKED):
        minute += 1
        reply = await _plan_growth(tx, channel, summary, minute)
    delay = max(SUMMARY_PACE, minute * ANNOUNCE_EVERY - tx.now)
    await jobs.enqueue(tx, summary_job(reply.key, tx, delay))


async def _plan_growth(tx: Tx, channel: ChannelId, summary: MessageKey, minute: int) -> Message:
    """The reply of that minute about the summary's growth, planned now if it is not yet."""
    subject = f"{summaries.GROWTH}{summary}:{minute}"
    return await messages.plan(tx, new_message(MessagePurpose.REPLY, channel, subject, None, tx))
