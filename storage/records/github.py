"""GitHub's accounts, installations and repositories."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.names import GitHubId, InstallationId, RepositoryId


@dataclass(frozen=True, slots=True)
class Account:
    """A GitHub user or organization."""

    id: GitHubId
    login: str


class InstallationState(StrEnum):
    """The state of an installation of the GitHub App."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation of the GitHub App on an account."""

    id: InstallationId
    account: Account
    account_type: str
    """`Organization` or `User`."""
    state: InstallationState


class RepositoryState(StrEnum):
    """Whether Stanch can reach a repository, by GitHub's last answer."""

    REACHABLE = "reachable"
    DELETED = "deleted"
    REMOVED = "removed"
    """The installation was removed or suspended, or no longer includes this repository."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that has, or once had, alerts."""

    id: RepositoryId
    full_name: str
    owner: Account
    owner_type: str
    """`Organization` or `User`."""
    visibility: str
    """`public`, `private` or `internal`."""
    html_url: str
    installation_id: InstallationId | None
    state: RepositoryState = RepositoryState.REACHABLE
    delegated_dismissal: bool | None = None
    """None if GitHub does not say."""

    @property
    def is_reachable(self) -> bool:
        return self.state is RepositoryState.REACHABLE

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"
