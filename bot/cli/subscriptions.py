"""`stanch subscriptions`: lists, adds and removes channels' subscriptions."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.console import remark, run, say
from bot.database import open_database
from bot.errors import StartRefused
from bot.flows.audit import build_entry
from bot.job_kinds import BackfillChannel
from bot.job_rows import new_job
from bot.rules.filters import BadFilter, parse_subscription_filter
from bot.rules.typed_text import normalize_typed
from bot.settings import StorageSettings, load_settings
from storage import audit, jobs, subscriptions
from storage.db import Database
from storage.records import AuditOutcome, ChannelId, Subscription

group = typer.Typer(no_args_is_help=True, help="Which channel gets which alerts.")
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


@group.command("list")
def print_subscriptions() -> None:
    """List every subscribed channel with its filter."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            found = await _list_subscriptions(db)
        for subscription in found:
            say(f"{subscription.channel}\t{subscription.filter or 'every alert'}")
        if not found:
            remark("No channel is subscribed: all alerts go to STANCH_DEFAULT_CHANNEL.")

    run(work(load_settings(StorageSettings)))


# Without this setting, click would take a term like -repo:octo/web for an option.
@group.command("add", context_settings={"ignore_unknown_options": True})
def subscribe(
    channel: str, words: Annotated[list[str] | None, typer.Argument(metavar="[FILTER…]")] = None
) -> None:
    """Subscribe a channel to the alerts of a filter, as `org:octo -repo:octo/web`, or to all alerts."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            added, former = await add_subscription(db, channel, words or [])
        before = f" instead of {former.filter or 'every alert'}" if former else ""
        say(f"{added.channel} gets {added.filter or 'every alert'}{before}.")

    run(work(load_settings(StorageSettings)))


@group.command("remove")
def unsubscribe(channel: str) -> None:
    """End a channel's subscription."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            await _remove_subscription(db, channel)
            say(f"{channel} gets no more alerts.")

    run(work(load_settings(StorageSettings)))


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


async def _remove_subscription(db: Database, channel: str) -> None:
    async with db.begin() as tx:
        if not await subscriptions.remove(tx, ChannelId(channel)):
            raise StartRefused(f"{channel[:40]!r} has no subscription; stanch subscriptions list shows all.")
        await audit.append(tx, build_entry("unsubscribe", AuditOutcome.DONE, reason=f"cli: {channel}"))


async def _list_subscriptions(db: Database) -> list[Subscription]:
    async with db.read() as tx:
        return await subscriptions.all_subscriptions(tx)
