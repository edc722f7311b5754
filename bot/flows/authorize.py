"""Who somebody is, which repository is meant, and what GitHub lets that person do there."""

import asyncio
from dataclasses import replace

import structlog

from bot.errors import Refused
from bot.flows.channels import channel_facts
from bot.rules.permissions import (
    RESOLVE,
    SECURITY_MANAGER,
    STANDARD_ROLES,
    VIEW,
    Need,
    Rights,
    RoleFacts,
    outsider_reason,
    rights_of,
)
from bot.tools import Tools
from bot.views import refusals
from bot.views.repositories import change_words
from integrations.github.errors import Forbidden, GitHubError, InstallationGone, Invalid, NotFound
from integrations.github.installation import Installation
from integrations.github.models import RepositoryFacts
from integrations.github.repository_access import RepositoryAccess
from integrations.slack.errors import ChannelUnavailable, SlackError
from storage import identities, jobs, repositories, roles
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    ChannelId,
    GitHubId,
    Identity,
    NewJob,
    Repository,
    RepositoryState,
    SlackTeamId,
    SlackUserId,
)

log = structlog.get_logger(__name__)
ROLE_LASTS = 300.0
"""Seconds for which a role is used again where it need not be asked afresh."""
LOOK_LASTS = 3600.0
"""Seconds for which a role is used again where somebody only looks."""
ROLE_PERMISSIONS = frozenset({VIEW, RESOLVE})


async def identify(
    tools: Tools, user: SlackUserId, channel: ChannelId | None, *, fresh: bool = False
) -> Identity:
    """The identity of a Slack user who acts in a channel; raises Refused for those who may never act here.

    Slack is asked about the person, since the payload of a click from a shared channel names our own team. With
    `fresh` it is asked now; otherwise an answer of the last five minutes counts.
    """
    home = await tools.around.our_home()
    try:
        if channel is not None and not channel.startswith("D"):
            facts = await channel_facts(tools, channel)
            if facts.is_shared_outside:
                raise refusals.shared_channel()
        person = await tools.around.person(user, fresh=fresh)
    except ChannelUnavailable as error:
        raise refusals.unseen_channel() from error
    except SlackError as error:
        if error.code == "missing_scope":
            # A direct message of several people, say, of which the bot has no right to know anything.
            raise refusals.unseen_channel() from error
        raise refusals.slack_unreachable() from error
    outsider = outsider_reason(person, home)
    if outsider is not None:
        raise refusals.outsider(outsider)
    async with tools.db.read() as tx:
        # On Grid a person may act from any workspace of the organization; the identity is kept for ours.
        identity = await identities.of_slack(tx, SlackTeamId(home.team_id), user)
    if identity is None:
        raise refusals.not_linked(user)
    return identity


async def reach(tools: Tools, repository: Repository) -> tuple[Repository, RepositoryFacts, RepositoryAccess]:
    """The repository as it is now, and access to it alone.

    A name can be registered anew by a stranger, so the token is minted for the stored id and the name must answer
    with that id; where it does not, GitHub tells the present name by the id, and that one must.
    Raises Refused where GitHub does not show the id any more (404, 410, 451), and GitHubError for every other
    failure: a 403 with a reason, as of an IP allow list, says nothing of where the repository is.
    """
    if repository.installation_id is None:
        raise refusals.repository_out_of_reach(repository)
    access = tools.github.of(repository.installation_id).only(repository.id)
    try:
        facts = await _by_name(access, repository)
        if facts is None:
            facts = await access.current()
            facts = await _by_name(access, replace(repository, full_name=facts.full_name))
    except (NotFound, InstallationGone) as error:
        raise refusals.repository_out_of_reach(repository) from error
    if facts is None:
        raise refusals.repository_out_of_reach(repository)
    now = replace(
        repository,
        full_name=facts.full_name,
        owner=Account(GitHubId(facts.owner.id), facts.owner.login),
        owner_type=facts.owner_type,
        visibility=facts.visibility,
        html_url=facts.html_url or repository.html_url,
        # GitHub leaves its settings out of an answer at times: then what it said before still counts.
        delegated_dismissal=(
            repository.delegated_dismissal if facts.delegated_dismissal is None else facts.delegated_dismissal
        ),
        state=RepositoryState.REACHABLE,
    )
    if now != repository:
        async with tools.db.begin() as tx:
            await remember_repository(tx, repository, now)
    return now, facts, access


async def _by_name(access: RepositoryAccess, repository: Repository) -> RepositoryFacts | None:
    """What answers to the stored name, if it is the stored repository."""
    try:
        facts = await access.repository(repository.full_name)
    except NotFound:
        return None
    return facts if facts.id == repository.id else None


async def remember_repository(tx: Tx, before: Repository, now: Repository) -> None:
    """Store a repository as GitHub shows it now, and have its cards tell what changed."""
    await repositories.save_repository(tx, now)
    what = change_words(before, now)
    if what is not None:
        await jobs.enqueue(tx, NewJob("repository", {"id": now.id, "what": what}, key=f"repository:{now.id}"))


async def rights(
    tools: Tools, account: Account, repository: Repository, alert: Alert | None, *, fresh: bool
) -> Rights:
    """What the person may do in the repository, asked afresh or a few minutes old; raises GitHubError.

    `alert` is the alert as GitHub shows it now, since its assignee has rights: a stored one may name a former one.
    GitHub is asked by the repository's name, so `reach` comes first: whoever took the name over since may have made
    our person its admin.
    """
    known = None if fresh else await known_rights(tools, account, repository, alert, lasts=ROLE_LASTS)
    if known is not None:
        return known
    facts = await ask_roles(tools, account, repository)
    async with tools.db.begin() as tx:
        await roles.save(tx, account.id, repository.id, repository.owner.id, facts.to_json())
    return rights_of(facts, alert, delegated=repository.delegated_dismissal)


async def known_rights(
    tools: Tools, account: Account, repository: Repository, alert: Alert | None, *, lasts: float
) -> Rights | None:
    """What GitHub said at most `lasts` seconds ago that the person may do, or None; nobody is asked."""
    async with tools.db.read() as tx:
        known = await roles.load(tx, account.id, repository.id)
    if known is None or tools.clock.now() - known[1] > lasts:
        return None
    return rights_of(RoleFacts.from_json(known[0]), alert, delegated=repository.delegated_dismissal)


def check_need(rights: Rights, need: Need, wish: str, repository: Repository, login: str) -> None:
    """Raise Refused unless the rights allow it; `wish` says what was wanted: `close this alert`.

    Whoever may not even view gets the words of an alert that doesn't exist.
    """
    if rights.allow(need):
        return
    if not rights.view:
        raise refusals.not_theirs("no_role")
    raise refusals.lacks_role(wish, rights.role, login, repository)


async def ask_roles(tools: Tools, account: Account, repository: Repository) -> RoleFacts:
    """Ask GitHub for the person's roles: repository, organization, and custom ones; raises GitHubError.

    Logins change hands: the id that GitHub answers with must be the linked one, else the account's present login
    is looked up by its id and asked about instead.
    """
    if repository.installation_id is None:
        raise refusals.repository_out_of_reach(repository)
    installation = tools.github.of(repository.installation_id)
    permission = await installation.permission(repository.full_name, account.login)
    membership = None
    if repository.owner_type == "Organization":
        membership = await installation.membership(repository.owner.login, account.login)
    answered = {found.user_id for found in (permission, membership) if found is not None}
    if answered - {account.id} or not answered:
        renamed = await _present_login(installation, account)
        if renamed is None:
            return RoleFacts(account, repository.owner_type, repository.owner.id)
        if renamed != account:
            async with tools.db.begin() as tx:
                await identities.rename_login(tx, account.id, renamed.login)
            return await ask_roles(tools, renamed, repository)
        if answered - {account.id}:
            return RoleFacts(account, repository.owner_type, repository.owner.id)
    facts = RoleFacts(
        account,
        repository.owner_type,
        repository.owner.id,
        membership=membership.role if membership and membership.state == "active" else None,
        permission=permission.permission if permission else "none",
        role_name=permission.role_name if permission else "none",
    )
    if rights_of(facts).reviewer or repository.owner_type != "Organization":
        return facts
    return await _ask_custom_roles(installation, repository.owner.login, facts)


async def present_account(tools: Tools, repository: Repository, account: Account) -> Account | None:
    """The account with the login that it has now; None where GitHub has no such account. Raises GitHubError."""
    assert repository.installation_id is not None
    return await _present_login(tools.github.of(repository.installation_id), account)


async def _present_login(installation: Installation, account: Account) -> Account | None:
    try:
        found = await installation.account_by_id(account.id)
    except NotFound:
        return None
    return Account(GitHubId(found.id), found.login)


async def _ask_custom_roles(installation: Installation, org: str, facts: RoleFacts) -> RoleFacts:
    """Add what organization roles and custom repository roles give.

    Either list may be closed to the app (a permission not granted, a plan without it); then nobody has a role by it.
    """
    manager, granted = False, frozenset[str]()
    not_asked = set[str]()
    try:
        defined = await installation.organization_roles(org)
        telling = [r for r in defined if r.name == SECURITY_MANAGER or ROLE_PERMISSIONS & set(r.permissions)]
        holders = await asyncio.gather(*(installation.organization_role_holders(org, r.id) for r in telling))
        for role, people in zip(telling, holders, strict=True):
            if facts.account.id in people:
                manager = manager or role.name == SECURITY_MANAGER
                granted |= ROLE_PERMISSIONS & set(role.permissions)
    except (Forbidden, NotFound, Invalid):
        not_asked.add("organization_roles")
    if facts.role_name not in STANDARD_ROLES:
        try:
            for custom in await installation.custom_repository_roles(org):
                if custom.name == facts.role_name:
                    granted |= ROLE_PERMISSIONS & set(custom.permissions)
        except (Forbidden, NotFound, Invalid):
            not_asked.add("custom_roles")
    return replace(facts, security_manager=manager, granted=granted, not_asked=frozenset(not_asked))


def unreachable_github(error: GitHubError) -> Refused:
    """What a person is told when GitHub can't be asked: then the answer is no."""
    log.warning("github_not_asked", reason=str(error))
    return refusals.github_unreachable(error)
