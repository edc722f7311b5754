"""Draws a message from what is stored."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from bot.actions import controls
from bot.actions.token_uses import can_search_uses, uses_button
from bot.context import Context
from bot.flows.build_case import build_case, load_committer_name, load_open_request, load_ticks
from bot.flows.messages.notices import is_settled
from bot.rules.case import Case
from bot.rules.checklist import Tick, steps_for
from bot.rules.replies import GROUPS, events_in_reply, raises_alert
from bot.rules.urgency import ORDER, URGENT, Urgency, urgency
from bot.views.card import card_metadata, draw_card
from bot.views.checklist import draw_checklist
from bot.views.formatting import with_mention
from bot.views.notices import draw_notice
from bot.views.replies import draw_reply, reply_metadata
from bot.views.summary import UrgentAlert, draw_blocked, draw_summary, draw_urgent_reply
from integrations.slack.blocks import Content, Metadata
from storage import alerts, messages, summaries
from storage.db import Tx
from storage.messages import MessageToDraw
from storage.records import (
    ChannelId,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    MessageTs,
    SummaryGroup,
    UnixTime,
)

SENDING = 5.0
"""Seconds at most between the draw of a summary and its post; alerts folded in between may not be in it."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message as it is sent, with a fingerprint of its content, in which the draw's number does not count."""

    content: Content
    metadata: Metadata
    fingerprint: str
    thread: MessageTs | None = None
    broadcast: bool = False
    """Whether a reply is shown in the channel as well."""


async def draw(tx: Tx, context: Context, loaded: MessageToDraw) -> Drawing | None:
    """Draw a message; None while that is not possible, for example for a reply whose card is not posted yet."""
    message, alert, repository = loaded.message, loaded.alert, loaded.repository
    if message.purpose is MessagePurpose.NOTICE:
        return await _notice(tx, message)
    if message.alert is None:
        if message.purpose is MessagePurpose.REPLY:
            return _mentioning(await _growth(tx, message), loaded.mention)
        return await _summary(tx, message)
    if alert is None or repository is None:
        return None
    known = await messages.of_alert(tx, alert.key)
    started = any(one.purpose is MessagePurpose.CHECKLIST for one in known)
    done = await load_ticks(tx, alert) if started else {}
    name = await load_committer_name(tx, context, alert)
    request = await load_open_request(tx, context, alert)
    ticks = done if started else None
    case = build_case(context, alert, repository, ticks, committer_name=name, approval=request)
    if message.purpose is MessagePurpose.CARD:
        is_urgent = alert.is_open and urgency(alert, repository) in URGENT
        return _mentioning(_card(case, message), loaded.mention if is_urgent else None)
    cards = (one for one in known if one.purpose is MessagePurpose.CARD and one.channel == message.channel)
    card = next(cards, None)
    if card is None or card.ts is None or card.state is MessageState.DROPPED:
        return None
    if card.raised_at is not None and message.ts is None:
        # The update of the raised card shows first whether the card still exists: its thread may outlive it.
        return None
    thread = card.ts
    if message.purpose is MessagePurpose.CHECKLIST:
        return _checklist(context, case, done, message, thread)
    reply = await _reply(tx, case, message, card, thread)
    # A reply in the channel brings the alert up again.
    return _mentioning(reply, loaded.mention if reply is not None and reply.broadcast else None)


def _mentioning(drawing: Drawing | None, group: str | None) -> Drawing | None:
    """The drawing, with a mention of the user group that the channel has chosen."""
    if drawing is None or group is None:
        return drawing
    hashed = f"{drawing.fingerprint}{group}"
    combined = hashlib.sha256(hashed.encode()).hexdigest()[:32]
    return replace(drawing, content=with_mention(drawing.content, group), fingerprint=combined)


async def _notice(tx: Tx, message: Message) -> Drawing:
    number = message.draw + 1
    content = draw_notice(message.key, message.facts or {}, number, is_settled=await is_settled(tx, message))
    return Drawing(content, reply_metadata(message.key), fingerprint(content, number))


async def _summary(tx: Tx, message: Message) -> Drawing | None:
    kind, found = message.subject.partition(":")[0], await summaries.groups(tx, message.key)
    if message.subject.startswith(summaries.BLOCKED):
        return await _blocked_line(tx, message, found)
    if not found and message.ts is None:
        # All its alerts have got cards of their own meanwhile.
        return None
    urgent = await _urgent(tx, message, URGENT if kind == "flood" else (Urgency.CRITICAL,))
    number = message.draw + 1
    content = draw_summary(message.key, kind, found, message.created_at, number, urgent)
    return Drawing(content, reply_metadata(message.key), fingerprint(content, number))


async def _growth(tx: Tx, message: Message) -> Drawing | None:
    """A reply about urgent alerts that were folded into a summary after its post; None while there are none."""
    summary = await messages.load(tx, MessageKey(message.subject.split(":")[1]))
    if summary is None or summary.ts is None or summary.state is not MessageState.POSTED:
        return None
    since = (summary.posting_since or summary.created_at) - SENDING
    urgent = await _urgent(tx, summary, URGENT, since=since)
    if not urgent and message.ts is None:
        return None
    content = draw_urgent_reply(urgent)
    return Drawing(content, reply_metadata(message.key), fingerprint(content), summary.ts, broadcast=True)


async def _urgent(
    tx: Tx, summary: Message, levels: Collection[Urgency], *, since: UnixTime = 0.0
) -> list[UrgentAlert]:
    """The alerts of these urgencies that were folded into a summary since then: most urgent first, then newest."""
    found = [
        (urgency(alert, repository), folded_at, alert, repository)
        for alert, repository, folded_at in await summaries.at_risk(tx, summary.key)
        if folded_at >= since
    ]
    found.sort(key=lambda one: (ORDER.index(one[0]), -one[1], str(one[2].key)))
    return [UrgentAlert(level, alert, repository) for level, _, alert, repository in found if level in levels]


async def _blocked_line(tx: Tx, line: Message, found: list[SummaryGroup]) -> Drawing | None:
    """The line that counts the alerts of a blocked channel."""
    channel = ChannelId(line.subject.split(":")[1])
    found = [*found, *await summaries.groups_of_blocked(tx, channel, line.channel)]
    if not found and line.ts is None:
        return None
    blocked = await messages.blocked(tx, channel=channel)
    problem = blocked[-1].problem if blocked else None
    number = line.draw + 1
    content = draw_blocked(line.key, channel, problem, found, number)
    return Drawing(content, reply_metadata(line.key), fingerprint(content, number))


def fingerprint(content: Content, number: int = 0) -> str:
    """A hash of what a message shows, the same for each draw: the draw's number in the block ids counts as 0."""
    blocks = [
        {**block, "block_id": re.sub(rf"(?<=[:-]){number}\Z", "0", str(block["block_id"]))}
        if "block_id" in block
        else block
        for block in content.blocks
    ]
    text = json.dumps([content.text, blocks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _card(case: Case, message: Message) -> Drawing:
    number = message.draw + 1
    content = draw_card(case, controls(case), number)
    return Drawing(content, card_metadata(case.alert.key), fingerprint(content, number))


def _checklist(
    context: Context, case: Case, done: Mapping[str, Tick], message: Message, thread: MessageTs
) -> Drawing:
    steps = steps_for(case.alert.secret_type, context.options)
    page = f"{context.github_url}/settings/tokens" if case.alert.secret_type.startswith("github_") else None
    uses = uses_button(case) if can_search_uses(case) else None
    number = message.draw + 1
    content = draw_checklist(case, steps, done, number, token_page=page, uses=uses)
    return Drawing(content, reply_metadata(message.key), fingerprint(content, number), thread)


async def _reply(tx: Tx, case: Case, message: Message, card: Message, thread: MessageTs) -> Drawing | None:
    event = await alerts.event(tx, int(message.subject.removeprefix("event:")))
    if event is None:
        return None
    shared = [event]
    if event.kind in GROUPS:
        timeline = await alerts.events_of_kind(tx, event.alert, *GROUPS[event.kind])
        group = events_in_reply(timeline, int(message.subject.removeprefix("event:")))
        # Version 0.1.0 posted a reply of its own for each event of a report: it stays as it is.
        shared = group if group[0].id == event.id else shared
    # If the card was posted after the event, the card itself notifies the channel.
    is_older = card.posting_since is None or card.posting_since <= event.at
    broadcast = is_older and raises_alert(event, case.alert)
    number = message.draw + 1
    content = draw_reply(shared, case.alert, case.repository, number, in_channel=broadcast)
    return Drawing(content, reply_metadata(message.key), fingerprint(content, number), thread, broadcast)
