"""Posts one summary of the alerts that were open before a channel was subscribed."""

from dataclasses import replace

from bot.context import Context
from bot.flows.messages.message_jobs import new_message, publish_job
from bot.rules.filter_match import takes_alert
from storage import alerts, jobs, messages, repositories, subscriptions
from storage.db import Tx
from storage.records import Alert, AlertKey, ChannelId, MessagePurpose, MessageState, Subscription

BATCH = 100
"""Alerts folded in one transaction. On SQLite a webhook waits for it."""


async def backfill_channel(context: Context, channel: ChannelId) -> None:
    """Fold the open alerts that the channel's filter wants into one summary, and post that."""
    async with context.db.read() as tx:
        subscription = await subscriptions.of_channel(tx, channel)
    if subscription is None:
        return
    last: AlertKey | None = None
    while True:
        async with context.db.begin() as tx:
            found = await alerts.open_alerts(tx, limit=BATCH, after=last)
            for alert in found:
                await _fold(tx, subscription, alert)
        if len(found) < BATCH:
            break
        last = found[-1].key
    async with context.db.begin() as tx:
        summary = await messages.find(tx, MessagePurpose.SUMMARY, channel, _subject(subscription))
        if summary is not None:
            await jobs.enqueue(tx, publish_job(summary))


async def _fold(tx: Tx, subscription: Subscription, alert: Alert) -> None:
    """Plan a card of the alert in this channel, folded into the summary."""
    repository = await repositories.load_repository(tx, alert.key.repository_id)
    if repository is None or not repository.is_reachable or not takes_alert(subscription, alert, repository):
        return
    summary = new_message(MessagePurpose.SUMMARY, subscription.channel, _subject(subscription), None, tx)
    summary = await messages.plan(tx, summary)
    card = new_message(MessagePurpose.CARD, subscription.channel, str(alert.key), alert.key, tx)
    await messages.plan(tx, replace(card, state=MessageState.FOLDED, folded_into=summary.key))


def _subject(subscription: Subscription) -> str:
    return f"subscription:{int(subscription.created_at)}"
