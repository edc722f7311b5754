"""Loads an alert and a person's rights on it: from GitHub, or as last known while GitHub is down."""

from dataclasses import dataclass, replace

from bot.context import Context
from bot.flows.people import roles
from bot.flows.people.own_name import OwnName
from bot.rules.alert_merge import merge_facts
from bot.rules.assignment import keep_answered_assignee
from bot.rules.rights import OWN_TOKEN, UNPROVEN, Need, Rights
from integrations.github.errors import FeatureOff, Forbidden, GitHubError, NotFound
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
    own_name: OwnName | None = None
    """GitHub in the person's own name; None where the App acts for them."""
    refused: GitHubError | None = None
    """Why GitHub does not show the alert to the person's own token."""

    def allow(self, need: Need) -> bool:
        """Whether the person has the right. In their own name, GitHub decides on a change when it is made."""
        return self.rights.view if self.own_name is not None else self.rights.allow(need)


async def ask_github(
    context: Context,
    identity: Identity,
    repository: Repository,
    access: RepositoryAccess,
    alert: Alert,
    *,
    fresh: bool,
    need: Need = Need.VIEW,
    own_name: OwnName | None = None,
) -> CurrentRights:
    """Ask GitHub for the alert, then for the person's rights on it; raises GitHubError.

    With `own_name` the person's own token asks for the alert, and the answer decides whether they may see it; the App
    does not ask. For an action that needs to resolve the alert, no role is read: GitHub decides when the change is
    made. With `fresh` the role is asked for now; otherwise one of the last five minutes is used again.
    """
    facts, refused = None, None
    try:
        if own_name is not None:
            facts = await own_name.alert(alert.key.number)
        else:
            facts = await access.alert(repository.full_name, alert.key.number)
    except FeatureOff:
        raise
    except (Forbidden, NotFound) as error:
        if own_name is None:
            raise
        refused = error
    merged, answered = alert, None
    if facts is not None:
        merged = merge_facts(alert, facts, repository.id, context.clock.now(), fetched=True)
        answered = keep_answered_assignee(merged, facts)
        if own_name is not None and need is Need.RESOLVE:
            return CurrentRights(merged, facts, OWN_TOKEN, own_name)
    rights = await roles.rights(context, identity.github, repository, answered, fresh=fresh)
    if own_name is not None:
        rights = replace(rights, view=refused is None)
    return CurrentRights(merged, facts, rights, own_name, refused)


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
