"""The state of the stand-in GitHub, with look-ups; the builders change it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from integrations.sandbox.github.apps import GitHubApp, ManifestCode, OfApp, Registration
from integrations.sandbox.github.deliveries import WebhookDelivery
from integrations.sandbox.github.records import (
    Enterprise,
    GitHubAlert,
    GitHubInstallation,
    GitHubRepository,
    GitHubUser,
    InstallationToken,
    LiveToken,
    Organization,
    RepositoryOwner,
)
from integrations.sandbox.github.sign_in_records import AuditLogEntry, Authorization, AuthorizationCode

WEBHOOK_SECONDS = 10.0
"""GitHub's docs: the time a receiver has to answer a delivery."""


@dataclass(frozen=True, slots=True)
class GitHubChange:
    """A change on GitHub, with or without a webhook.

    `kind` is the webhook's event and action (`secret_scanning_alert.resolved`), or `token.revoked`,
    `token.reported` or `authorization.given`, for which GitHub sends no webhook.
    """

    kind: str
    at: float
    by: str | None = None
    repository_id: int | None = None
    alert_number: int | None = None


class GitHubWorld:
    """All records by id and by name, at the time of `now`.

    `app` is the App under test: the one that was created last. Its fields have names of their own here.
    """

    app_id = OfApp[int]("id")
    app_slug = OfApp[str]("slug")
    app_owner = OfApp[RepositoryOwner]("owner")
    app_enterprise = OfApp[Enterprise | None]("enterprise")
    app_created_at = OfApp[float]("created_at")
    app_permissions = OfApp[dict[str, str]]("permissions")
    app_events = OfApp[tuple[str, ...]]("events")
    app_suspended = OfApp[bool]("suspended")
    """Whether GitHub suspended the App itself: nobody can sign in."""
    client_id = OfApp[str]("client_id")
    client_secret = OfApp[str]("client_secret")
    callback_urls = OfApp[list[str]]("callback_urls")
    """The App's callback addresses, to one of which a sign-in goes back."""
    user_tokens_expire = OfApp[bool]("user_tokens_expire")
    webhook_url = OfApp[str | None]("webhook_url")
    webhook_secret = OfApp[str]("webhook_secret")
    webhook_insecure = OfApp[bool]("webhook_insecure")
    bot: GitHubUser
    """The actor when the App acts."""
    github: Organization
    """The actor when GitHub acts."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.base = "http://127.0.0.1:0"
        self.accounts: dict[int, RepositoryOwner] = {}
        self.repositories: dict[int, GitHubRepository] = {}
        self.redirects: dict[tuple[str, str], GitHubRepository] = {}
        self.installations: dict[int, GitHubInstallation] = {}
        self.alerts: dict[tuple[int, int], GitHubAlert] = {}
        self.live_tokens: dict[str, LiveToken] = {}
        self.minted: dict[str, InstallationToken] = {}
        self.authorizations: dict[int, Authorization] = {}
        """By the id of the person who authorized the App."""
        self.audit_log: list[AuditLogEntry] = []
        self.codes: dict[str, AuthorizationCode] = {}
        self._accounts_by_login: dict[str, RepositoryOwner] = {}
        self._repositories_by_name: dict[tuple[str, str], GitHubRepository] = {}
        self._owned: dict[int, dict[int, GitHubRepository]] = {}
        """By the id of an owner the repositories that it has or had."""
        self._ids = itertools.count(1001)
        self.app = GitHubApp(
            4711,
            "stanch",
            "Stanch",
            now(),
            client_id="Iv23sandbox00000000a",
            webhook_secret="sandbox webhook secret",  # noqa: S106 # Made up, for the stand-in alone.
        )
        self.apps: dict[int, GitHubApp] = {self.app.id: self.app}
        self.pending: dict[str, Registration] = {}
        """Manifests that a browser has sent, until somebody confirms them."""
        self.manifest_codes: dict[str, ManifestCode] = {}
        self.installed_version: str | None = None
        """The release of GitHub Enterprise Server; None for github.com."""
        self.core_limit = 5000
        self.graphql_limit = 5000
        self.unauthenticated_limit = 60
        self.read_lag = 0.0
        self.revoke_delay: float | None = 0.0
        self.hidden_secret: str | None = None
        self.gives_first_location = True
        self.validated_on_override = True
        self.lockout_after: int | None = None
        """After this many failed logins within ten minutes every login is refused; `None`: never."""
        self.hosts: dict[str, str] = {}
        """Where a public origin is reached really: `{"https://stanch.example.com": "http://127.0.0.1:3000"}`."""
        self.webhook_timeout = WEBHOOK_SECONDS
        self.deliver: Literal["now", "hold"] = "now"
        self.held: list[WebhookDelivery] = []
        self.deliveries: list[WebhookDelivery] = []
        self._watchers: list[Callable[[GitHubChange], None]] = []

    # Addresses

    @property
    def url(self) -> str:
        """The web's base address."""
        return self.base

    @property
    def api_url(self) -> str:
        """The REST API's base address."""
        return f"{self.base}/api/v3"

    def is_at_least(self, release: tuple[int, int]) -> bool:
        """Whether this is github.com, or an Enterprise Server of that release or newer."""
        if self.installed_version is None:
            return True
        major, minor = self.installed_version.split(".")[:2]
        return (int(major), int(minor)) >= release

    # Look-ups

    def account(self, login: str) -> RepositoryOwner | None:
        """The account with this login now."""
        return self._accounts_by_login.get(login.lower())

    def user(self, login: str) -> GitHubUser | None:
        """The user or bot with this login now."""
        account = self.account(login)
        return account if isinstance(account, GitHubUser) else None

    def organization(self, login: str) -> Organization | None:
        """The organization with this login now."""
        account = self.account(login)
        return account if isinstance(account, Organization) else None

    def named_repository(self, owner: str, name: str) -> GitHubRepository | None:
        """The repository with this name now, without redirects."""
        return self._repositories_by_name.get((owner.lower(), name.lower()))

    def moved_repository(self, owner: str, name: str) -> GitHubRepository | None:
        """The repository that an old name redirects to."""
        moved = self.redirects.get((owner.lower(), name.lower()))
        return None if moved is None or moved.deleted else moved

    def repositories_of(self, account: RepositoryOwner) -> list[GitHubRepository]:
        """The account's repositories, oldest first."""
        owned = self._owned.get(account.id, {})
        return [each for each in owned.values() if each.owner is account and not each.deleted]

    def reach(self, installation: GitHubInstallation) -> list[GitHubRepository]:
        """The repositories that an installation covers."""
        return [each for each in self.repositories_of(installation.account) if installation.covers(each)]

    def installation_on(self, account: RepositoryOwner) -> GitHubInstallation | None:
        """The installation on an account of the App under test, also if suspended."""
        return self.installation_of(self.app, account)

    def installation_of(self, app: GitHubApp, account: RepositoryOwner) -> GitHubInstallation | None:
        """An App's installation on an account, also if suspended."""
        return next((each for each in self.installations_of(app) if each.account is account), None)

    def installations_of(self, app: GitHubApp) -> list[GitHubInstallation]:
        """The App's installations, oldest first."""
        return [each for each in self.installations.values() if each.app_id == app.id]

    def shown_alerts(self, repository: GitHubRepository) -> Iterator[GitHubAlert]:
        """The repository's alerts that REST shows now."""
        for number in range(1, repository.last_alert_number + 1):
            alert = self.alerts.get((repository.id, number))
            if alert is not None and self.is_shown(alert):
                yield alert

    def is_shown(self, alert: GitHubAlert) -> bool:
        """Whether REST shows this alert: not before its read lag, not after its removal."""
        lag = self.read_lag if alert.read_lag is None else alert.read_lag
        return not alert.removed and self.now() >= alert.created_at + lag

    # Watching

    def watch(self, watcher: Callable[[GitHubChange], None]) -> Callable[[], None]:
        """Call `watcher` at each change from now on; the returned function stops it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def publish(self, change: GitHubChange) -> None:
        """Call all watchers."""
        for watcher in list(self._watchers):
            watcher(change)

    # Index updates

    def next_id(self) -> int:
        """A new id. All kinds share one counter, so that mixing up ids never works by chance."""
        return next(self._ids)

    def index_account(self, account: RepositoryOwner) -> None:
        """Register an account's login; `ValueError` if another account has it."""
        holder = self.account(account.login)
        if holder is not None and holder is not account:
            raise ValueError(f"the login {account.login} is taken")
        self.accounts[account.id] = account
        self._accounts_by_login[account.login.lower()] = account

    def unindex_account(self, account: RepositoryOwner) -> None:
        """Free an account's login."""
        del self._accounts_by_login[account.login.lower()]

    def index_repository(self, repository: GitHubRepository) -> None:
        """Register a repository's name, which ends a redirect there; `ValueError` if it is taken."""
        key = (repository.owner.login.lower(), repository.name.lower())
        if key in self._repositories_by_name:
            raise ValueError(f"the name {repository.full_name} is taken")
        self.redirects.pop(key, None)
        self.repositories[repository.id] = repository
        self._repositories_by_name[key] = repository
        self._owned.setdefault(repository.owner.id, {})[repository.id] = repository

    def unindex_repository(self, repository: GitHubRepository, *, redirect: bool) -> None:
        """Free a repository's name; with `redirect`, leave GitHub's redirect there."""
        key = (repository.owner.login.lower(), repository.name.lower())
        del self._repositories_by_name[key]
        if redirect:
            self.redirects[key] = repository
