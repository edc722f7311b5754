"""Asks Slack who can read a channel: the whole workspace, or guests."""

import asyncio

from bot.context import Context
from bot.errors import RetryLater
from bot.rules.outsiders import outsider_reason
from bot.views import refusals
from bot.views.subscription_refusals import archived_channel, bot_not_invited, no_channel, slack_silent
from integrations.slack.errors import (
    ChannelUnavailable,
    PersonUnavailable,
    SlackError,
    SlackRateLimited,
)
from storage.records import Audience, ChannelId, SlackUserId

MOST_MEMBERS = 100
"""In a channel with more members Slack is not asked who is a guest: that takes a call for each."""
AT_ONCE = 10
"""Calls to Slack at once."""
GUESTS = frozenset({"guest", "other_organization"})


async def read_audience(context: Context, channel: ChannelId) -> Audience:
    """Who can read the channel now. Raises Refused where it can't be subscribed, and RetryLater."""
    if channel.startswith("D"):
        raise no_channel()
    try:
        facts = await context.platforms.channel(channel, since=context.clock.now())
        if facts.is_direct:
            raise no_channel()
        if facts.is_shared_outside:
            raise refusals.shared_channel()
        if facts.is_archived:
            raise archived_channel()
        if not facts.is_member:
            raise bot_not_invited()
        return Audience(facts.is_public, await _guests(context, channel))
    except SlackRateLimited as error:
        raise RetryLater(context.clock.now() + error.retry_after, str(error)) from None
    except ChannelUnavailable as error:
        raise refusals.bot_not_in_channel() from error
    except SlackError as error:
        if error.code == "missing_scope":
            # For example a direct message between several people, which the bot has no scope to read.
            raise refusals.bot_not_in_channel() from error
        raise slack_silent("this channel") from error


async def _guests(context: Context, channel: ChannelId) -> tuple[SlackUserId, ...] | None:
    members = await context.slack.members(channel, most=MOST_MEMBERS)
    if members is None:
        return None
    guests: list[SlackUserId] = []
    for at in range(0, len(members), AT_ONCE):
        some = [SlackUserId(user) for user in members[at : at + AT_ONCE]]
        are_guests = await asyncio.gather(*(_is_guest(context, user) for user in some))
        guests += [user for user, is_guest in zip(some, are_guests, strict=True) if is_guest]
    return tuple(sorted(guests))


async def _is_guest(context: Context, user: SlackUserId) -> bool:
    """Whether somebody is not an ordinary member of the workspace; also if Slack does not show who it is."""
    workspace = await context.platforms.require_workspace()
    try:
        return outsider_reason(await context.platforms.person(user), workspace) in GUESTS
    except PersonUnavailable:
        return True
