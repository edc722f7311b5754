"""Asks GitHub which roles a person has in a repository, and keeps the answers for a while."""

import asyncio
from dataclasses import replace

from bot.context import Context
from bot.rules.rights import (
    BY_LOOK_UP,
    RESOLVE,
    ROLE_PERMISSIONS,
    STANDARD_ROLES,
    Need,
    Rights,
    RoleFacts,
    is_security_manager,
    rights_of,
)
from bot.views import refusals
from integrations.github.errors import Forbidden, Invalid, NotFound
from integrations.github.installation import InstallationClient
from integrations.github.role_facts import OrganizationRole
from storage import identities, role_cache
from storage.records import Account, Alert, GitHubId, Installation, Repository

ROLE_LASTS = 300.0
"""Seconds for which a stored role is used again by actions that do not need a fresh one."""
LOOK_UP_ROLE_LASTS = 3600.0
"""Seconds for which a stored role is used again by look-ups."""
ROLES_THAT_ALLOW = {
    Need.VIEW: ROLE_PERMISSIONS,
    Need.RESOLVE: frozenset({RESOLVE}),
    Need.REVIEW: frozenset[str](),
}
"""Which permissions of a custom role are enough for a right."""


async def rights(
    context: Context, account: Account, repository: Repository, alert: Alert | None, *, fresh: bool
) -> Rights:
    """What the person may do in the repository; raises GitHubError.

    With `fresh` GitHub is asked now; otherwise an answer of the last five minutes is used again. `alert` must be the
    alert as GitHub shows it now: its assignee has rights, and a stored alert may name a former assignee. Call `reach`
    first: GitHub is asked by the repository's name, which another repository may have now.
    """
    known = None if fresh else await _known_roles(context, account, repository, lasts=ROLE_LASTS)
    if known is not None and BY_LOOK_UP not in known.not_asked:
        return rights_of(known, alert, delegated=repository.delegated_dismissal)
    facts = await ask_roles(context, account, repository)
    async with context.db.begin() as tx:
        await role_cache.save(tx, account.id, repository.id, repository.owner.id, facts.to_json())
    return rights_of(facts, alert, delegated=repository.delegated_dismissal)


async def known_rights(
    context: Context, account: Account, repository: Repository, alert: Alert | None, *, lasts: float
) -> Rights | None:
    """What the person may do by a role that was stored at most `lasts` seconds ago; None without one."""
    known = await _known_roles(context, account, repository, lasts=lasts)
    return None if known is None else rights_of(known, alert, delegated=repository.delegated_dismissal)


async def _known_roles(
    context: Context, account: Account, repository: Repository, *, lasts: float
) -> RoleFacts | None:
    async with context.db.read() as tx:
        known = await role_cache.load(tx, account.id, repository.id)
    if known is None or context.clock.now() - known[1] > lasts:
        return None
    return RoleFacts.from_json(known[0])


async def ask_roles(context: Context, account: Account, repository: Repository) -> RoleFacts:
    """Ask GitHub for the person's roles: repository, organization, and custom ones; raises GitHubError.

    A login can be renamed and then belong to another account. So the id in GitHub's answer must be the linked one.
    If it is not, the account's current login is looked up by its id, and GitHub is asked again with that login.
    """
    if repository.installation_id is None:
        raise refusals.repository_out_of_reach(repository)
    installation = context.github.of(repository.installation_id)
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
            return await ask_roles(context, await follow_rename(context, renamed), repository)
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


async def reviews_account(context: Context, account: Account, installation: Installation) -> bool:
    """Whether the person sees all alerts of an installation's account: as an owner, or as a security manager.

    GitHub is asked now. Raises GitHubError.
    """
    if installation.account_type != "Organization":
        return account.id == installation.account.id
    try:
        # The stored login may belong to somebody else by now.
        org = (await context.github.installation(installation.id)).account.login
    except NotFound:
        return False
    client = context.github.of(installation.id)
    found = await client.membership(org, account.login)
    if found is None or found.user_id != account.id:
        present = await _present_login(client, account)
        found = await client.membership(org, present.login) if present else None
    if found is None or found.user_id != account.id or found.state != "active":
        return False
    facts = RoleFacts(account, installation.account_type, installation.account.id, membership=found.role)
    if not rights_of(facts).reviewer:
        facts = await _ask_custom_roles(client, org, facts)
    return rights_of(facts).reviewer


async def present_account(context: Context, repository: Repository, account: Account) -> Account | None:
    """The account with its current login; None if GitHub has no account of that id. Raises GitHubError."""
    assert repository.installation_id is not None
    return await _present_login(context.github.of(repository.installation_id), account)


async def follow_rename(context: Context, account: Account) -> Account:
    """Store an account's present login; returns the account."""
    async with context.db.begin() as tx:
        await identities.rename_login(tx, account.id, account.login)
    return account


async def _present_login(installation: InstallationClient, account: Account) -> Account | None:
    try:
        found = await installation.account_by_id(account.id)
    except NotFound:
        return None
    return Account(GitHubId(found.id), found.login)


async def entitled_people(context: Context, repository: Repository, need: Need) -> frozenset[int]:
    """The ids of GitHub accounts that have the right by a role that can be listed; raises GitHubError.

    These are organization owners, and where the right allows it admins of the repository and holders of roles of the
    organization. Call `reach` first, since GitHub is asked by the repository's name.
    """
    assert repository.installation_id is not None
    installation, org = context.github.of(repository.installation_id), repository.owner.login
    in_organization = repository.owner_type == "Organization"
    if need in (Need.REVIEW, Need.OWNER):
        found = set(await installation.organization_owners(org)) if in_organization else set()
    else:
        found = set(await installation.repository_admins(repository.full_name))
    if in_organization and need is not Need.OWNER:
        enough = ROLES_THAT_ALLOW[need]
        for role, people in await _organization_role_holders(installation, org):
            if is_security_manager(role.name, role.source) or enough & set(role.permissions):
                found |= people
    return frozenset(found)


async def has_custom_viewer(
    context: Context, repository: Repository, *, but: GitHubId, most: int
) -> bool | None:
    """Whether somebody else may view by a custom role of the repository; None with more than `most` people in it.

    Raises GitHubError.
    """
    assert repository.installation_id is not None
    installation = context.github.of(repository.installation_id)
    people = await installation.collaborators(repository.full_name, most + 1)
    if len(people) > most:
        return None
    custom = {one.role_name for one in people if one.user_id != but} - STANDARD_ROLES
    if not custom:
        return False
    known = {
        role.name: frozenset(role.permissions)
        for role in await installation.custom_repository_roles(repository.owner.login)
    }
    # A role that GitHub does not list may come from the enterprise.
    return None if custom - known.keys() else any(known[name] & ROLE_PERMISSIONS for name in custom)


async def _organization_role_holders(
    installation: InstallationClient, org: str
) -> list[tuple[OrganizationRole, frozenset[int]]]:
    """The roles of an organization that give rights on alerts, with the ids of their holders."""
    defined = await installation.organization_roles(org)
    relevant = [
        role
        for role in defined
        if is_security_manager(role.name, role.source) or ROLE_PERMISSIONS & set(role.permissions)
    ]
    holders = await asyncio.gather(*(installation.organization_role_holders(org, r.id) for r in relevant))
    return list(zip(relevant, holders, strict=True))


async def _ask_custom_roles(installation: InstallationClient, org: str, facts: RoleFacts) -> RoleFacts:
    """Add the permissions that organization roles and custom repository roles give.

    GitHub may refuse either list to the app, for lack of a permission or in a plan without custom roles. Then nobody
    has permissions by it, and `not_asked` names it.
    """
    manager, granted = False, frozenset[str]()
    not_asked = set[str]()
    try:
        for role, people in await _organization_role_holders(installation, org):
            if facts.account.id in people:
                manager = manager or is_security_manager(role.name, role.source)
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
