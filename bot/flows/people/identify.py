"""Identifies who made a request, and refuses those who may never act here."""

from bot.context import Context
from bot.flows.channel_facts import channel_facts
from bot.rules.permissions import Workspace, outsider_reason
from bot.views import refusals
from integrations.slack.errors import ChannelUnavailable, SlackError
from storage import identities
from storage.records import ChannelId, Identity, SlackTeamId, SlackUserId


async def identify(
    context: Context, user: SlackUserId, channel: ChannelId | None, *, fresh: bool = False
) -> Identity:
    """The identity of a Slack user who acts in a channel; raises Refused for outsiders and unlinked people.

    Slack is asked about the person: in a shared channel the payload of a click names our own team even for people of
    another one. With `fresh` it is asked now; otherwise an answer of the last five minutes is used again.
    """
    workspace = await check_person(context, user, channel, fresh=fresh)
    async with context.db.read() as tx:
        # On Enterprise Grid a person may act from any workspace of the organization; identities are stored for ours.
        identity = await identities.of_slack(tx, SlackTeamId(workspace.team_id), user)
    if identity is None:
        raise refusals.not_linked(user, by_sign_in=context.sign_in is not None)
    return identity


async def check_person(
    context: Context, user: SlackUserId, channel: ChannelId | None, *, fresh: bool
) -> Workspace:
    """Refuse outsiders, and everybody in a channel that outsiders can read; returns our workspace."""
    workspace = await context.platforms.require_workspace()
    try:
        if channel is not None and not channel.startswith("D"):
            facts = await channel_facts(context, channel)
            if facts.is_shared_outside:
                raise refusals.shared_channel()
        person = await context.platforms.person(user, fresh=fresh)
    except ChannelUnavailable as error:
        raise refusals.bot_not_in_channel() from error
    except SlackError as error:
        if error.code == "missing_scope":
            # For example a direct message between several people, which the bot has no scope to read.
            raise refusals.bot_not_in_channel() from error
        raise refusals.slack_unreachable() from error
    outsider = outsider_reason(person, workspace)
    if outsider is not None:
        raise refusals.outsider(outsider)
    return workspace
