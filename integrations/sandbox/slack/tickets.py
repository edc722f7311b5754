"""Tickets: each address from `apps.connections.open` holds one, valid for one Socket Mode connection."""

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from integrations.sandbox.slack.calls import ApiError
from integrations.sandbox.slack.records import App


class Tickets:
    """All unused tickets. `on` is the app's Socket Mode setting."""

    def __init__(self, app: App, origin: Callable[[], str]) -> None:
        self.on = False
        self._app = app
        self._origin = origin
        self._tickets: set[str] = set()

    def make(self) -> str:
        """The address for one connection; raises `missing_scope`, or `forbidden_team` without Socket Mode."""
        scopes = self._app.app_token_scopes
        if "connections:write" not in scopes:
            raise ApiError("missing_scope", needed="connections:write", provided=",".join(sorted(scopes)))
        if not self.on:
            # Slack's docs don't name the error for this case.
            raise ApiError("forbidden_team")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        query = urlencode({"ticket": ticket, "app_id": self._app.app_id})
        return f"ws{self._origin().removeprefix('http')}/link/?{query}"

    def redeem(self, ticket: str) -> bool:
        """Use a ticket up; False if it is unknown or used."""
        if not self.on or ticket not in self._tickets:
            return False
        self._tickets.remove(ticket)
        return True
