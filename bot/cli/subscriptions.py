"""`stanch subscriptions`: lists, adds and removes channels' subscriptions."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from bot.cli.console import change, read, remark, say, with_database
from bot.errors import StartRefused
from bot.flows.audit import build_entry
from bot.flows.subscribing import subscription_pins
from bot.job_kinds import BackfillChannel
from bot.job_rows import new_job
from bot.rules.filters import BadFilter
from bot.rules.subscription_words import (
    MENTION,
    NOBODY,
    THREAD,
    SubscriptionWords,
    parse_subscription_words,
)
from bot.rules.typed_text import normalize_typed
from storage import audit, jobs, subscriptions
from storage.db import Database, Tx
from storage.records import AuditOutcome, ChannelId, Subscription, ThreadLevel

group = typer.Typer(no_args_is_help=True, help="Which channel gets which alerts.")
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
EVERY_ALERT = "every alert"


@group.command("list")
def print_subscriptions() -> None:
    """List every subscribed channel with its filter."""
    found = read(subscriptions.all_subscriptions)
    for subscription in found:
        say("\t".join([subscription.channel, subscription.filter or EVERY_ALERT, *_extras(subscription)]))
    if not found:
        remark("No channel is subscribed: all alerts go to STANCH_DEFAULT_CHANNEL.")


# Without this setting, click would take a term like -repo:octo/web for an option.
@group.command("add", context_settings={"ignore_unknown_options": True})
def subscribe(
    channel: str, words: Annotated[list[str] | None, typer.Argument(metavar="[FILTER…]")] = None
) -> None:
    """Subscribe a channel to the alerts of a filter, as `org:octo -repo:octo/web`, or to all alerts.

    Options are written like the filter: `thread=all|actions|none`, `mention=none|S012AB3CD` (a user group's id).
    """
    added, former = with_database(lambda db: add_subscription(db, channel, words or []))
    before = f" instead of {former.filter or EVERY_ALERT}" if former else ""
    options = "".join(f", {extra}" for extra in _extras(added))
    say(f"{added.channel} gets {added.filter or EVERY_ALERT}{options}{before}.")


@group.command("remove")
def unsubscribe(channel: str) -> None:
    """End a channel's subscription."""
    change(lambda tx: _remove_subscription(tx, ChannelId(channel)))
    say(f"{channel} gets no more alerts.")


async def add_subscription(
    db: Database, channel: str, words: Sequence[str]
) -> tuple[Subscription, Subscription | None]:
    """Subscribe a channel to the alerts of a filter; returns the subscription and the one that it replaced.

    `words` is the filter as the shell split it: one word or several. Raises StartRefused.
    """
    if not CHANNEL.fullmatch(channel):
        raise StartRefused(f"{channel[:40]!r} is not a channel id, which looks like C012AB3CD; names change.")
    try:
        parsed = parse_subscription_words(words[0] if len(words) == 1 else " ".join(map(_requoted, words)))
    except BadFilter as error:
        raise StartRefused(str(error)) from None
    if parsed.mention is not None and parsed.mention.startswith("@"):
        raise StartRefused(
            f"mention={parsed.mention} can't be looked up here: write the id of the user group, as mention=S012AB3CD."
        )
    async with db.begin() as tx:
        former = await subscriptions.of_channel(tx, ChannelId(channel))
        subscription = _new_subscription(ChannelId(channel), parsed, former, tx)
        subscription = replace(subscription, pinned=await subscription_pins.known_pins(tx, subscription))
        await subscriptions.add(tx, subscription)
        # The running server posts a summary of the alerts that are open already.
        await jobs.enqueue(tx, new_job(BackfillChannel(ChannelId(channel))))
        parts = ["cli:", channel, subscription.filter, *_extras(subscription)]
        reason = " ".join(part for part in parts if part)
        await audit.append(tx, build_entry("subscribe", AuditOutcome.DONE, reason=reason))
    return subscription, former


def _new_subscription(
    channel: ChannelId, words: SubscriptionWords, former: Subscription | None, tx: Tx
) -> Subscription:
    """The subscription; an option that is not written keeps its value."""
    thread = words.thread or (former.thread if former else ThreadLevel.ACTIONS)
    mention = None if words.mention == NOBODY else words.mention
    if words.mention is None and former is not None:
        mention = former.mention
    return Subscription(
        channel, str(words.alert_filter), thread, created_at=tx.now, mention=mention, changed_at=tx.now
    )


def _extras(subscription: Subscription) -> list[str]:
    """What differs from a new subscription without options: its options, and that it is paused."""
    extras = []
    if subscription.thread is not ThreadLevel.ACTIONS:
        extras.append(f"{THREAD}={subscription.thread}")
    if subscription.mention is not None:
        extras.append(f"{MENTION}={subscription.mention}")
    if subscription.paused_at is not None:
        extras.append("paused, because its author has lost the right to it")
    return extras


def _requoted(word: str) -> str:
    """The word with the quotes that the shell removed from its value: `secret-type:My Pattern`."""
    word = normalize_typed(word)
    term, colon, value = word.partition(":")
    if not colon or '"' in word or "'" in word or " " not in value:
        return word
    return f'{term}:"{value}"'


async def _remove_subscription(tx: Tx, channel: ChannelId) -> None:
    if not await subscriptions.remove(tx, channel):
        raise StartRefused(f"{channel[:40]!r} has no subscription; stanch subscriptions list shows all.")
    await audit.append(tx, build_entry("unsubscribe", AuditOutcome.DONE, reason=f"cli: {channel}"))
