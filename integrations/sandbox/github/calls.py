"""One call to the stand-in GitHub: caller, parameters, answer and record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from integrations.sandbox.github.alerts import AlertBuilders
from integrations.sandbox.github.apps import GitHubApp
from integrations.sandbox.github.records import (
    GitHubInstallation,
    GitHubRepository,
    GitHubUser,
    InstallationToken,
    JsonObject,
    LiveToken,
    Organization,
)
from integrations.sandbox.github.user_tokens import TokensOfUsers
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubWorld

AuthKind: TypeAlias = Literal["app", "client", "installation", "user", "bad"]
NOT_FOR_INTEGRATIONS = "Resource not accessible by integration"


@dataclass(frozen=True, slots=True)
class RouteResponse:
    """A route's answer: status, JSON body (`None`: empty) and extra headers."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """GitHub refuses: `status`, and a body with `message` as in its errors."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[object] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.errors = errors

    def answer(self) -> RouteResponse:
        """The refusal in GitHub's error shape."""
        body: JsonObject = {
            "message": self.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(self.status),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return RouteResponse(self.status, body, self.headers)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller by the Authorization header; all fields are `None` without one."""

    kind: Literal["app", "client", "installation", "user"] | None = None
    token: InstallationToken | None = None
    live_token: LiveToken | None = None
    app: GitHubApp | None = None
    """The App whose JWT it was."""

    @property
    def installation(self) -> GitHubInstallation | None:
        return self.token.installation if self.token else None

    @property
    def user(self) -> GitHubUser | None:
        return self.live_token.owner if self.live_token and self.kind == "user" else None

    def reaches(self, repository: GitHubRepository) -> bool:
        """Whether an installation token covers this repository."""
        if self.token is None or not self.token.installation.covers(repository):
            return False
        scope = self.token.repository_ids
        return scope is None or repository.id in scope

    def grants(self, permission: str, level: str) -> bool:
        """Whether an installation token carries at least this level of a permission."""
        if self.token is None:
            return False
        held = self.token.permissions.get(permission)
        return held is not None and (level == "read" or held in ("write", "admin"))


@dataclass(slots=True)
class Call:
    """A request that passed authentication and matched an operation, with its typed parameters."""

    github: GitHubWorld
    alerts: AlertBuilders
    user_tokens: TokensOfUsers
    webhooks: Webhooks
    principal: Principal
    method: str
    path: dict[str, str]
    url: str
    """The requested address without its query, which `Link` headers repeat."""
    query: dict[str, str | int | bool] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    raw_query: dict[str, str] = field(default_factory=dict)
    version: str | None = None
    rate: JsonObject = field(default_factory=dict)
    """The caller's rate limit, as `GET /rate_limit` shows it."""
    target_repository: GitHubRepository | None = None
    target_organization: Organization | None = None

    @property
    def app(self) -> GitHubApp:
        assert self.principal.app is not None, "only routes for an App's JWT have an App"
        return self.principal.app

    @property
    def repository(self) -> GitHubRepository:
        assert self.target_repository is not None, "only routes with {owner}/{repo} have a repository"
        return self.target_repository

    @property
    def organization(self) -> Organization:
        assert self.target_organization is not None, "only routes with {org} have an organization"
        return self.target_organization

    def number(self, name: str) -> int:
        """A path or query parameter that is a number; 404 for a path that isn't one."""
        if name in self.query:
            return int(self.query[name])
        text = self.path[name]
        if not text.isdecimal():
            raise Refusal(404, "Not Found")
        return int(text)

    def text(self, name: str) -> str | None:
        """A query parameter as text, `None` if absent."""
        value = self.query.get(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """A boolean query parameter; false if absent."""
        return self.query.get(name) is True


Handler: TypeAlias = Callable[[Call], RouteResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of GitHub's description, its handler, and who may call it.

    `access` says what a request has to bring:
    - `app`: only the App's JWT;
    - `client`: only the App's client id and secret, by Basic authentication;
    - `installation`: a token with one of `permissions`;
    - `user`: a person's token;
    - `any_token`;
    - `anyone`;
    - `nobody`: refused with any Authorization header.
    """

    operation: str
    handler: Handler
    access: Literal["app", "client", "installation", "user", "any_token", "anyone", "nobody"]
    permissions: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class RecordedRequest:
    """A request with its authorization and status; the repr omits the body, which may hold tokens."""

    method: str
    path: str
    query: dict[str, str]
    auth: AuthKind | None
    authorized: bool
    """Whether there was an Authorization header."""
    body: object = field(repr=False)
    user_agent: str | None
    version: str | None
    accept: str | None
    at: float
    user_id: int | None = None
    """The person whose token it was."""
    installation_id: int | None = None
    repository_ids: tuple[int, ...] | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    """`None` before the answer, and always when the connection was dropped."""
