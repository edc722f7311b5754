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
from integrations.sandbox.github.browser import open_authorize_page
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.people import PeopleBuilders
from integrations.sandbox.github.records import GitHubUser
from integrations.sandbox.github.repositories import RepositoryBuilders
from integrations.sandbox.github.server import GitHubServer
from integrations.sandbox.github.user_tokens import TokensOfUsers
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubWorld

MAX_BODY_BYTES = 10 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
GITHUB_ACCOUNT_ID = 9919


class GitHubSandbox(GitHubWorld):
    """A stand-in GitHub on 127.0.0.1 or `host`; see the package's docstring for its use.

    It is the world's state, with the builders that change it, the webhooks that announce changes, and the
    server that answers requests.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        private_key: str | None = None,
        check_answers: bool = True,
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(now)
        self._host = host
        self.private_key = private_key or generate_private_key()
        self._webhooks = Webhooks(self, check=check_answers)
        alerts = AlertBuilders(self, self._webhooks)
        user_tokens = TokensOfUsers(self, self._webhooks)
        self.revoke_authorization = user_tokens.revoke_authorization
        self._offer_people(PeopleBuilders(self, self._webhooks))
        repositories = RepositoryBuilders(self, self._webhooks)
        self._offer_repositories(repositories)
        self._offer_alerts(alerts)
        self._offer_webhooks(self._webhooks)
        self.bot = self.add_bot(f"{self.app_slug}[bot]")
        self.github = self.add_organization("github", id=GITHUB_ACCOUNT_ID)
        self.app_owner = self.add_organization("octo")
        self.app.public_keys.append(public_key_of(self.private_key))
        self._server = GitHubServer(
            self,
            alerts,
            repositories,
            self._webhooks,
            user_tokens,
            Authenticator(self),
            check_answers=check_answers,
        )
        self._runner: web.AppRunner | None = None

    # The parts' methods, offered here so that tests and the demo can write `github.leak(…)`.

    def _offer_people(self, people: PeopleBuilders) -> None:
        self.add_user = people.add_user
        self.add_bot = people.add_bot
        self.add_organization = people.add_organization
        self.rename_account = people.rename_account
        self.delete_user = people.delete_user
        self.add_member = people.add_member
        self.set_member_role = people.set_member_role
        self.remove_member = people.remove_member
        self.add_identity = people.add_identity
        self.add_team = people.add_team
        self.delete_team = people.delete_team
        self.add_to_team = people.add_to_team
        self.remove_from_team = people.remove_from_team
        self.add_team_to_repository = people.add_team_to_repository
        self.add_collaborator = people.add_collaborator
        self.remove_collaborator = people.remove_collaborator
        self.add_custom_repository_role = people.add_custom_repository_role
        self.add_organization_role = people.add_organization_role
        self.assign_organization_role = people.assign_organization_role
        self.unassign_organization_role = people.unassign_organization_role

    def _offer_repositories(self, repositories: RepositoryBuilders) -> None:
        self.add_repository = repositories.add_repository
        self.rename_repository = repositories.rename_repository
        self.transfer_repository = repositories.transfer_repository
        self.delete_repository = repositories.delete_repository
        self.set_visibility = repositories.set_visibility
        self.archive_repository = repositories.archive_repository
        self.unarchive_repository = repositories.unarchive_repository
        self.squat = repositories.squat
        self.install = repositories.install
        self.uninstall = repositories.uninstall
        self.suspend = repositories.suspend
        self.unsuspend = repositories.unsuspend
        self.set_permissions = repositories.set_permissions
        self.add_to_installation = repositories.add_to_installation
        self.remove_from_installation = repositories.remove_from_installation

    def _offer_alerts(self, alerts: AlertBuilders) -> None:
        self.add_live_token = alerts.add_live_token
        self.revoke_token = alerts.revoke_token
        self.token_of = alerts.token_of
        self.leak = alerts.leak
        self.commit_of = alerts.commit_of
        self.close = alerts.close
        self.reopen = alerts.reopen
        self.set_validity = alerts.set_validity
        self.override_validity = alerts.override_validity
        self.set_public_leak = alerts.set_public_leak
        self.assign = alerts.assign
        self.unassign = alerts.unassign
        self.add_metadata = alerts.add_metadata
        self.remove_metadata = alerts.remove_metadata
        self.remove_alert = alerts.remove_alert
        self.alert_url = alerts.alert_url
        self.location = alerts.location
        self.add_location = alerts.add_location
        self.announce_location = alerts.announce_location

    def _offer_webhooks(self, webhooks: Webhooks) -> None:
        self.send = webhooks.send
        self.redeliver = webhooks.redeliver
        self.settle = webhooks.settle
        self.body = webhooks.body
        self.headers = webhooks.headers

    @property
    def faults(self) -> FaultPlan:
        """Errors, hanging calls, dropped connections and gates."""
        return self._server.faults

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests, in order of arrival."""
        return self._server.requests

    @property
    def violations(self) -> list[str]:
        """What callers did against GitHub's description, whether refused or not."""
        return self._server.violations

    @property
    def unexpected(self) -> list[str]:
        """Calls to unknown methods and paths, as `GET /path`."""
        return self._server.unexpected

    @property
    def complaints(self) -> list[str]:
        """All that callers must not have sent: `violations` and `unexpected`."""
        return [*self.violations, *self.unexpected]

    def calls(self, method: str | None = None, path: str | None = None) -> list[RecordedRequest]:
        """The recorded requests with this method whose path below `api_url` matches the regex in full."""
        return [
            each
            for each in self.requests
            if (method is None or each.method == method) and (path is None or re.fullmatch(path, each.path))
        ]

    async def authorize(self, address: str, user: GitHubUser, *, cancel: bool = False) -> str:
        """Open GitHub's page for signing in with `user`'s browser and press a button; returns the callback address.

        Where the person authorized the App before, GitHub sends the browser back without asking.
        """
        return await open_authorize_page(address, user, cancel=cancel)

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._server.serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, port).start()
        self.base = f"http://{self._host}:{self._runner.addresses[0][1]}"
        self._webhooks.open()

    async def stop(self) -> None:
        """End hanging calls, stop listening and sending."""
        self.faults.stop()
        await self._webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
