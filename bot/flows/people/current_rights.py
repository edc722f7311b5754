"""An alert and somebody's rights on it: as GitHub answers now, or as last known while GitHub is down."""

from dataclasses import dataclass

from bot.context import Context
from bot.flows.people import roles
from bot.rules.alert_merge import merge_facts
from bot.rules.assignment import keep_answered_assignee
from bot.rules.permissions import UNPROVEN, Rights
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from storage.records import Alert, Identity, Repository


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as GitHub answered just now, and what somebody may do with it."""

    alert: Alert
    facts: AlertFacts | None
    """GitHub's answer; None while GitHub is down."""
    rights: Rights


async def see(
    context: Context,
    identity: Identity,
    repository: Repository,
    access: RepositoryAccess,
    alert: Alert,
    *,
    fresh: bool,
) -> Seen:
    """Ask GitHub for the alert, then for the person's rights on what it answers; raises GitHubError."""
    facts = await access.alert(repository.full_name, alert.key.number)
    merged = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
    granted = await roles.rights(
        context, identity.github, repository, keep_answered_assignee(merged, facts), fresh=fresh
    )
    return Seen(merged, facts, granted)


async def remember(context: Context, identity: Identity, repository: Repository, alert: Alert) -> Seen:
    """The same while GitHub is down: the alert as it is stored, and rights of the last hour.

    Somebody of whom nothing is known gets the benefit of the doubt, for what changes nothing on GitHub: whoever
    takes an alert is looked at again once GitHub is back.
    """
    granted = await roles.known_rights(context, identity.github, repository, None, lasts=roles.LOOK_LASTS)
    if granted is None or not granted.view:
        # They may have been given the right since.
        granted = await roles.known_rights(context, identity.github, repository, None, lasts=roles.ROLE_LASTS)
    return Seen(alert, None, granted or UNPROVEN)
