"""`GitHubSandbox`: state, builders, webhooks and server in one object with a start and a stop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from integrations.sandbox.faults import FaultPlan
from integrations.sandbox.github.alerts import AlertBuilders
from integrations.sandbox.github.authentication import Authenticator, generate_private_key, public_key_of
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.people import PeopleBuilders
from integrations.sandbox.github.repositories import RepositoryBuilders
from integrations.sandbox.github.server import Server
from integrations.sandbox.github.webhooks import Webhooks

MAX_BODY_BYTES = 10 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
GITHUB_ACCOUNT_ID = 9919


class GitHubSandbox(PeopleBuilders, RepositoryBuilders, AlertBuilders, Webhooks):
    """A stand-in GitHub on 127.0.0.1; see the package's docstring for how it is used."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        private_key: str | None = None,
        app_id: int = 4711,
        client_id: str = "Iv23sandbox00000000a",
        app_slug: str = "stanch",
        webhook_secret: str = "sandbox webhook secret",  # noqa: S107 # Made up, for the stand-in alone.
        app_owner: str = "octo",
        check_answers: bool = True,
    ) -> None:
        super().__init__(now, webhook_secret, check=check_answers)
        self.app_id, self.client_id, self.app_slug = app_id, client_id, app_slug
        self.private_key = private_key or generate_private_key()
        self.bot = self.add_bot(f"{app_slug}[bot]")
        self.github = self.add_organization("github", id=GITHUB_ACCOUNT_ID)
        self.app_owner = self.add_organization(app_owner)
        self._server = Server(
            self, Authenticator(self, public_key_of(self.private_key)), check_answers=check_answers
        )
        self._runner: web.AppRunner | None = None

    @property
    def faults(self) -> FaultPlan:
        """Errors, silence, dropped connections and hold points to turn on."""
        return self._server.faults

    @property
    def requests(self) -> list[RecordedRequest]:
        """Everything that was asked, in order of arrival."""
        return self._server.requests

    @property
    def violations(self) -> list[str]:
        """What callers did that GitHub's description doesn't allow, whether or not it was refused."""
        return self._server.violations

    @property
    def unexpected(self) -> list[str]:
        """Calls to methods and paths that the stand-in doesn't know, as `GET /path`."""
        return self._server.unexpected

    @property
    def lockout_after(self) -> int | None:
        """After so many failed logins within ten minutes every login is refused; `None`: never."""
        return self._server.limits.lockout_after

    @lockout_after.setter
    def lockout_after(self, failures: int | None) -> None:
        self._server.limits.lockout_after = failures

    def calls(self, method: str | None = None, path: str | None = None) -> list[RecordedRequest]:
        """The recorded requests with this method whose path below `api_url` matches the regex in full."""
        return [
            each
            for each in self.requests
            if (method is None or each.method == method) and (path is None or re.fullmatch(path, each.path))
        ]

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._server.serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._open_webhooks()

    async def stop(self) -> None:
        """End what hangs, stop listening and sending."""
        self.faults.stop()
        await self._close_webhooks()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
