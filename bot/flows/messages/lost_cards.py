"""Handles messages that Slack no longer has, and those of which it is not known whether Slack has them."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.messages import blocked_messages
from bot.flows.messages.message_jobs import publish_job
from bot.flows.messages.plan import renew
from integrations.slack import errors
from storage import jobs, messages
from storage.db import Tx
from storage.records import Message, MessagePurpose, MessageState

log = structlog.get_logger(__name__)


async def forget_drawing(tx: Tx, message: Message) -> None:
    """Enqueue a new draw of a message. `draw` is raised, so that an update under way leaves no fingerprint."""
    current = await messages.load_for_update(tx, message.key)
    if current is not None:
        await messages.save(tx, replace(current, fingerprint=None, draw=current.draw + 1))
        await jobs.enqueue(tx, publish_job(current))


async def gone(context: Context, message: Message, reason: str) -> None:
    """Give up a message that Slack no longer has. Only an alert that is raised again gets a new card."""
    log.warning("message_lost", channel=message.channel, alert=str(message.alert), reason=reason)
    async with context.db.begin() as tx:
        dropped = await messages.change(tx, message.key, state=MessageState.DROPPED, problem=reason)
        if dropped is not None and dropped.raised_at is not None:
            await jobs.enqueue(tx, publish_job(await renew(tx, dropped)))


async def thread_gone(context: Context, message: Message) -> None:
    """Let a reply without a thread wait for a new card, and have the present card drawn again."""
    async with context.db.begin() as tx:
        await messages.change(tx, message.key, state=MessageState.PLANNED, slot_at=None)
        known = await messages.of_alert(tx, message.alert, MessagePurpose.CARD) if message.alert else ()
        for card in known:
            if card.channel == message.channel and card.state is MessageState.POSTED:
                await forget_drawing(tx, card)


async def give_up(context: Context, message: Message, error: errors.SlackError) -> None:
    """Give up a message that can't be found and may have been posted: it is not posted a second time."""
    log.error("uncertain_post", channel=message.channel, alert=str(message.alert), reason=error.code)
    async with context.db.begin() as tx:
        problem = f"{messages.UNCERTAIN}{error.code}"
        lost = await messages.change(tx, message.key, state=MessageState.DROPPED, problem=problem)
        if lost is not None:
            await blocked_messages.stand_in(tx, context, lost)
