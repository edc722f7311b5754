"""Builders for alerts and leaked tokens, with the webhooks that GitHub sends."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping

from integrations.sandbox.github import shapes, shapes_alerts
from integrations.sandbox.github.records import (
    Commit,
    GitHubAlert,
    GitHubRepository,
    GitHubUser,
    JsonObject,
    LiveToken,
    Location,
    Network,
    RepositoryOwner,
    TokenKind,
    Validity,
)
from integrations.sandbox.github.secret_types import (
    GENERIC_TYPES,
    GITHUB_TYPES,
    display_name_of,
    make_literal,
)
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubChange, GitHubWorld


class AlertBuilders:
    """Leaks secrets and changes alerts; without `by` the sender is GitHub."""

    def __init__(self, world: GitHubWorld, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def add_live_token(
        self,
        literal: str | None = None,
        *,
        owner: GitHubUser,
        kind: TokenKind = "classic",
        scopes: Iterable[str] = (),
        expires_at: float | None = None,
        network: Network = "open",
    ) -> LiveToken:
        """A token that works; its kind, scopes, expiry and network decide how probes are answered.

        `sso`: the organization's resources answer 403 with `X-GitHub-SSO`. `ip_allow_list`: everything
        answers 403.
        """
        made = literal or make_literal(kind, f"live {self._world.next_id()}")
        token = LiveToken(made, owner, kind, tuple(scopes), expires_at, network)
        self._world.live_tokens[made] = token
        return token

    def revoke_token(self, token: LiveToken) -> None:
        """Revoke a token as its owner; GitHub sends no webhook."""
        token.revoked_at = self._world.now()
        self._world.publish(GitHubChange("token.revoked", self._world.now(), token.owner.login))

    def token_of(self, alert: GitHubAlert) -> LiveToken | None:
        """The live token whose literal leaked, as it is or in Base64."""
        for token in self._world.live_tokens.values():
            if alert.literal in (token.literal, base64.b64encode(token.literal.encode()).decode()):
                return token
        return None

    def leak(
        self,
        repository: GitHubRepository,
        *,
        secret_type: str = "github_personal_access_token",  # noqa: S107 # A slug, no secret.
        literal: str | None = None,
        token: LiveToken | None = None,
        validity: Validity = "unknown",
        publicly_leaked: bool = False,
        multi_repo: bool = False,
        is_base64_encoded: bool = False,
        bypassed_by: GitHubUser | None = None,
        bypass_comment: str | None = None,
        locations: Iterable[Location] | None = None,
        path: str = "config/settings.py",
        author: GitHubUser | None = None,
        category: str | None = None,
        display_name: str | None = None,
        provider: str | None = None,
        resolved: str | None = None,
        metadata: Mapping[str, str] | None = None,
        created_at: float | None = None,
    ) -> GitHubAlert:
        """A new alert (→ secret_scanning_alert.created) for `token`, `literal`, or a made-up secret.

        Without `locations` the secret is in a new commit by `author` at `path`. With `resolved`, a resolution,
        the alert is closed from the start.
        """
        at = self._world.now() if created_at is None else created_at
        repository.last_alert_number += 1
        number = repository.last_alert_number
        text = token.literal if token else literal or self._made_up_literal(repository, number, secret_type)
        if is_base64_encoded and literal is None:
            text = base64.b64encode(text.encode()).decode()
        of_github = secret_type.startswith("github_")
        alert = GitHubAlert(
            id=self._world.next_id(),
            number=number,
            repository=repository,
            secret_type=secret_type,
            display_name=display_name or display_name_of(secret_type),
            provider=provider or ("GitHub" if of_github else None),
            provider_slug="github_secret_scanning" if of_github else provider and provider.lower(),
            category=category or ("generic" if secret_type in GENERIC_TYPES else "default"),
            literal=text,
            created_at=at,
            updated_at=at,
            checked_validity=validity,
            publicly_leaked=publicly_leaked,
            multi_repo=multi_repo,
            is_base64_encoded=is_base64_encoded,
            bypassed_by=bypassed_by,
            bypassed_at=at if bypassed_by else None,
            bypass_comment=bypass_comment,
            metadata=dict(metadata or {}),
        )
        alert.accepts_validity = alert.category == "default"
        alert.locations = list(locations) if locations is not None else [self._in_commit(alert, path, author)]
        if resolved is not None:
            alert.state, alert.resolution, alert.resolved_at, alert.resolved_by = (
                "resolved",
                resolved,
                at,
                author,
            )
        self._world.alerts[repository.id, number] = alert
        self._emit_alert("created", alert, sender=author or self._world.github)
        return alert

    def commit_of(self, alert: GitHubAlert) -> Commit:
        """The commit of the alert's first location, to be changed; by itself it is not signed."""
        return alert.repository.commits[str(alert.locations[0].details["commit_sha"])]

    def close(
        self, alert: GitHubAlert, by: RepositoryOwner | None, resolution: str, comment: str | None = None
    ) -> None:
        """→ resolved; also for resolutions by GitHub such as `pattern_deleted`, with `by=None`."""
        alert.state = "resolved"
        alert.resolution = resolution
        alert.resolution_comment = comment
        alert.resolved_by = by if isinstance(by, GitHubUser) else None
        alert.resolved_at = self._world.now()
        self._update("resolved", alert, by)

    def reopen(self, alert: GitHubAlert, by: RepositoryOwner | None, comment: str | None = None) -> None:
        """→ reopened."""
        alert.state = "open"
        alert.resolution = alert.resolved_by = alert.resolved_at = None
        alert.resolution_comment = comment
        self._update("reopened", alert, by)

    def set_validity(self, alert: GitHubAlert, validity: Validity) -> None:
        """Set the result of GitHub's own check (→ validated, unless an override hides it)."""
        before = alert.validity
        alert.checked_validity = validity
        if alert.validity != before:
            self._update("validated", alert, None)

    def override_validity(
        self, alert: GitHubAlert, validity: Validity | None, by: RepositoryOwner | None = None
    ) -> None:
        """Record a person's finding; `None` clears it (→ validated if `validated_on_override`)."""
        before = alert.validity
        alert.validity_override = validity
        alert.updated_at = self._world.now()
        if alert.validity != before and self._world.validated_on_override:
            self._update("validated", alert, by)

    def set_public_leak(self, alert: GitHubAlert) -> None:
        """→ publicly_leaked."""
        alert.publicly_leaked = True
        self._update("publicly_leaked", alert, None)

    def assign(self, alert: GitHubAlert, user: GitHubUser, by: RepositoryOwner | None = None) -> None:
        """→ assigned."""
        alert.assigned_to = user
        self._update("assigned", alert, by, {"assignee": shapes.simple_user(self._world, user)})

    def unassign(self, alert: GitHubAlert, by: RepositoryOwner | None = None) -> None:
        """→ unassigned."""
        user, alert.assigned_to = alert.assigned_to, None
        assert user is not None, "nobody is assigned"
        self._update("unassigned", alert, by, {"assignee": shapes.simple_user(self._world, user)})

    def add_metadata(self, alert: GitHubAlert, pairs: Mapping[str, str]) -> None:
        """→ metadata_created."""
        alert.metadata.update(pairs)
        self._update("metadata_created", alert, None)

    def remove_metadata(self, alert: GitHubAlert, *keys: str) -> None:
        """→ metadata_removed."""
        for key in keys:
            del alert.metadata[key]
        self._update("metadata_removed", alert, None)

    def remove_alert(self, alert: GitHubAlert) -> None:
        """Remove an alert from REST, without a webhook."""
        alert.removed = True

    def alert_url(self, alert: GitHubAlert) -> str:
        """The alert's page, its `html_url`."""
        return shapes_alerts.alert_page(self._world, alert)

    def location(
        self,
        repository: GitHubRepository,
        type: str = "commit",  # noqa: A002 # GitHub's own word.
        **details: object,
    ) -> Location:
        """A location for `leak(locations=…)`, completed to GitHub's shape for its type."""
        return Location(type, shapes_alerts.location_details(self._world, repository, type, details))

    def add_location(
        self,
        alert: GitHubAlert,
        type: str = "commit",  # noqa: A002 # GitHub's own word.
        **details: object,
    ) -> Location:
        """Add a location of the same secret (→ secret_scanning_alert_location.created)."""
        added = self.location(alert.repository, type, **details)
        alert.locations.append(added)
        alert.updated_at = self._world.now()
        self.announce_location(alert, added)
        return added

    def announce_location(self, alert: GitHubAlert, location: Location) -> None:
        """Send the webhook of a location, which GitHub may do for the first one too."""
        content: JsonObject = {
            "alert": shapes_alerts.webhook_alert(self._world, alert),
            "location": shapes_alerts.location(location),
        }
        repository = alert.repository
        self._webhooks.emit(
            "secret_scanning_alert_location",
            "created",
            content,
            account=repository.owner,
            repository=repository,
            sender=self._world.github,
        )

    def _in_commit(self, alert: GitHubAlert, path: str, author: GitHubUser | None) -> Location:
        text = f"{alert.repository.id}:{alert.number}"
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        commits = alert.repository.commits
        if sha not in commits:
            added = f"TOKEN={alert.literal}"
            commits[sha] = Commit(sha, f"Add {path}", author, alert.created_at, path=path, added=added)
        return self.location(alert.repository, "commit", path=path, commit_sha=sha)

    def _made_up_literal(self, repository: GitHubRepository, number: int, secret_type: str) -> str:
        seed = f"dead {repository.id}:{number}"
        if secret_type in GITHUB_TYPES:
            return make_literal(GITHUB_TYPES[secret_type][0], seed)
        return "sandbox-" + hashlib.sha256(seed.encode()).hexdigest()

    def _update(
        self, action: str, alert: GitHubAlert, by: RepositoryOwner | None, extra: JsonObject | None = None
    ) -> None:
        alert.updated_at = self._world.now()
        self._emit_alert(action, alert, sender=by or self._world.github, extra=extra)

    def _emit_alert(
        self, action: str, alert: GitHubAlert, *, sender: RepositoryOwner, extra: JsonObject | None = None
    ) -> None:
        content: JsonObject = {"alert": shapes_alerts.webhook_alert(self._world, alert), **(extra or {})}
        repository = alert.repository
        self._webhooks.emit(
            "secret_scanning_alert",
            action,
            content,
            account=repository.owner,
            repository=repository,
            sender=sender,
        )
