"""GitHub's hourly rate limits and its lockout after failed logins, by the sandbox's clock."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.sandbox.github.calls import Principal, Refusal
from integrations.sandbox.github.records import JsonObject
from integrations.sandbox.github.world import GitHubWorld

HOUR = 3600
LOCKOUT_SECONDS = 600


@dataclass(slots=True)
class RateWindow:
    """One caller's current hour."""

    limit: int
    reset: float
    used: int = 0
    resource: str = "core"
    holder: str = ""

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def shape(self) -> JsonObject:
        return {
            "limit": self.limit,
            "used": min(self.used, self.limit),
            "remaining": self.remaining,
            "reset": int(self.reset),
        }

    def headers(self) -> dict[str, str]:
        return {f"X-RateLimit-{name.title()}": str(value) for name, value in self.shape().items()} | {
            "X-RateLimit-Resource": self.resource
        }


class Limits:
    """One window per caller: an installation, a token's owner, or an IP address without authentication."""

    def __init__(self, world: GitHubWorld) -> None:
        self._world = world
        self._windows: dict[str, RateWindow] = {}
        self._failures: list[float] = []

    def graphql_window(self, principal: Principal) -> RateWindow:
        """The caller's hour of GraphQL, which GitHub counts apart; each query costs one point."""
        token, live = principal.token, principal.live_token
        if token is not None:
            holder = f"installation ID {token.installation.id}"
        else:
            holder = f"user ID {live.owner.id if live else 0}"
        return self._current(f"graphql {holder}", self._world.graphql_limit, "graphql", holder)

    def window(self, principal: Principal, address: str) -> RateWindow:
        """The caller's current window."""
        limit = self._world.core_limit
        if principal.installation is not None:
            key = f"installation {principal.installation.id}"
        elif principal.live_token is not None:
            key = f"user {principal.live_token.owner.id}"
        elif principal.kind == "app":
            key = "app"
        else:
            key, limit = f"address {address}", self._world.unauthenticated_limit
        return self._current(key, limit, "core", key)

    def _current(self, key: str, limit: int, resource: str, holder: str) -> RateWindow:
        now = self._world.now()
        window = self._windows.get(key)
        if window is None or now >= window.reset:
            window = self._windows[key] = RateWindow(limit, now + HOUR, 0, resource, holder)
        window.limit = limit
        return window

    def spend(self, window: RateWindow) -> None:
        """Count one request; `Refusal` 403 when the limit is used up."""
        if window.used >= window.limit:
            raise Refusal(403, "API rate limit exceeded", headers=window.headers())
        window.used += 1

    def record_failed_login(self) -> None:
        """Count a 401."""
        self._failures.append(self._world.now())

    def check_lockout(self) -> None:
        """GitHub's docs: several invalid credentials in a short time block all logins for a while."""
        if self._world.lockout_after is None:
            return
        since = self._world.now() - LOCKOUT_SECONDS
        self._failures = [at for at in self._failures if at > since]
        if len(self._failures) >= self._world.lockout_after:
            raise Refusal(403, "Maximum number of login attempts exceeded. Please try again later.")
