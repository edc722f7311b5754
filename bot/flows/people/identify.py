"""Identifies who made a request, and refuses those who may never act here."""

from bot.context import Context
from bot.flows.channel_facts import channel_facts
from bot.rules.outsiders import Workspace, outsider_reason
from bot.rules.source_rights import Deed, source_obstacle
from bot.views import link_refusals, refusals
from integrations.slack.errors import ChannelUnavailable, SlackError
from storage import identities, sign_ins
from storage.records import ChannelId, Identity, SlackTeamId, SlackUserId, Suspension


async def identify(
    context: Context,
    user: SlackUserId,
    channel: ChannelId | None,
    *,
    fresh: bool = False,
    deed: Deed = Deed.LOOK_UP,
    verb_phrase: str = "do this",
) -> Identity:
    """The identity of a Slack user who does something in a channel.

    Raises Refused for outsiders, for people without a link or with a suspended one, and if the source of the link
    does not allow the `deed`. The refusal names the deed by `verb_phrase`.

    Slack is asked about the person: in a shared channel the payload of a click names our own team even for people of
    another one. With `fresh` it is asked now; otherwise an answer of the last five minutes is used again.
    """
    workspace = await check_person(context, user, channel, fresh=fresh)
    team = SlackTeamId(workspace.team_id)
    async with context.db.read() as tx:
        # On Enterprise Grid a person may act from any workspace of the organization; identities are stored for ours.
        identity = await identities.of_slack(tx, team, user, suspended=True)
        signed_in = None if identity else await sign_ins.load(tx, team, user)
    can_sign_in = context.sign_in is not None
    if signed_in is not None:
        # Their account is linked to another Slack user.
        login, reason = signed_in.github.login, signed_in.suspension or Suspension.SIGNED_IN_ELSEWHERE
        raise link_refusals.claimed_by_others(login, reason, can_sign_in=can_sign_in)
    if identity is None:
        raise refusals.not_linked(user, by_sign_in=can_sign_in)
    if identity.suspension is not None:
        raise link_refusals.suspended(identity, can_sign_in=can_sign_in)
    obstacle = source_obstacle(identity.source, deed, context.options)
    if obstacle == "not_linked":
        raise refusals.not_linked(user, by_sign_in=can_sign_in)
    if obstacle is not None:
        raise link_refusals.source_too_weak(obstacle, verb_phrase, can_sign_in=can_sign_in)
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
