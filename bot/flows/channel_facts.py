"""What Slack says of a channel, fresh enough to show alerts in it."""

import structlog

from bot.context import Context
from bot.errors import RetryLater
from integrations.slack import errors
from integrations.slack.facts import ChannelFacts
from storage import saved_values
from storage.db import Tx
from storage.records import ChannelId, UnixTime

log = structlog.get_logger(__name__)
CHANGED = "channel_changed:"
SHARED = "shared_with_another_organization"
LOOK_AGAIN = 3.0
"""Seconds until Slack is asked again where it gave no clear answer."""
TOKEN_TROUBLE = 60.0
"""Seconds until Slack is asked again after it refused our token."""


async def why_unfit(context: Context, channel: ChannelId) -> str | None:
    """Why the channel may not have alerts, as one short word, Slack's own where it has one; None where it may.

    Raises RetryLater where Slack does not say.
    """
    try:
        facts = await channel_facts(context, channel)
    except errors.ChannelUnavailable as error:
        return error.code
    except (errors.SlackRateLimited, errors.SlackUncertain, errors.SlackUnauthorized) as error:
        raise try_later(context, error) from None
    if facts.is_shared_outside:
        return SHARED
    return "is_archived" if facts.is_archived else None


def try_later(context: Context, error: errors.SlackError) -> RetryLater:
    """When to go on: once Slack listens again, may know more, or an operator may have mended the token."""
    wait = LOOK_AGAIN
    if isinstance(error, errors.SlackRateLimited):
        wait = error.retry_after
    elif isinstance(error, errors.SlackUnauthorized):
        log.error("slack_refuses_token", reason=error.code)
        wait = TOKEN_TROUBLE
    return RetryLater(context.clock.now() + wait, str(error))


async def channel_facts(context: Context, channel: ChannelId) -> ChannelFacts:
    """The facts, at most five minutes old, and newer than whatever Slack told any of our processes since.

    Raises SlackError.
    """
    async with context.db.read() as tx:
        changed_at = await saved_values.load(tx, _mark(channel))
    since = float(changed_at) if isinstance(changed_at, int | float) else 0.0
    return await context.platforms.channel(channel, since=since)


async def note_change(tx: Tx, channel: ChannelId) -> None:
    """Slack told of a change: what any process remembers of the channel counts no more."""
    await saved_values.save(tx, _mark(channel), tx.now)


async def forget_changes(tx: Tx, before: UnixTime) -> None:
    """Forget the changes that Slack told of before then; facts that old are asked for anew in any case."""
    await saved_values.prune_times(tx, CHANGED, before)


def _mark(channel: ChannelId) -> str:
    return f"{CHANGED}{channel}"
