"""Plans the cards of many new alerts of one repository, with few statements for each channel."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.context import Context
from bot.flows.messages.floods import flood_summary
from bot.flows.messages.message_jobs import new_message
from bot.rules.filter_match import route
from bot.rules.urgency import URGENT, urgency
from storage import messages, subscriptions
from storage.db import Tx
from storage.records import (
    Alert,
    AlertKey,
    ChannelId,
    Message,
    MessageKey,
    MessagePurpose,
    MessageState,
    Repository,
)

log = structlog.get_logger(__name__)


async def plan_many(
    tx: Tx, context: Context, repository: Repository, new: Sequence[Alert]
) -> dict[AlertKey, list[Message]]:
    """Plan the cards of alerts that were stored in this transaction, by the rules of `plan_messages`.

    Channels are locked in the order of the subscriptions, as single alerts lock them.
    """
    subscribed = await subscriptions.all_subscriptions(tx)
    default = context.default_channel
    routed: dict[ChannelId, list[Alert]] = {one.channel: [] for one in subscribed}
    cards: dict[AlertKey, list[Message]] = {alert.key: [] for alert in new}
    for alert in (one for one in new if one.is_open):
        channels = route(alert, repository, subscribed, default)
        if not channels:
            log.warning(
                "no_channel", alert=str(alert.key), hint="set STANCH_DEFAULT_CHANNEL or a subscription"
            )
        for channel in channels:
            routed.setdefault(channel, []).append(alert)
    folded: list[Message] = []
    for channel, theirs in routed.items():
        for card in await _plan_channel(tx, channel, repository, theirs, folded):
            assert card.alert is not None
            cards[card.alert].append(card)
    if folded:
        await messages.insert_all(tx, folded)
    return cards


async def _plan_channel(
    tx: Tx, channel: ChannelId, repository: Repository, new: Sequence[Alert], folded: list[Message]
) -> list[Message]:
    """Plan the cards of one channel; those added to `folded` are not stored yet.

    A transaction has one time, so once a card that is not urgent is folded into the summary of a flood, all others
    that are not urgent are folded into the same one.
    """
    cards: list[Message] = []
    flood: MessageKey | None = None
    for alert in new:
        level = urgency(alert, repository)
        card = new_message(MessagePurpose.CARD, channel, str(alert.key), alert.key, tx)
        card = replace(card, urgency=level)
        if flood is not None and level not in URGENT:
            card = replace(card, state=MessageState.FOLDED, folded_into=flood)
            folded.append(card)
        else:
            summary = await flood_summary(tx, channel, level)
            if summary is not None:
                card = replace(card, state=MessageState.FOLDED, folded_into=summary)
            if level not in URGENT:
                flood = summary
            card = await messages.plan(tx, card)
        cards.append(card)
    return cards
