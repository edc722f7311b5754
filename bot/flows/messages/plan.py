"""Plans the messages of an alert: cards by channel, replies and checklists under them, summaries of many."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.messages.floods import flood_summary
from bot.flows.messages.message_jobs import new_message, publish_job, summary_job
from bot.rules.checklist import CHECKLIST_STARTERS, has_checklist
from bot.rules.filter_match import route
from bot.rules.replies import GROUPS, events_in_reply, gets_reply, raises_alert
from bot.rules.urgency import URGENT, Urgency, urgency
from storage import alerts, jobs, messages, subscriptions, summaries
from storage.db import Tx
from storage.records import (
    Alert,
    Event,
    EventKind,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    NewJob,
    Repository,
    Subscription,
    ThreadLevel,
)

log = structlog.get_logger(__name__)


async def plan_messages(
    tx: Tx,
    context: Context,
    alert: Alert,
    repository: Repository,
    events: Sequence[Event],
    *,
    delay: float = 0.0,
    summary: str | None = None,
) -> tuple[list[Message], list[NewJob]]:
    """Plan new cards, replies and checklists, and the redraw of all others, in the transaction of the change.

    `events` are the timeline entries that the change added. An alert that was closed when it was first stored gets no
    card. `delay` holds new cards back, in seconds. With `summary`, a subject such as `first:7`, new cards are folded
    into that summary of their channel, which the caller publishes.
    Returns the alert's cards, without those that were given up, and the jobs that the caller has to enqueue. These
    publish each message that is new or changes.
    """
    is_new = any(event.kind is EventKind.FOUND for event in events)
    known = [] if is_new else await messages.of_alert(tx, alert.key)
    cards = [message for message in known if message.purpose is MessagePurpose.CARD]
    subscribed = await subscriptions.all_subscriptions(tx)
    if not cards and alert.is_open:
        cards = await _plan_cards(tx, context, alert, repository, subscribed, summary)
    elif alert.is_open:
        cards = [await _follow_urgency(tx, card, urgency(alert, repository)) for card in cards]
    if any(raises_alert(event, alert) for event in events):
        cards = [await _raise(tx, card) for card in cards]
    # A card that was given up is not posted again for mere changes.
    cards = [card for card in cards if card.state is not MessageState.DROPPED]
    checklists = await _plan_checklists(tx, alert, cards, known, events)
    replies = await _plan_replies(tx, alert, cards, subscribed, events)
    card_jobs = [
        publish_job(card, delay if card.ts is None else 0.0)
        if card.folded_into is None
        else summary_job(card.folded_into, tx)
        for card in cards
        if card.folded_into is None or summary is None
    ]
    requests = await _open_requests(tx, context, alert, known, events)
    others = [publish_job(message) for message in (*checklists, *requests)]
    return cards, [*card_jobs, *others, *replies]


async def _open_requests(
    tx: Tx, context: Context, alert: Alert, known: Sequence[Message], events: Sequence[Event]
) -> list[Message]:
    """The replies with an open request for approval: they have buttons only while the alert is open."""
    changes = any(event.kind in (EventKind.CLOSED, EventKind.REOPENED) for event in events)
    if not changes or not context.options.report.needs_approval:
        return []
    requests = await alerts.events_of_kind(tx, alert.key, EventKind.APPROVAL_REQUESTED)
    subjects = {f"event:{event.id}" for event in requests[-1:]}
    return [one for one in known if one.purpose is MessagePurpose.REPLY and one.subject in subjects]


async def _plan_replies(
    tx: Tx,
    alert: Alert,
    cards: Sequence[Message],
    subscribed: Sequence[Subscription],
    events: Sequence[Event],
) -> list[NewJob]:
    """Plan the replies in each card's thread, as its channel wants them; returns the jobs that publish them."""
    levels = {subscription.channel: subscription.thread for subscription in subscribed}
    publishing = []
    for event in events:
        channels = [
            card.channel
            for card in cards
            if gets_reply(event, alert, levels.get(card.channel, ThreadLevel.ACTIONS))
        ]
        first = await _first_of_reply(tx, event) if channels else None
        for channel in channels:
            reply = new_message(MessagePurpose.REPLY, channel, f"event:{first}", alert.key, tx)
            reply = await messages.plan(tx, reply)
            # A history scan may find many locations at once.
            paced = event.kind is EventKind.PLACE_ADDED and reply.ts is not None
            publishing.append(summary_job(reply.key, tx) if paced else publish_job(reply))
    return publishing


async def _first_of_reply(tx: Tx, event: Event) -> int | None:
    """The id of the entry whose reply shows this one, for kinds that share a reply."""
    if event.kind not in GROUPS or event.id is None:
        return event.id
    timeline = await alerts.events_of_kind(tx, event.alert, *GROUPS[event.kind])
    return events_in_reply(timeline, event.id)[0].id


async def unfold_created(tx: Tx, alert: Alert, repository: Repository) -> None:
    """Give an alert that GitHub has just created a card of its own, where a sync folded it into its summary.

    A secret can leak while the first sync runs, or before that sync is repeated after a crash.
    """
    for card in await messages.of_alert(tx, alert.key, MessagePurpose.CARD) if alert.is_open else ():
        summary = await messages.load(tx, card.folded_into) if card.folded_into else None
        if summary is None or summary.subject.startswith((summaries.FLOOD, summaries.BLOCKED)):
            continue
        level = urgency(alert, repository)
        flood = await flood_summary(tx, card.channel, level)
        if flood is None:
            await jobs.enqueue(tx, publish_job(await _unfold(tx, replace(card, urgency=level))))
        else:
            await messages.change(tx, card.key, urgency=level, folded_into=flood)
            await jobs.enqueue(tx, summary_job(flood, tx))
        if summary.state is MessageState.POSTED:
            await jobs.enqueue(tx, summary_job(summary.key, tx))


async def _plan_cards(
    tx: Tx,
    context: Context,
    alert: Alert,
    repository: Repository,
    subscribed: Sequence[Subscription],
    summary: str | None,
) -> list[Message]:
    """Plan a card for each channel that takes the alert, alone or folded into a summary."""
    cards, level = [], urgency(alert, repository)
    for channel in route(alert, repository, subscribed, context.default_channel):
        card = new_message(MessagePurpose.CARD, channel, str(alert.key), alert.key, tx)
        card = replace(card, urgency=level)
        if summary is not None:
            stands_for = new_message(MessagePurpose.SUMMARY, channel, summary, None, tx)
            folded_into: MessageKey | None = (await messages.plan(tx, stands_for)).key
        else:
            folded_into = await flood_summary(tx, channel, level)
        if folded_into is not None:
            card = replace(card, state=MessageState.FOLDED, folded_into=folded_into)
        cards.append(await messages.plan(tx, card))
    if not cards:
        log.warning("no_channel", alert=str(alert.key), hint="set STANCH_DEFAULT_CHANNEL or a subscription")
    return cards


async def _follow_urgency(tx: Tx, card: Message, level: Urgency) -> Message:
    """Treat a folded card like a new one if its alert has become urgent; a flood does not fold one that waits."""
    if level not in URGENT or card.urgency in URGENT:
        return card
    if card.state is MessageState.PLANNED:
        return await messages.change(tx, card.key, urgency=level) or card
    if card.state is not MessageState.FOLDED:
        return card
    summary = await messages.load(tx, card.folded_into) if card.folded_into else None
    if summary is None or not summary.subject.startswith(summaries.FLOOD):
        return card
    flood = await flood_summary(tx, card.channel, level)
    state = MessageState.PLANNED if flood is None else MessageState.FOLDED
    changed = await messages.change(tx, card.key, urgency=level, state=state, folded_into=flood, slot_at=None)
    await jobs.enqueue(tx, summary_job(summary.key, tx))
    return changed or card


async def _unfold(tx: Tx, card: Message) -> Message:
    """Take a card out of its summary, to be posted alone."""
    if card.state is not MessageState.FOLDED:
        return card
    alone = {"state": MessageState.PLANNED, "folded_into": None, "urgency": card.urgency, "slot_at": None}
    return await messages.change(tx, card.key, **alone) or card


async def _raise(tx: Tx, card: Message) -> Message:
    """Unfold the card of an alert that was raised again; renew it where Slack no longer has it."""
    if card.state is MessageState.DROPPED:
        card = await renew(tx, card)
    summary = await messages.load(tx, card.folded_into) if card.folded_into else None
    if summary is not None and summary.state is MessageState.POSTED:
        await jobs.enqueue(tx, summary_job(summary.key, tx))
    card = await _unfold(tx, card)
    return await messages.change(tx, card.key, raised_at=tx.now) or card


async def renew(tx: Tx, card: Message) -> Message:
    """Plan a new post of a card that was given up, and of the checklist in its thread."""
    unposted = {"state": MessageState.PLANNED, "folded_into": None, "problem": None}
    unposted |= dict.fromkeys(("ts", "fingerprint", "slot_at", "posting_since"))
    checklist = await messages.find(tx, MessagePurpose.CHECKLIST, card.channel, f"checklist:{card.subject}")
    if checklist is not None:
        await messages.change(tx, checklist.key, **unposted)
    return await messages.change(tx, card.key, **unposted) or card


async def _plan_checklists(
    tx: Tx, alert: Alert, cards: Sequence[Message], known: Sequence[Message], events: Sequence[Event]
) -> list[Message]:
    """Plan the checklist in each card's thread, after the first check, report or "I'm on it"."""
    started = any(message.purpose is MessagePurpose.CHECKLIST for message in known)
    starts = has_checklist(alert) and any(
        event.kind in CHECKLIST_STARTERS and event.by is not None for event in events
    )
    if not started and not starts:
        return []
    subject = f"checklist:{alert.key}"
    return [
        await messages.plan(tx, new_message(MessagePurpose.CHECKLIST, card.channel, subject, alert.key, tx))
        for card in cards
    ]
