"""What a message shows now, from what is stored."""

import hashlib
import json
from dataclasses import dataclass

from bot.actions import ACTIONS
from bot.rules.case import Case
from bot.tools import Tools
from bot.views.card import card_metadata, draw_card
from bot.views.thread import draw_reply, reply_metadata
from integrations.slack.blocks import Content, Metadata
from storage import alerts, messages, repositories
from storage.db import Tx
from storage.records import Alert, Message, MessagePurpose, MessageTs, Repository


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message as it is sent, and a fingerprint of all that is not new at every draw."""

    content: Content
    metadata: Metadata
    fingerprint: str
    thread: MessageTs | None = None


async def draw(tx: Tx, tools: Tools, message: Message) -> Drawing | None:
    """What the message shows; None while it can't be drawn, as a reply whose card is not there yet."""
    if message.alert is None:
        return None
    alert = await alerts.load(tx, message.alert)
    repository = await repositories.load_repository(tx, message.alert.repository_id)
    if alert is None or repository is None:
        return None
    if message.purpose is MessagePurpose.CARD:
        return _card(tools, message, alert, repository)
    if message.purpose is MessagePurpose.REPLY:
        return await _reply(tx, message, alert, repository)
    return None


def _card(tools: Tools, message: Message, alert: Alert, repository: Repository) -> Drawing:
    case = Case(
        alert=alert,
        repository=repository,
        now=tools.clock.now(),
        server=tools.around.server,
        options=tools.options,
    )
    controls = [action.control(case) for action in ACTIONS if action.shown(case)]
    plain = draw_card(case, controls, 0)
    return Drawing(draw_card(case, controls, message.draw + 1), card_metadata(alert.key), fingerprint(plain))


async def _reply(tx: Tx, message: Message, alert: Alert, repository: Repository) -> Drawing | None:
    event = await alerts.event(tx, int(message.subject.removeprefix("event:")))
    cards = await messages.of_alert(tx, alert.key, MessagePurpose.CARD)
    thread = next((card.ts for card in cards if card.channel == message.channel), None)
    if event is None or thread is None:
        return None
    content = draw_reply(event, alert, repository)
    return Drawing(content, reply_metadata(message.key), fingerprint(content), thread)


def fingerprint(content: Content) -> str:
    text = json.dumps([content.text, content.blocks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
