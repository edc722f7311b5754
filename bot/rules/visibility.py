"""Decides which alerts one person sees in a look-up, from roles that GitHub gave earlier."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.rules.rights import Rights
from storage.records import Alert, GitHubId, Repository, RepositoryId, UnixTime


@dataclass(frozen=True, slots=True)
class KnownRoles:
    """One person's rights, the same in some repositories of one owner."""

    owner_id: GitHubId
    rights: Rights
    repositories: Mapping[RepositoryId, UnixTime]
    """The repositories, at least one, and when GitHub gave the roles behind the rights."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one person sees, as far as known. The times are those of GitHub's answers."""

    person: GitHubId
    organizations: Mapping[GitHubId, UnixTime]
    """Organizations in which the person sees every alert, as an owner or a security manager."""
    repositories: Mapping[RepositoryId, UnixTime]
    hidden: frozenset[RepositoryId]
    """Repositories whose alerts the person may not see."""
    asked_owners: frozenset[GitHubId]
    """Owners of the repositories that GitHub was asked about, unless the person sees all of the owner's alerts."""

    def sees(self, alert: Alert, repository: Repository) -> bool | None:
        """Whether the person sees the alert; None if GitHub has to be asked. An assignee sees their alert."""
        if alert.assigned_to is not None and alert.assigned_to.id == self.person:
            return True
        if repository.owner.id in self.organizations or repository.id in self.repositories:
            return True
        return False if repository.id in self.hidden else None

    def since(self, alert: Alert, repository: Repository) -> UnixTime | None:
        """When GitHub gave the role that shows the alert; None for the assignee, who needs no role."""
        if alert.assigned_to is not None and alert.assigned_to.id == self.person:
            return None
        known = (self.organizations.get(repository.owner.id), self.repositories.get(repository.id))
        return max((at for at in known if at is not None), default=None)


def known_visibility(person: GitHubId, known: Iterable[KnownRoles], *, denied_since: UnixTime) -> Visibility:
    """Combine the known roles. A denial older than `denied_since` counts as unknown, because it may have changed."""
    memberships: dict[GitHubId, tuple[UnixTime, bool]] = {}
    repositories: dict[RepositoryId, UnixTime] = {}
    hidden: set[RepositoryId] = set()
    asked_owners: set[GitHubId] = set()
    for roles in known:
        owner_id, rights = roles.owner_id, roles.rights
        # The latest answer about a membership counts, and of two at the same time the denial.
        answer = (max(roles.repositories.values()), not rights.reviewer)
        memberships[owner_id] = max(answer, memberships.get(owner_id, answer))
        if rights.view:
            repositories.update(roles.repositories)
            asked_owners.add(owner_id)
        elif denied := {one for one, at in roles.repositories.items() if at >= denied_since}:
            hidden |= denied
            asked_owners.add(owner_id)
    organizations = {owner_id: at for owner_id, (at, denied) in memberships.items() if not denied}
    return Visibility(person, organizations, repositories, frozenset(hidden), frozenset(asked_owners))
