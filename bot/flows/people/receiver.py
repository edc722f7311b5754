"""Loads the person to whom an alert is to be handed over: their Slack facts, GitHub account and rights."""

from bot.context import Context
from bot.flows.people import current_rights, roles
from bot.flows.people.current_rights import CurrentRights
from bot.rules.assignment import keep_answered_assignee
from bot.rules.case import Receiver
from bot.rules.hand_over import Obstacle
from bot.rules.outsiders import outsider_reason
from integrations.slack.errors import PersonUnavailable, SlackError
from storage import identities
from storage.records import Repository, SlackTeamId, SlackUserId


async def load_receiver(
    context: Context, user: SlackUserId, repository: Repository, current: CurrentRights
) -> Receiver:
    """The picked person, asked about now; raises GitHubError. `current` has the alert, as GitHub shows it.

    While GitHub is down, `current` has no facts, and the rights are the last known ones.
    Slack's picker offers everybody, and what a form sends is not trusted.
    """
    workspace = await context.platforms.require_workspace()
    try:
        person = await context.platforms.person(user, fresh=True)
    except PersonUnavailable:
        return Receiver(user, Obstacle.UNKNOWN_PERSON)
    except SlackError:
        return Receiver(user, Obstacle.SLACK_UNREACHABLE)
    outsider = outsider_reason(person, workspace)
    if outsider is not None:
        return Receiver(user, outsider)
    async with context.db.read() as tx:
        identity = await identities.of_slack(tx, SlackTeamId(workspace.team_id), user)
    if identity is None:
        return Receiver(user, Obstacle.NOT_LINKED)
    if current.facts is None:
        known = await current_rights.last_known(context, identity, repository, current.alert)
        return Receiver(user, identity=identity, rights=known.rights)
    alert = keep_answered_assignee(current.alert, current.facts)
    rights = await roles.rights(context, identity.github, repository, alert, fresh=True)
    return Receiver(user, identity=identity, rights=rights)
