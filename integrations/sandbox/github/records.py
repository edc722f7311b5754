"""Mutable records of the stand-in GitHub: accounts, repositories, installations, alerts and tokens.

Setting a field sends no webhook. The builder methods of `GitHubSandbox` change the same fields and send it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

JsonObject: TypeAlias = dict[str, object]
Validity: TypeAlias = Literal["active", "inactive", "unknown"]
TokenKind: TypeAlias = Literal["classic", "fine_grained", "oauth", "app_user", "installation", "refresh"]
Network: TypeAlias = Literal["open", "sso", "ip_allow_list"]


@dataclass(slots=True, eq=False)
class RepositoryOwner:
    """An account: user, bot or organization. GitHub's GraphQL API has this name for it."""

    id: int
    login: str
    created_at: float
    name: str | None = None
    email: str | None = None

    @property
    def kind(self) -> str:
        return "User"


@dataclass(slots=True, eq=False)
class GitHubUser(RepositoryOwner):
    bot: bool = False
    sso_sessions: set[int] = field(default_factory=set)
    """Ids of the organizations to which the person has signed in by single sign-on."""

    @property
    def kind(self) -> str:
        return "Bot" if self.bot else "User"


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise account: a slug instead of a login, and ids of its own."""

    id: int
    slug: str


@dataclass(slots=True)
class OrganizationMembership:
    """`role` is `admin` (an owner), `member` or `billing_manager`; `state` is `active` or `pending`."""

    user: GitHubUser
    role: str
    state: str


@dataclass(slots=True, eq=False)
class GitHubTeam:
    id: int
    name: str
    slug: str
    organization: Organization
    members: list[GitHubUser] = field(default_factory=list)
    repositories: dict[int, str] = field(default_factory=dict)
    """Repository id to permission."""


@dataclass(slots=True, eq=False)
class GitHubOrganizationRole:
    """`permissions` are arbitrary strings, as in GitHub's description."""

    id: int
    name: str
    source: str
    base_role: str | None
    permissions: tuple[str, ...]
    created_at: float
    users: list[GitHubUser] = field(default_factory=list)
    teams: list[GitHubTeam] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class GitHubRepositoryRole:
    id: int
    name: str
    base_role: str
    permissions: tuple[str, ...]
    created_at: float


@dataclass(frozen=True, slots=True)
class IdentityEmail:
    value: str
    primary: bool | None = None
    type: str | None = None


@dataclass(slots=True, eq=False)
class ExternalIdentity:
    """A person at the organization's identity provider; `user` is `None` until somebody claims it."""

    guid: str
    user: GitHubUser | None
    name_id: str | None
    saml_username: str | None = None
    saml_emails: list[IdentityEmail] | None = None
    scim_username: str | None = None
    scim_emails: list[IdentityEmail] | None = None


@dataclass(slots=True, eq=False)
class Organization(RepositoryOwner):
    base_permission: str = "read"
    """Every member's permission on every repository."""
    members: dict[int, OrganizationMembership] = field(default_factory=dict)
    teams: list[GitHubTeam] = field(default_factory=list)
    roles: list[GitHubOrganizationRole] = field(default_factory=list)
    custom_repository_roles: list[GitHubRepositoryRole] = field(default_factory=list)
    enforces_sso: bool = False
    """Whether people's tokens need a single sign-on session of the moment when they were authorized."""
    has_saml: bool = False
    """Whether the organization has an identity provider of its own, not only its enterprise."""
    external_identities: list[ExternalIdentity] = field(default_factory=list)
    verified_emails: dict[int, list[str]] = field(default_factory=dict)
    """Addresses in the organization's verified domains, by person."""
    hidden_fields: set[str] = field(default_factory=set)
    """GraphQL fields that GitHub refuses to everybody."""

    @property
    def kind(self) -> str:
        return "Organization"


@dataclass(slots=True, eq=False)
class Commit:
    sha: str
    message: str
    author: GitHubUser | None
    date: float
    committer: GitHubUser | None = None
    """None: the author."""
    signed: bool = False
    path: str = "config/settings.py"
    added: str = field(default="", repr=False)
    """The line that the commit adds, with the secret in it."""


@dataclass(slots=True, eq=False)
class GitHubRepository:
    id: int
    name: str
    owner: RepositoryOwner
    visibility: str
    created_at: float
    archived: bool = False
    deleted: bool = False
    secret_scanning: bool = True
    scanned: bool = True
    """Whether a scan was ever completed."""
    hides_settings: bool = False
    """Answers omit `security_and_analysis`, as GitHub's description allows."""
    delegated_dismissal: bool = False
    app_reviews_dismissals: bool = False
    """With delegated dismissal: whether the App is a reviewer, so that it may close alerts."""
    collaborators: dict[int, str] = field(default_factory=dict)
    """User id to permission or custom role name."""
    commits: dict[str, Commit] = field(default_factory=dict)
    last_alert_number: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def private(self) -> bool:
        return self.visibility != "public"


@dataclass(slots=True, eq=False)
class GitHubInstallation:
    """An App on one account; `repositories` is `None` for all repositories."""

    id: int
    app_id: int
    account: RepositoryOwner
    permissions: dict[str, str]
    events: list[str]
    created_at: float
    repositories: list[GitHubRepository] | None = None
    suspended_at: float | None = None
    suspended_by: GitHubUser | None = None
    removed: bool = False

    def covers(self, repository: GitHubRepository) -> bool:
        """Whether the installation reaches this repository."""
        if repository.deleted or repository.owner is not self.account:
            return False
        return self.repositories is None or repository in self.repositories


@dataclass(slots=True, eq=False)
class Location:
    """One location of a secret; `details` are GitHub's for this `type`."""

    type: str
    details: JsonObject


@dataclass(slots=True, eq=False)
class GitHubAlert:
    """A secret scanning alert; the literal is never in its repr."""

    id: int
    number: int
    repository: GitHubRepository
    secret_type: str
    display_name: str
    provider: str | None
    provider_slug: str | None
    category: str
    literal: str = field(repr=False)
    created_at: float
    updated_at: float
    checked_validity: Validity = "unknown"
    """The result of GitHub's own check."""
    validity_override: Validity | None = None
    """The validity recorded by PATCH; it hides GitHub's own result until it is cleared."""
    accepts_validity: bool = True
    """Whether PATCH may set `validity`; GitHub answers 422 if it does not apply."""
    state: str = "open"
    resolution: str | None = None
    resolution_comment: str | None = None
    resolved_by: GitHubUser | None = None
    resolved_at: float | None = None
    publicly_leaked: bool = False
    multi_repo: bool = False
    is_base64_encoded: bool = False
    assigned_to: GitHubUser | None = None
    bypassed_by: GitHubUser | None = None
    bypassed_at: float | None = None
    bypass_comment: str | None = None
    bypass_reviewer: GitHubUser | None = None
    bypass_reviewer_comment: str | None = None
    locations: list[Location] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    read_lag: float | None = None
    """Seconds until REST shows this alert; `None`: the sandbox's `read_lag`."""
    removed: bool = False

    @property
    def validity(self) -> Validity:
        return self.validity_override or self.checked_validity


@dataclass(slots=True, eq=False)
class LiveToken:
    """A token that the stand-in accepts until it is revoked or expires."""

    literal: str = field(repr=False)
    owner: GitHubUser
    kind: TokenKind
    scopes: tuple[str, ...] = ()
    expires_at: float | None = None
    network: Network = "open"
    revoked_at: float | None = None
    """When the token stops working; may be in the future."""
    last_used_at: float | None = None
    last_user_agent: str | None = None
    sso_organizations: frozenset[int] = frozenset()
    """For an App's token of a person: the organizations with a single sign-on session."""

    def is_valid(self, now: float) -> bool:
        """Whether GitHub still accepts it at `now` (unix seconds)."""
        ends = [at for at in (self.revoked_at, self.expires_at) if at is not None]
        return all(now < at for at in ends)


@dataclass(slots=True, eq=False)
class InstallationToken:
    """A `ghs_` token and its limits; `repository_ids` is `None` for all."""

    literal: str = field(repr=False)
    installation: GitHubInstallation
    permissions: dict[str, str]
    repository_ids: tuple[int, ...] | None
    expires_at: float
