"""A person's rights on a repository, from all sources that GitHub has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.sandbox.github.records import (
    GitHubOrganizationRole,
    GitHubRepository,
    GitHubUser,
    Organization,
    RepositoryOwner,
)

LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
SECURITY_MANAGER = "security_manager"
VIEW_ALERTS = "view_secret_scanning_alerts"
RESOLVE_ALERTS = "resolve_secret_scanning_alerts"


@dataclass(frozen=True, slots=True)
class EffectiveRole:
    """A person's highest role: its name (custom or one of GitHub's) and its base level."""

    name: str
    level: str

    @property
    def permission(self) -> str:
        """GitHub's docs, collaborators: "maintain" is given as `write`, "triage" as `read`."""
        return {"maintain": "write", "triage": "read"}.get(self.level, self.level)

    @property
    def flags(self) -> dict[str, bool]:
        rank = LEVELS.index(self.level)
        names = {
            "pull": "read",
            "triage": "triage",
            "push": "write",
            "maintain": "maintain",
            "admin": "admin",
        }
        return {flag: rank >= LEVELS.index(level) for flag, level in names.items()}


def repository_role(repository: GitHubRepository, user: RepositoryOwner) -> EffectiveRole:
    """The person's highest role, from ownership, collaboration, teams, organization and public access."""
    roles = [EffectiveRole("read", "read")] if not repository.private else []
    owner = repository.owner
    if owner is user:
        roles.append(EffectiveRole("admin", "admin"))
    names = [repository.collaborators.get(user.id)]
    if isinstance(owner, Organization):
        names += _names_from_organization(owner, repository, user)
    roles += [_role(owner, name) for name in names if name]
    return max(roles, key=lambda role: LEVELS.index(role.level), default=EffectiveRole("", "none"))


def is_owner(organization: Organization, user: RepositoryOwner) -> bool:
    """Whether the person is an organization owner."""
    membership = organization.members.get(user.id)
    return membership is not None and membership.role == "admin" and membership.state == "active"


def is_security_manager(organization: Organization, user: RepositoryOwner) -> bool:
    """Whether the person has the predefined role `security_manager`."""
    return any(role.name == SECURITY_MANAGER and holds(role, user) for role in organization.roles)


def holds(role: GitHubOrganizationRole, user: RepositoryOwner) -> bool:
    """Whether the person has an organization role, directly or through a team."""
    return user in role.users or any(user in team.members for team in role.teams)


def has_write_access(repository: GitHubRepository, user: RepositoryOwner) -> bool:
    """Whether the person has write access, as GitHub requires of an alert's assignee."""
    return repository_role(repository, user).flags["push"]


def may_see_alerts(repository: GitHubRepository, user: GitHubUser) -> bool:
    """Owner, admin, security manager, or a custom role that may view or resolve."""
    return _has_alert_right(repository, user, (VIEW_ALERTS, RESOLVE_ALERTS))


def may_resolve_alerts(repository: GitHubRepository, user: GitHubUser) -> bool:
    """Owner, admin, security manager, or a custom role that may resolve."""
    return _has_alert_right(repository, user, (RESOLVE_ALERTS,))


def _has_alert_right(repository: GitHubRepository, user: GitHubUser, needed: tuple[str, ...]) -> bool:
    role = repository_role(repository, user)
    if role.level == "admin":
        return True
    owner = repository.owner
    if not isinstance(owner, Organization):
        return False
    if is_security_manager(owner, user):
        return True
    granted = [each.permissions for each in owner.custom_repository_roles if each.name == role.name]
    granted += [each.permissions for each in owner.roles if holds(each, user)]
    return any(name in permissions for permissions in granted for name in needed)


def _names_from_organization(
    organization: Organization, repository: GitHubRepository, user: RepositoryOwner
) -> Iterator[str]:
    membership = organization.members.get(user.id)
    if membership is None or membership.state != "active":
        return
    yield "admin" if membership.role == "admin" else organization.base_permission
    for team in organization.teams:
        if user in team.members and repository.id in team.repositories:
            yield team.repositories[repository.id]
    for role in organization.roles:
        if holds(role, user):
            # GitHub's docs: security managers read every repository of the organization.
            yield "read" if role.name == SECURITY_MANAGER else role.base_role or "none"


def _role(owner: RepositoryOwner, name: str) -> EffectiveRole:
    if name in LEVELS:
        return EffectiveRole(name, name)
    assert isinstance(owner, Organization), "only organizations have custom roles"
    custom = next(each for each in owner.custom_repository_roles if each.name == name)
    return EffectiveRole(name, custom.base_role)
