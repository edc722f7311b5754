"""The stand-in's Apps: what GitHub keeps of each, and those that are registered but not created yet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast, overload

from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.sandbox.github.records import Enterprise, RepositoryOwner

DEFAULT_PERMISSIONS = {
    "metadata": "read",
    "secret_scanning_alerts": "write",
    "members": "read",
    "organization_custom_org_roles": "read",
    "organization_custom_roles": "read",
}
DEFAULT_EVENTS = (
    "member",
    "membership",
    "organization",
    "repository",
    "secret_scanning_alert",
    "secret_scanning_alert_location",
    "team",
    "team_add",
)
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class GitHubApp:
    """An App. `webhook_url` is None without an active webhook; `webhook_secret` is empty if it has none."""

    id: int
    slug: str
    name: str
    created_at: float
    owner: RepositoryOwner | None = None
    """None: the organization that the sandbox makes for the App that it starts with."""
    enterprise: Enterprise | None = None
    """The enterprise that owns it, instead of `owner`."""
    client_id: str = field(default_factory=lambda: "Iv23" + secrets.token_hex(8))
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    webhook_url: str | None = None
    webhook_secret: str = field(default="", repr=False)
    webhook_insecure: bool = False
    """Whether deliveries are sent without verifying the receiver's certificate."""
    callback_urls: list[str] = field(default_factory=list)
    setup_url: str | None = None
    external_url: str | None = None
    public: bool = False
    permissions: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_PERMISSIONS))
    """What it asks for; an installation may have granted less."""
    events: tuple[str, ...] = DEFAULT_EVENTS
    public_keys: list[rsa.RSAPublicKey] = field(default_factory=list)
    user_tokens_expire: bool = True
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody registers: the fields of a manifest or of the form, checked. `name` may be empty."""

    name: str
    url: str
    permissions: dict[str, str]
    events: tuple[str, ...]
    webhook_url: str | None = None
    callback_urls: tuple[str, ...] = ()
    redirect_url: str | None = None
    setup_url: str | None = None
    public: bool = False


@dataclass(frozen=True, slots=True)
class ManifestCode:
    """The single-use code with which the registered App is created and its secrets are read."""

    registration: Registration
    owner: RepositoryOwner
    expires_at: float


class HasApp(Protocol):
    app: GitHubApp


class OfApp(Generic[T]):
    """An attribute of the App under test, which the world has under a name of its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, world: None, kind: object = None) -> OfApp[T]: ...
    @overload
    def __get__(self, world: HasApp, kind: object = None) -> T: ...
    def __get__(self, world: HasApp | None, kind: object = None) -> T | OfApp[T]:
        return self if world is None else cast("T", getattr(world.app, self._name))

    def __set__(self, world: HasApp, value: T) -> None:
        setattr(world.app, self._name, value)
