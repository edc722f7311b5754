"""`stanch subscriptions`: which channel gets which alerts."""

import re
from collections.abc import Sequence

from bot.errors import StartRefused
from bot.flows.audit import build_entry
from bot.rules.filters import BadFilter, parse_subscription_filter
from bot.rules.typed_text import normalize_typed
from storage import audit, jobs, subscriptions
from storage.db import Database
from storage.records import AuditOutcome, ChannelId, NewJob, Subscription

CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


async def add_subscription(
    db: Database, channel: str, words: Sequence[str]
) -> tuple[Subscription, Subscription | None]:
    """Let a channel have the alerts that a filter names; returns the channel's subscription and its former one.

    The filter is one word or several, as the shell splits it. Raises StartRefused.
    """
    if not CHANNEL.fullmatch(channel):
        raise StartRefused(f"{channel[:40]!r} is not a channel id, which looks like C012AB3CD; names change.")
    try:
        wanted = parse_subscription_filter(words[0] if len(words) == 1 else " ".join(map(_requoted, words)))
    except BadFilter as error:
        raise StartRefused(str(error)) from None
    async with db.begin() as tx:
        former = await subscriptions.of_channel(tx, ChannelId(channel))
        subscription = Subscription(ChannelId(channel), str(wanted), created_at=tx.now)
        await subscriptions.add(tx, subscription)
        # The running server tells the channel what was open before.
        await jobs.enqueue(tx, NewJob("subscribed", {"channel": channel}, key=f"subscribed:{channel}"))
        reason = f"cli: {channel} {wanted}".strip()
        await audit.append(tx, build_entry("subscribe", AuditOutcome.DONE, reason=reason))
    return subscription, former


def _requoted(word: str) -> str:
    """A word of several with the quotes that the shell took from its value: `secret-type:My Pattern`."""
    word = normalize_typed(word)
    term, colon, value = word.partition(":")
    if not colon or '"' in word or "'" in word or " " not in value:
        return word
    return f'{term}:"{value}"'


async def remove_subscription(db: Database, channel: str) -> None:
    async with db.begin() as tx:
        if not await subscriptions.remove(tx, ChannelId(channel)):
            raise StartRefused(f"{channel[:40]!r} has no subscription; stanch subscriptions list shows all.")
        await audit.append(tx, build_entry("unsubscribe", AuditOutcome.DONE, reason=f"cli: {channel}"))


async def list_subscriptions(db: Database) -> list[Subscription]:
    async with db.read() as tx:
        return await subscriptions.all_subscriptions(tx)
