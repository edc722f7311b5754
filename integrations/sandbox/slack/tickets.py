"""Tickets: what `apps.connections.open` hands the app so that it may open one Socket Mode connection."""

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from integrations.sandbox.slack.calls import ApiError


class Tickets:
    """All tickets that are not used up. `on` is the app's setting Socket Mode."""

    def __init__(self, app_id: str, origin: Callable[[], str]) -> None:
        self.on = False
        self.scopes = {"connections:write"}
        self._app_id = app_id
        self._origin = origin
        self._tickets: set[str] = set()

    def make(self) -> str:
        """The address for one connection, or raise `missing_scope`; `forbidden_team` without Socket Mode."""
        if "connections:write" not in self.scopes:
            raise ApiError("missing_scope", needed="connections:write", provided=",".join(self.scopes))
        if not self.on:
            # Slack's docs do not say which word it has for this.
            raise ApiError("forbidden_team")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        query = urlencode({"ticket": ticket, "app_id": self._app_id})
        return f"ws{self._origin().removeprefix('http')}/link/?{query}"

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up; False for one that is none, or none any more."""
        if not self.on or ticket not in self._tickets:
            return False
        self._tickets.remove(ticket)
        return True
