"""Messages that Slack has no more, or of which nobody can tell whether it has them."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.messages import blocked_messages
from bot.flows.messages.plan import publish_job, renew
from integrations.slack import errors
from storage import jobs, messages
from storage.db import Tx
from storage.records import Message, MessagePurpose, MessageState

log = structlog.get_logger(__name__)


async def forget_drawing(tx: Tx, message: Message) -> None:
    """Have a message drawn again. The draw is counted, so that an update under way does not take it for its own."""
    current = await messages.load_for_update(tx, message.key)
    if current is not None:
        await messages.save(tx, replace(current, fingerprint=None, draw=current.draw + 1))
        await jobs.enqueue(tx, publish_job(current))


async def gone(context: Context, message: Message, reason: str) -> None:
    """Slack has the message no more. What raises the alert again posts a new card; mere changes don't."""
    log.warning("message_lost", channel=message.channel, alert=str(message.alert), reason=reason)
    async with context.db.begin() as tx:
        dropped = await messages.change(tx, message.key, state=MessageState.DROPPED, problem=reason)
        if dropped is not None and dropped.raised_at is not None:
            await jobs.enqueue(tx, publish_job(await renew(tx, dropped)))


async def thread_gone(context: Context, message: Message) -> None:
    """A reply finds no thread: it waits for a new card, if there will be one, and the card itself is looked at."""
    async with context.db.begin() as tx:
        await messages.change(tx, message.key, state=MessageState.PLANNED, slot_at=None)
        known = await messages.of_alert(tx, message.alert, MessagePurpose.CARD) if message.alert else ()
        for card in known:
            if card.channel == message.channel and card.state is MessageState.POSTED:
                await forget_drawing(tx, card)


async def give_up(context: Context, message: Message, error: errors.SlackError) -> None:
    """Nobody can tell whether Slack has it, and twice is worse than an operator who looks."""
    log.error("uncertain_post", channel=message.channel, alert=str(message.alert), reason=error.code)
    async with context.db.begin() as tx:
        problem = f"{messages.UNCERTAIN}{error.code}"
        lost = await messages.change(tx, message.key, state=MessageState.DROPPED, problem=problem)
        if lost is not None:
            await blocked_messages.stand_in(tx, context, lost)
