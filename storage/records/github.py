"""Accounts, installations and repositories of GitHub."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.names import GitHubId, InstallationId, RepositoryId


@dataclass(frozen=True, slots=True)
class Account:
    """A GitHub user or organization."""

    id: GitHubId
    login: str


class InstallationState(StrEnum):
    """What became of an installation of the GitHub App."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Installation:
    """The GitHub App on one account."""

    id: InstallationId
    account: Account
    account_type: str
    """GitHub's word: `Organization` or `User`."""
    state: InstallationState


class RepositoryState(StrEnum):
    """Whether Stanch can still reach a repository, as GitHub last said when asked."""

    REACHABLE = "reachable"
    DELETED = "deleted"
    REMOVED = "removed"
    """The installation was removed, suspended, or lost this repository."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that has or had alerts."""

    id: RepositoryId
    full_name: str
    owner: Account
    owner_type: str
    """GitHub's word: `Organization` or `User`."""
    visibility: str
    """GitHub's word: `public`, `private`, `internal`."""
    html_url: str
    installation_id: InstallationId | None
    state: RepositoryState = RepositoryState.REACHABLE
    delegated_dismissal: bool | None = None
    """None where GitHub does not tell us."""

    @property
    def is_reachable(self) -> bool:
        return self.state is RepositoryState.REACHABLE

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"
