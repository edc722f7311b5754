"""`stanch subscriptions`: lists, adds and removes channels' subscriptions."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.console import change, read, remark, say, with_database
from bot.errors import StartRefused
from bot.flows.audit import build_entry
from bot.job_kinds import BackfillChannel
from bot.job_rows import new_job
from bot.rules.filters import BadFilter, parse_subscription_filter
from bot.rules.typed_text import normalize_typed
from storage import audit, jobs, subscriptions
from storage.db import Database, Tx
from storage.records import AuditOutcome, ChannelId, Subscription

group = typer.Typer(no_args_is_help=True, help="Which channel gets which alerts.")
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


@group.command("list")
def print_subscriptions() -> None:
    """List every subscribed channel with its filter."""
    found = read(subscriptions.all_subscriptions)
    for subscription in found:
        say(f"{subscription.channel}\t{subscription.filter or 'every alert'}")
    if not found:
        remark("No channel is subscribed: all alerts go to STANCH_DEFAULT_CHANNEL.")


# Without this setting, click would take a term like -repo:octo/web for an option.
@group.command("add", context_settings={"ignore_unknown_options": True})
def subscribe(
    channel: str, words: Annotated[list[str] | None, typer.Argument(metavar="[FILTER…]")] = None
) -> None:
    """Subscribe a channel to the alerts of a filter, as `org:octo -repo:octo/web`, or to all alerts."""
    added, former = with_database(lambda db: add_subscription(db, channel, words or []))
    before = f" instead of {former.filter or 'every alert'}" if former else ""
    say(f"{added.channel} gets {added.filter or 'every alert'}{before}.")


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
        parsed = parse_subscription_filter(words[0] if len(words) == 1 else " ".join(map(_requoted, words)))
    except BadFilter as error:
        raise StartRefused(str(error)) from None
    async with db.begin() as tx:
        former = await subscriptions.of_channel(tx, ChannelId(channel))
        subscription = Subscription(ChannelId(channel), str(parsed), created_at=tx.now)
        await subscriptions.add(tx, subscription)
        # The running server posts a summary of the alerts that are open already.
        await jobs.enqueue(tx, new_job(BackfillChannel(ChannelId(channel))))
        reason = f"cli: {channel} {parsed}".strip()
        await audit.append(tx, build_entry("subscribe", AuditOutcome.DONE, reason=reason))
    return subscription, former


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
