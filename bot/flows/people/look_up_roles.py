"""Asks GitHub for a person's roles in the repositories of a look-up page, in few calls.

For each organization on the page:
- one call for each repository;
- one for the membership, if the person is admin of the first repository, as owners are of all;
- one for the security managers, unless they are kept.

An owner or a security manager sees all alerts, so nothing is asked about the other repositories then.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import organization_roles, roles
from bot.flows.people.organization_roles import OrganizationRoles
from bot.rules.rights import BY_LOOK_UP, STANDARD_ROLES, RoleFacts, rights_of
from integrations.github.errors import GitHubError, NotFound
from integrations.github.installation import InstallationClient
from integrations.github.role_facts import RepositoryPermission
from storage import role_cache
from storage.records import Account, InstallationId, Repository, RepositoryId

log = structlog.get_logger(__name__)

Client: TypeAlias = InstallationClient


@dataclass(slots=True)
class Answers:
    """GitHub's answers about several repositories."""

    found: list[tuple[Repository, RoleFacts]] = field(default_factory=list)
    lost: set[RepositoryId] = field(default_factory=set)
    """Repositories to which GitHub no longer gives Stanch access."""
    failed: bool = False
    """GitHub did not answer everything."""


async def ask(
    context: Context, account: Account, repositories: Sequence[Repository], *, no_owner: bool
) -> Answers:
    """Ask about repositories of one owner in one installation, and store the roles.

    With `no_owner` GitHub has lately answered that the person is not an owner of the organization.
    """
    answers = Answers()
    kept: OrganizationRoles | None = None
    try:
        client, current = await _confirm_names(context, repositories, answers)
        if current and current[0].owner_type == "Organization":
            kept = await organization_roles.load(context, context.github.of(client.id), current[0].owner)
        await _ask(context, _Page(client, kept, no_owner), account, current, answers)
    except GitHubError as error:
        log.warning("github_not_asked", reason=str(error))
        answers.failed = True
    asked_at = kept.oldest if kept is not None else None
    async with context.db.begin() as tx:
        for repository, facts in answers.found:
            owner_id, values = repository.owner.id, facts.to_json()
            await role_cache.save(tx, facts.account.id, repository.id, owner_id, values, asked_at=asked_at)
        if kept is not None:
            await kept.save(tx)
    return answers


@dataclass(frozen=True, slots=True)
class _Page:
    client: Client
    """Reaches the repositories of the page alone."""
    kept: OrganizationRoles | None
    """None for a user's repositories."""
    no_owner: bool


async def _confirm_names(
    context: Context, repositories: Sequence[Repository], answers: Answers
) -> tuple[Client, list[Repository]]:
    """The repositories that GitHub still gives access to, as they are now.

    GitHub is asked for roles by a repository's name, which may belong to another repository by now. One call answers
    with the present names of all of them. A repository whose name differs from the stored one is asked about alone.
    """
    installation_id = repositories[0].installation_id or InstallationId(0)
    client = context.github.of(installation_id)
    names: Mapping[int, str] = {}
    # The installation may lack one of them; GitHub does not say which.
    with suppress(NotFound):
        client, names = await client.narrowed(one.id for one in repositories)
    current: list[Repository] = []
    for repository in repositories:
        if names.get(repository.id, "").lower() == repository.full_name.lower():
            current.append(repository)
            continue
        try:
            current.append((await repository_access.reach(context, repository))[0])
        except Refused:
            answers.lost.add(repository.id)
    return client, current


async def _ask(
    context: Context, page: _Page, account: Account, repositories: Sequence[Repository], answers: Answers
) -> None:
    """Fill in `answers`; raises GitHubError for what concerns all repositories."""
    if not repositories:
        return
    first, others = repositories[0], repositories[1:]
    account, permission = await _first_permission(context, page.client, account, first)
    if permission is None:
        nothing = RoleFacts(account, first.owner_type, first.owner.id)
        answers.found += [(repository, nothing) for repository in repositories]
        return
    facts = _facts(account, first, permission)
    if page.kept is not None:
        facts = await _standing(page, first, facts, alone=not others)
    answers.found.append((first, facts))
    if not rights_of(facts).reviewer:
        asked = (_other_repository(page, one, facts) for one in others)
        for repository, other in zip(others, await asyncio.gather(*asked), strict=True):
            if other is None:
                answers.failed = True
            else:
                answers.found.append((repository, other))


async def _first_permission(
    context: Context, client: Client, account: Account, repository: Repository
) -> tuple[Account, RepositoryPermission | None]:
    """The person's permission, and their account with its present login; None if GitHub has no such account.

    A login can be renamed and then belong to another account, so the id in the answer must be the linked one.
    """
    for _ in range(2):
        found = await client.permission(repository.full_name, account.login)
        if found is not None and found.user_id == account.id:
            return account, found
        present = await roles.present_account(context, repository, account)
        if present is None or present == account:
            break
        account = await roles.follow_rename(context, present)
    return account, None


async def _standing(page: _Page, repository: Repository, facts: RoleFacts, *, alone: bool) -> RoleFacts:
    """Add the person's roles in the organization to those in its first repository."""
    assert page.kept is not None
    account = facts.account
    if facts.permission == "admin" and not page.no_owner:
        membership = await page.kept.client.membership(repository.owner.login, account.login)
        known = membership is not None and membership.user_id == account.id and membership.state == "active"
        facts = replace(facts, membership=membership.role if membership and known else None)
        if rights_of(facts).reviewer or alone:
            # An admin sees the alerts of this repository; whether they see others is not needed now.
            return facts
    if await page.kept.is_manager(account.id):
        return replace(facts, security_manager=True, not_asked=facts.not_asked | page.kept.not_asked)
    return await _with_custom_roles(page.kept, facts)


async def _other_repository(page: _Page, repository: Repository, standing: RoleFacts) -> RoleFacts | None:
    """The roles in another repository of the same owner; None where GitHub does not tell.

    `standing` has the roles in the organization.
    """
    try:
        found = await page.client.permission(repository.full_name, standing.account.login)
        if found is not None and found.user_id != standing.account.id:
            found = None
        facts = _facts(standing.account, repository, found)
        if page.kept is None:
            return facts
        return await _with_custom_roles(page.kept, replace(facts, membership=standing.membership))
    except GitHubError as error:
        log.warning("github_not_asked", repository_id=repository.id, reason=str(error))
        return None


async def _with_custom_roles(kept: OrganizationRoles, facts: RoleFacts) -> RoleFacts:
    """Add what custom roles of the organization and of the repository give, and what GitHub refused to list."""
    granted = await kept.granted(facts.account.id)
    if facts.role_name not in STANDARD_ROLES:
        granted |= await kept.granted_in_repository(facts.role_name)
    return replace(facts, granted=granted, not_asked=facts.not_asked | kept.not_asked)


def _facts(account: Account, repository: Repository, found: RepositoryPermission | None) -> RoleFacts:
    return RoleFacts(
        account,
        repository.owner_type,
        repository.owner.id,
        permission=found.permission if found else "none",
        role_name=found.role_name if found else "none",
        not_asked=frozenset({BY_LOOK_UP}),
    )
