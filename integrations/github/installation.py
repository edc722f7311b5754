"""One installation of the GitHub App: its repositories, people, roles and alerts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from integrations.github import role_facts
from integrations.github.accounts import GitHubAccount, needed_account
from integrations.github.app_auth import Minted, TokenScope
from integrations.github.app_facts import has_completed_scan
from integrations.github.commit_facts import CommitFacts, parse_commit
from integrations.github.errors import NotFound
from integrations.github.facts import AlertFacts, RepositoryFacts, parse_alert, parse_repository
from integrations.github.granted import CONTENTS, GrantedPermissions
from integrations.github.json_fields import json_objects
from integrations.github.repository import RepositoryAccess
from integrations.github.typed_calls import TypedCalls
from integrations.json_types import JsonObject

T = TypeVar("T")
_LATEST_FIRST = "?sort=updated&direction=desc&hide_secret=true&per_page=100{&secret_type}"
MOST_ADMINS = 100
"""`repository_admins` reads so many."""


class InstallationClient:
    """Calls with the token of one installation. Methods raise GitHubError; NotFound also without a usable name."""

    def __init__(
        self,
        scope: TokenScope,
        calls_with: Callable[[TokenScope], TypedCalls],
        *,
        granted: GrantedPermissions,
        renew: Callable[[TokenScope], Awaitable[Minted]],
    ) -> None:
        """`renew` mints a token of a scope although there may be one."""
        self.id = scope.installation_id
        self._calls = calls_with(scope)
        self._calls_with = calls_with
        self._granted = granted
        self._renew = renew

    def only(self, repository_id: int) -> RepositoryAccess:
        """Access by a token that is restricted to this repository."""
        scope = TokenScope(self.id, frozenset({repository_id}))
        return RepositoryAccess(self._calls_with(scope), repository_id)

    async def narrowed(self, repository_ids: Iterable[int]) -> "tuple[InstallationClient, Mapping[int, str]]":
        """A client that reaches these repositories alone, and their present full names by id, in one call.

        Raises NotFound if the installation lacks one of them. GitHub's docs: a token takes at most 500 ids.
        """
        scope = TokenScope(self.id, frozenset(repository_ids))
        minted = await self._renew(scope)
        client = InstallationClient(scope, self._calls_with, granted=self._granted, renew=self._renew)
        return client, minted.repository_names

    async def may_read_contents(self) -> bool:
        """Whether the installation has the optional permission to read repositories' contents."""
        return CONTENTS in await self._granted.of(self.id)

    async def commit(self, repository_id: int, full_name: str, sha: str) -> CommitFacts:
        """A commit, read with a token that can read this repository's contents and nothing else.

        Raises Invalid (422) where the repository has no such commit.
        """
        calls = self._calls_with(TokenScope(self.id, frozenset({repository_id}), contents=True))
        # The answer lists the changed files, which Stanch does not need: one at most.
        path = "/repos/{owner}/{repo}/commits/{ref}?per_page=1"
        return await calls.get(parse_commit, path, full_name=full_name, ref=sha)

    def repositories(self) -> AsyncIterator[RepositoryFacts]:
        """All repositories of the installation."""
        path = "/installation/repositories?per_page=100"
        return self._calls.each(parse_repository, path, key="repositories")

    async def repository(self, full_name: str) -> RepositoryFacts:
        """The repository that has this name now. Raises NotFound if the installation does not have it."""
        return await self._calls.get(parse_repository, "/repos/{owner}/{repo}", full_name=full_name)

    async def was_scanned(self, full_name: str) -> bool:
        """Whether a secret scan of the repository was ever completed. Raises FeatureOff where scanning is off."""
        path = "/repos/{owner}/{repo}/secret-scanning/scan-history"
        return await self._calls.get(has_completed_scan, path, full_name=full_name)

    async def account(self, login: str) -> GitHubAccount:
        """The account that has this login now. Raises NotFound without one."""
        return await self._calls.get(_account, "/users/{username}", username=login)

    async def account_by_id(self, account_id: int) -> GitHubAccount:
        """The account with this id, and its current login."""
        return await self._calls.get(_account, "/user/{account_id}", account_id=account_id)

    async def membership(self, org: str, login: str) -> role_facts.Membership | None:
        """A person's membership in an organization; None without one."""
        path = "/orgs/{org}/memberships/{username}"
        try:
            return await self._calls.get(role_facts.parse_membership, path, org=org, username=login)
        except NotFound:
            return None

    async def permission(self, full_name: str, login: str) -> role_facts.RepositoryPermission | None:
        """A person's permission in a repository; None where GitHub answers 404 for either."""
        path = "/repos/{owner}/{repo}/collaborators/{username}/permission"
        try:
            return await self._calls.get(
                role_facts.parse_permission, path, full_name=full_name, username=login
            )
        except NotFound:
            return None

    async def repository_admins(self, full_name: str) -> frozenset[int]:
        """The ids of up to 100 admins of a repository, whether direct, by a team or as organization owners."""
        path = "/repos/{owner}/{repo}/collaborators?permission=admin&per_page=100"
        found: set[int] = set()
        async for person in self._calls.each(_account, path, full_name=full_name):
            found.add(person.id)
            if len(found) == MOST_ADMINS:
                break
        return frozenset(found)

    async def organization_owners(self, org: str) -> frozenset[int]:
        """The ids of all owners of an organization."""
        path = "/orgs/{org}/members?role=admin&per_page=100"
        return frozenset([owner.id async for owner in self._calls.each(_account, path, org=org)])

    async def collaborators(self, full_name: str, most: int) -> tuple[role_facts.RepositoryPermission, ...]:
        """Up to `most` people who can read a repository, each with the highest role of all sources."""
        path = "/repos/{owner}/{repo}/collaborators?per_page=100"
        found: list[role_facts.RepositoryPermission] = []
        async for person in self._calls.each(role_facts.parse_collaborator, path, full_name=full_name):
            found.append(person)
            if len(found) == most:
                break
        return tuple(found)

    async def organization_roles(self, org: str) -> tuple[role_facts.OrganizationRole, ...]:
        """All roles of an organization. Needs the permission `organization_custom_org_roles: read`."""
        read = partial(_listed, "roles", role_facts.parse_organization_role)
        return await self._calls.get(read, "/orgs/{org}/organization-roles", org=org)

    async def organization_role_holders(self, org: str, role_id: int) -> frozenset[int]:
        """The ids of all users who have a role, directly or by a team."""
        path = "/orgs/{org}/organization-roles/{role_id}/users?per_page=100"
        holders = self._calls.each(_account, path, org=org, role_id=role_id)
        return frozenset([holder.id async for holder in holders])

    async def custom_repository_roles(self, org: str) -> tuple[role_facts.CustomRepositoryRole, ...]:
        """The custom repository roles of an organization. Needs the permission `organization_custom_roles: read`."""
        read = partial(_listed, "custom_roles", role_facts.parse_custom_repository_role)
        return await self._calls.get(read, "/orgs/{org}/custom-repository-roles", org=org)

    def organization_alerts(
        self, org: str, *, secret_types: Iterable[str] = ()
    ) -> AsyncIterator[tuple[RepositoryFacts, AlertFacts]]:
        """All alerts of an organization with their repositories, the latest change first.

        `secret_types` are GitHub's slugs. GitHub's docs: without any, only alerts of default patterns are listed;
        generic patterns must be named.
        """
        path = "/orgs/{org}/secret-scanning/alerts" + _LATEST_FIRST
        return self._calls.each(
            _alert_with_repository, path, org=org, secret_type=",".join(secret_types) or None
        )

    def repository_alerts(
        self, full_name: str, *, secret_types: Iterable[str] = ()
    ) -> AsyncIterator[AlertFacts]:
        """All alerts of a repository, the latest change first; `secret_types` as for `organization_alerts`."""
        path = "/repos/{owner}/{repo}/secret-scanning/alerts" + _LATEST_FIRST
        read = partial(parse_alert, repository_url=f"{self._calls.web_url}/{full_name}")
        return self._calls.each(read, path, full_name=full_name, secret_type=",".join(secret_types) or None)


def _account(raw: JsonObject) -> GitHubAccount:
    return needed_account(raw, "the account")


def _alert_with_repository(raw: JsonObject) -> tuple[RepositoryFacts, AlertFacts]:
    repository = raw.get("repository")
    facts = parse_repository(repository if isinstance(repository, dict) else {})
    return facts, parse_alert(raw, repository_url=facts.html_url)


def _listed(key: str, read: Callable[[JsonObject], T], raw: JsonObject) -> tuple[T, ...]:
    return tuple(read(item) for item in json_objects(raw.get(key)))
