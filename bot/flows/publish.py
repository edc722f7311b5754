"""From an alert to its messages: which channels, what they show, posted once and kept true."""

from dataclasses import replace

import structlog

from bot.errors import RetryLater, UnusableJob
from bot.flows.channels import channel_facts
from bot.flows.drawing import Drawing, draw, fingerprint
from bot.flows.planning import new_message, publishing
from bot.tools import Tools
from bot.views.card import draw_hidden
from integrations.slack import errors
from storage import jobs, leases, messages
from storage.db import Tx
from storage.records import (
    ChannelId,
    Job,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    MessageTs,
)

log = structlog.get_logger(__name__)
INTERVAL = 1.0
"""Seconds between two new messages in one channel (Slack's docs: about one a second)."""
LOOK_AGAIN = 3.0
"""Seconds until Slack is asked again where it gave no clear answer."""
SETTLED = 15.0
"""Seconds after which a post that can't be found is taken as not having happened."""
AT_ONCE = 100
"""Cards that are looked at in one transaction."""
TOKEN_TROUBLE = 60.0
"""Seconds until a post is tried again that Slack refused because of our token."""


async def publish(tools: Tools, key: MessageKey, job: Job) -> None:
    """Bring one message to Slack, or up to date there."""
    # 1. What is to be shown, as of now.
    async with tools.db.read() as tx:
        message = await messages.load(tx, key)
        drawing = await draw(tx, tools, message) if message else None
    if message is None or drawing is None or message.state in (MessageState.DROPPED, MessageState.FOLDED):
        return
    # 2. A message that Slack has is redrawn in place, if it would look different.
    if message.state is MessageState.POSTED:
        await _update(tools, message, drawing)
        return
    # 3. One that Slack may have is looked for before anything is sent again.
    if message.state is MessageState.POSTING and await _adopt(tools, message, drawing):
        return
    # 4. Anything else is posted: when the channel is fit for it, and when it is its turn.
    await _post(tools, message, drawing, job)


async def redraw(tools: Tools, channel: ChannelId, ts: MessageTs) -> None:
    """Draw one message again though it shows nothing new: Slack's clients forget what was picked in its menus."""
    async with tools.db.begin() as tx:
        message = await messages.at(tx, channel, ts)
        if message is not None:
            await messages.save(tx, replace(message, fingerprint=None))
            await jobs.enqueue(tx, publishing(message))


async def redraw_channel(tools: Tools, channel: ChannelId) -> None:
    """Look at everything in a channel again, and at what could not be posted there."""
    async with tools.db.begin() as tx:
        found = await messages.of_channel(tx, channel)
        await jobs.enqueue(tx, *(publishing(message) for message in found))


async def redraw_cards(tools: Tools) -> None:
    """Have every card drawn again that would look different now, as after GitHub said what it can do."""
    after = ""
    while True:
        async with tools.db.read() as tx:
            found = await messages.posted_cards(tx, after, AT_ONCE)
            drawn = [(message, await draw(tx, tools, message)) for message in found]
        if not found:
            return
        differing = [card for card, now in drawn if now is not None and now.fingerprint != card.fingerprint]
        async with tools.db.begin() as tx:
            await jobs.enqueue(tx, *(publishing(card) for card in differing))
        after = found[-1].key


async def retry_blocked(tools: Tools) -> int:
    """Try again what a channel could not have; returns how many there are."""
    async with tools.db.begin() as tx:
        blocked = await messages.blocked(tx)
        await jobs.enqueue(tx, *(publishing(message) for message in blocked))
    return len(blocked)


async def _update(tools: Tools, message: Message, drawing: Drawing) -> None:
    if message.ts is None:
        raise UnusableJob(f"the message {message.key} is stored as posted, and without its place")
    hidden = await _is_shared(tools, message.channel)
    if hidden:
        drawing = replace(drawing, content=draw_hidden(), fingerprint=fingerprint(draw_hidden()))
    if drawing.fingerprint == message.fingerprint:
        return
    try:
        await tools.slack.update(message.channel, message.ts, drawing.content, metadata=drawing.metadata)
    except (errors.RateLimited, errors.Uncertain) as error:
        # The same update twice is harmless, unlike the same post.
        raise _later(tools, error) from None
    except (errors.MessageGone, errors.ChannelUnavailable) as error:
        await _save(tools, replace(message, state=MessageState.DROPPED, problem=error.code))
        log.warning("message_lost", channel=message.channel, alert=str(message.alert), reason=error.code)
        return
    tools.metrics.messages.labels("updated").inc()
    async with tools.db.begin() as tx:
        await messages.save(tx, replace(message, draw=message.draw + 1, fingerprint=drawing.fingerprint))
        if hidden:
            log.warning("card_hidden", channel=message.channel, alert=str(message.alert))
            await _stand_in(tx, tools, message)


async def _adopt(tools: Tools, message: Message, drawing: Drawing) -> bool:
    """Find a message that was sent without a known outcome; wait a while before giving it up."""
    since = message.posting_since or message.created_at
    try:
        ts = await tools.slack.find_post(
            message.channel, drawing.metadata, since=since, thread_ts=drawing.thread
        )
    except errors.ChannelUnavailable as error:
        await _block(tools, message, error.code)
        return True
    except errors.Unauthorized as error:
        # Without the right to read the channel nobody can tell, and twice is worse than an operator who looks.
        await _save(tools, replace(message, state=MessageState.DROPPED, problem=f"uncertain: {error.code}"))
        log.error("uncertain_post", channel=message.channel, alert=str(message.alert), reason=error.code)
        return True
    except errors.SlackError as error:
        raise _later(tools, error) from None
    if ts is None:
        if tools.clock.now() < since + SETTLED:
            raise RetryLater(tools.clock.now() + LOOK_AGAIN, "not known yet whether it was posted")
        return False
    tools.metrics.messages.labels("found_again").inc()
    # What it shows may be old: without a fingerprint the next draw is sent whatever it is.
    await _posted(tools, replace(message, fingerprint=None), MessageTs(ts))
    return True


async def _post(tools: Tools, message: Message, drawing: Drawing, job: Job) -> None:
    problem = await _channel_problem(tools, message.channel)
    if problem is not None:
        await _block(tools, message, problem)
        return
    async with tools.db.begin() as tx:
        # A worker that lost its job meanwhile posts nothing: the one that has it now may be posting.
        await leases.keep(tx, job)
        current = await messages.load_for_update(tx, message.key)
        if current is None or current.state is MessageState.FOLDED:
            return
        if current.state is not message.state:
            # A worker that slept for long wakes up beside the one that took its job over.
            raise RetryLater(tx.now, "another worker is at the same message")
        slot = message.slot_at
        if slot is None:
            slot = await messages.reserve_slot(tx, message.channel, INTERVAL)
        due = slot <= tx.now
        sending = replace(message, slot_at=slot, draw=message.draw + 1, problem=None)
        if due:
            sending = replace(sending, state=MessageState.POSTING, posting_since=tx.now)
        await messages.save(tx, sending if due else replace(message, slot_at=slot))
    if not due:
        raise RetryLater(slot, "its turn in the channel comes later")
    try:
        ts = await tools.slack.post(
            message.channel,
            drawing.content,
            metadata=drawing.metadata,
            thread_ts=drawing.thread,
            broadcast=drawing.broadcast,
        )
    except errors.Uncertain as error:
        raise _later(tools, error) from None
    except errors.SlackError as error:
        await _not_posted(tools, replace(message, state=MessageState.PLANNED, slot_at=None), error)
        return
    tools.metrics.messages.labels("posted").inc()
    await _posted(tools, replace(sending, fingerprint=drawing.fingerprint), MessageTs(ts))


async def _not_posted(tools: Tools, message: Message, error: errors.SlackError) -> None:
    """Slack certainly did not take it: wait, find another channel, or give up."""
    await _save(tools, message)
    if isinstance(error, errors.RateLimited):
        later = _later(tools, error)
        async with tools.db.begin() as tx:
            await messages.hold_channel(tx, message.channel, later.at)
        raise later from None
    if isinstance(error, errors.Unauthorized):
        log.error("slack_refuses_token", reason=error.code)
        raise RetryLater(tools.clock.now() + TOKEN_TROUBLE, str(error)) from None
    if isinstance(error, errors.MessageGone):
        # Somebody deleted the card whose thread this was for.
        await _save(tools, replace(message, state=MessageState.DROPPED, problem=error.code))
        return
    if isinstance(error, errors.ChannelUnavailable):
        await _block(tools, message, error.code)
        return
    raise error


async def _posted(tools: Tools, message: Message, ts: MessageTs) -> None:
    """Remember where it is, and let the replies follow that waited for it."""
    async with tools.db.begin() as tx:
        await messages.save(tx, replace(message, state=MessageState.POSTED, ts=ts, slot_at=None))
        if message.fingerprint is None:
            await jobs.enqueue(tx, publishing(message))
        if message.purpose is MessagePurpose.CARD and message.alert is not None:
            known = await messages.of_alert(tx, message.alert)
            thread = (MessagePurpose.CHECKLIST, MessagePurpose.REPLY)
            mine = (one for one in known if one.channel == message.channel and one.purpose in thread)
            await jobs.enqueue(tx, *(publishing(one) for one in mine if one.ts is None))


async def _block(tools: Tools, message: Message, problem: str) -> None:
    """The channel can't have it: keep it for later, and show the alert in the default channel meanwhile."""
    log.warning("channel_blocked", channel=message.channel, alert=str(message.alert), reason=problem)
    tools.metrics.messages.labels("blocked").inc()
    async with tools.db.begin() as tx:
        await messages.save(tx, replace(message, state=MessageState.BLOCKED, problem=problem, slot_at=None))
        await _stand_in(tx, tools, message)


async def _stand_in(tx: Tx, tools: Tools, message: Message) -> None:
    """Show the alert in the default channel, where the card of another channel is not seen."""
    default = tools.default_channel
    if message.purpose is not MessagePurpose.CARD or default in (None, message.channel):
        return
    assert default is not None
    if message.alert is None:
        raise UnusableJob(f"the card {message.key} is stored without its alert")
    card = new_message(MessagePurpose.CARD, default, message.subject, message.alert, tx)
    await jobs.enqueue(tx, publishing(await messages.plan(tx, card)))


async def _channel_problem(tools: Tools, channel: ChannelId) -> str | None:
    """Why the channel may not have alerts, as one short word, or None."""
    try:
        facts = await channel_facts(tools, channel)
    except errors.ChannelUnavailable as error:
        return error.code
    except errors.SlackError as error:
        raise _later(tools, error) from None
    if facts.is_shared_outside:
        return "shared_with_another_organization"
    return "is_archived" if facts.is_archived else None


async def _is_shared(tools: Tools, channel: ChannelId) -> bool:
    return await _channel_problem(tools, channel) == "shared_with_another_organization"


def _later(tools: Tools, error: errors.SlackError) -> RetryLater:
    """When to go on: as soon as Slack listens again, or as it may know more."""
    wait = error.retry_after if isinstance(error, errors.RateLimited) else LOOK_AGAIN
    return RetryLater(tools.clock.now() + wait, str(error))


async def _save(tools: Tools, message: Message) -> None:
    async with tools.db.begin() as tx:
        await messages.save(tx, message)
