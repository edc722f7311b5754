"""Tells a person by direct message that an alert was handed over to them."""

import structlog

from bot.context import Context
from bot.flows.build_case import load_alert
from bot.flows.private_answers import send_direct_message
from bot.job_kinds import TellReceiver
from bot.views.hand_over import receiver_message
from integrations.slack.errors import ChannelUnavailable, MessageGone
from storage import alerts, messages
from storage.records import AlertKey, ChannelId, EventKind, MessagePurpose, Person

log = structlog.get_logger(__name__)


async def tell_receiver(context: Context, todo: TellReceiver) -> None:
    """Send the message, unless the receiver is no longer on the alert by this hand over."""
    alert, repository = await load_alert(context, todo.alert)
    holder = alert.taken_by if alert else None
    if alert is None or repository is None or holder is None or alert.taken_at != todo.at:
        log.info("receiver_not_told", alert=str(todo.alert), reason="somebody else is on it meanwhile")
        return
    async with context.db.read() as tx:
        events = await alerts.events_of_kind(tx, todo.alert, EventKind.HANDED_OVER)
    event = next((one for one in events if one.at == todo.at), None)
    giver = (event.by if event else None) or Person()
    grants = alert.hand_over is not None and alert.hand_over.grants
    card = await _card_address(context, todo.alert, todo.channel)
    message = receiver_message(alert, repository, giver, card, may_view=todo.may_view, grants=grants)
    await send_direct_message(context, todo.receiver, message)


async def _card_address(context: Context, key: AlertKey, channel: ChannelId | None) -> str | None:
    """The address of the alert's card, in that channel if there is one; None where Slack has no card."""
    async with context.db.read() as tx:
        cards = await messages.of_alert(tx, key, MessagePurpose.CARD)
    for card in sorted(cards, key=lambda one: one.channel != channel):
        if card.ts is None:
            continue
        try:
            return await context.slack.permalink(card.channel, card.ts)
        except (MessageGone, ChannelUnavailable) as error:
            log.info("card_not_linked", alert=str(key), reason=error.code)
    return None
