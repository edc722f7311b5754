"""Loads an alert and a person's rights on it: from GitHub, or as last known while GitHub is down."""

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
class CurrentRights:
    """An alert and what one person may do with it."""

    alert: Alert
    facts: AlertFacts | None
    """GitHub's answer; None while GitHub is down."""
    rights: Rights


async def ask_github(
    context: Context,
    identity: Identity,
    repository: Repository,
    access: RepositoryAccess,
    alert: Alert,
    *,
    fresh: bool,
) -> CurrentRights:
    """Ask GitHub for the alert, then for the person's rights on it; raises GitHubError.

    With `fresh` the role is asked for now; otherwise one of the last five minutes is used again.
    """
    facts = await access.alert(repository.full_name, alert.key.number)
    merged = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
    rights = await roles.rights(
        context, identity.github, repository, keep_answered_assignee(merged, facts), fresh=fresh
    )
    return CurrentRights(merged, facts, rights)


async def last_known(
    context: Context, identity: Identity, repository: Repository, alert: Alert
) -> CurrentRights:
    """The stored alert, and rights by a role of the last hour.

    Without a stored role the person gets UNPROVEN rights. They are enough only for actions that change nothing on
    GitHub, and the person's role is checked once GitHub is back.
    """
    account = identity.github
    rights = await roles.known_rights(context, account, repository, None, lasts=roles.LOOK_UP_ROLE_LASTS)
    if rights is None or not rights.view:
        # A role that denies it counts for five minutes only: they may have got another one since.
        rights = await roles.known_rights(context, account, repository, None, lasts=roles.ROLE_LASTS)
    return CurrentRights(alert, None, rights or UNPROVEN)
