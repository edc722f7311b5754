"""Asks Slack about a channel, and says whether alerts may be shown in it."""

import structlog

from bot.context import Context
from bot.errors import RetryLater
from integrations.slack import errors
from integrations.slack.facts import ChannelFacts
from storage import saved_values
from storage.db import Tx
from storage.records import ChannelId, StoredJson, UnixTime

log = structlog.get_logger(__name__)
CHANGED = "channel_changed:"
"""Prefix of the saved values that hold when Slack last told of a change to a channel."""
SHARED = "shared_with_another_organization"
"""Why a channel shared by Slack Connect may not have alerts."""
ASK_AGAIN = 3.0
"""Seconds until Slack is asked again after an unclear answer."""
TOKEN_TROUBLE = 60.0
"""Seconds until Slack is asked again after it refused our token."""


async def unfit_reason(context: Context, channel: ChannelId, changed_at: UnixTime) -> str | None:
    """Why the channel may not have alerts: Slack's error code, or Stanch's own short reason; None if it may.

    `changed_at` is when Slack last sent a change to the channel. Raises RetryLater if Slack does not answer.
    """
    try:
        facts = await context.platforms.channel(channel, since=changed_at)
    except errors.ChannelUnavailable as error:
        return error.code
    except (errors.SlackRateLimited, errors.SlackUncertain, errors.SlackUnauthorized) as error:
        raise retry_later(context, error) from None
    if facts.is_shared_outside:
        return SHARED
    return "is_archived" if facts.is_archived else None


def retry_later(context: Context, error: errors.SlackError) -> RetryLater:
    """The error that makes a job wait: for Slack's rate limit, or until an operator may have replaced the token."""
    wait = ASK_AGAIN
    if isinstance(error, errors.SlackRateLimited):
        wait = error.retry_after
    elif isinstance(error, errors.SlackUnauthorized):
        log.error("slack_refuses_token", reason=error.code)
        wait = TOKEN_TROUBLE
    return RetryLater(context.clock.now() + wait, str(error))


async def channel_facts(context: Context, channel: ChannelId) -> ChannelFacts:
    """The facts, at most five minutes old and newer than the last change that Slack sent to any of our processes.

    Raises SlackError.
    """
    async with context.db.read() as tx:
        changed_at = time_of_change(await saved_values.load(tx, _saved_name(channel)))
    return await context.platforms.channel(channel, since=changed_at)


def time_of_change(saved: StoredJson) -> UnixTime:
    """When Slack last sent a change of a channel, from the saved value; 0 for never."""
    return float(saved) if isinstance(saved, int | float) else 0.0


async def save_channel_change(tx: Tx, channel: ChannelId) -> None:
    """Save that Slack sent a change of the channel, so that no process uses cached facts from before it."""
    await saved_values.save(tx, _saved_name(channel), tx.now)


async def delete_channel_changes(tx: Tx, before: UnixTime) -> None:
    """Delete changes from before then; cached facts that old are not used in any case."""
    await saved_values.prune_times(tx, CHANGED, before)


def _saved_name(channel: ChannelId) -> str:
    return f"{CHANGED}{channel}"
