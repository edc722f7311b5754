"""Records of people who signed in with the App: authorizations, codes, tokens; and the audit log's entries."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.sandbox.github.records import GitHubUser, LiveToken


@dataclass(slots=True, eq=False)
class UserTokenPair:
    """What one sign-in or refresh gave; `refresh` is `None` if the App's user tokens don't expire."""

    access: LiveToken
    refresh: LiveToken | None


@dataclass(slots=True, eq=False)
class Authorization:
    """A person has authorized the App; it outlives its tokens."""

    user: GitHubUser
    sso_organizations: frozenset[int] = frozenset()
    pairs: list[UserTokenPair] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class AuthorizationCode:
    """The single-use code that a callback gets; `challenge` is that of PKCE."""

    literal: str = field(repr=False)
    authorization: Authorization
    redirect_uri: str
    challenge: str | None
    expires_at: float


@dataclass(frozen=True, slots=True)
class AuditLogEntry:
    """A change of an alert by the API, as the organization's audit log has it; `fields` are those of the PATCH."""

    at: float
    actor: str
    programmatic_access_type: str | None
    repository_id: int
    alert_number: int
    fields: tuple[str, ...]
