"""`stanch subscriptions`: which channel gets which alerts."""

import re

from bot.errors import StartRefused
from bot.rules.filters import BadFilter, parse_subscription
from storage import audit, jobs, subscriptions
from storage.db import Database
from storage.records import AuditEntry, AuditOutcome, ChannelId, NewJob, Subscription

CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


async def add_subscription(db: Database, channel: str, filter_text: str) -> Subscription:
    """Let a channel have the alerts that a filter names; replaces the channel's former one."""
    if not CHANNEL.fullmatch(channel):
        raise StartRefused(f"{channel[:40]!r} is not a channel id, which looks like C012AB3CD; names change.")
    try:
        wanted = parse_subscription(filter_text)
    except BadFilter as error:
        raise StartRefused(str(error)) from None
    async with db.begin() as tx:
        subscription = Subscription(ChannelId(channel), str(wanted), created_at=tx.now)
        await subscriptions.add(tx, subscription)
        # The running server tells the channel what was open before.
        await jobs.enqueue(tx, NewJob("subscribed", {"channel": channel}, key=f"subscribed:{channel}"))
        await audit.append(
            tx,
            AuditEntry(
                action="subscribe", outcome=AuditOutcome.DONE, reason=f"cli: {channel} {wanted}".strip()
            ),
        )
    return subscription


async def remove_subscription(db: Database, channel: str) -> None:
    async with db.begin() as tx:
        if not await subscriptions.remove(tx, ChannelId(channel)):
            raise StartRefused(f"{channel[:40]!r} has no subscription; stanch subscriptions list shows all.")
        await audit.append(
            tx, AuditEntry(action="unsubscribe", outcome=AuditOutcome.DONE, reason=f"cli: {channel}")
        )


async def list_subscriptions(db: Database) -> list[Subscription]:
    async with db.read() as tx:
        return await subscriptions.all_subscriptions(tx)
