"""Runs the whole product between a stand-in Slack and a stand-in GitHub; the test moves the clock."""

import base64
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot import app
from bot.cli.audit import export_audit
from bot.context import Context
from bot.options import Options
from bot.settings import Settings
from integrations.sandbox.github import (
    GitHubAlert,
    GitHubRepository,
    GitHubSandbox,
    GitHubUser,
    LiveToken,
    Organization,
)
from integrations.sandbox.slack import DeliveryResult, SlackMessage, SlackSandbox, View
from storage import alerts, identities, job_queue
from storage.clock import Clock
from storage.records import (
    Account,
    AlertKey,
    AlertNumber,
    GitHubId,
    Identity,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
)
from storage.records import Alert as StoredAlert
from tests.engines import kept_engines

CHANNEL = "C0ALERTS"
PUBLIC_URL = "http://127.0.0.1:3999"
"""Where people's browsers reach Stanch, by its settings; `sign_in.Browser` opens the port that it listens on."""
PING = 0.2
"""Real seconds between two pings of a Socket Mode connection."""
OWNER, ADMIN, MANAGER, READER, UNLINKED = "U0OWNER", "U0ADMIN", "U0SEC", "U0READER", "U0NOBODY"
LOGINS = {OWNER: "octo-owner", ADMIN: "octo-admin", MANAGER: "octo-sec", READER: "octo-reader"}


class StageSettings(Settings):
    """Settings of the test alone: nothing in the environment and in .env changes them, or takes time to read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass
class Stage:
    """What a flow test works with."""

    slack: SlackSandbox
    github: GitHubSandbox
    clock: Clock
    running: app.Running
    people: dict[str, GitHubUser]
    repository: GitHubRepository
    leaker: GitHubUser
    settings: Settings

    @property
    def context(self) -> Context:
        return self.running.context

    def address(self, path: str) -> str:
        """The product's address with this path."""
        return f"http://127.0.0.1:{self.running.port}{path}"

    async def work(self, within: float = 0.0) -> None:
        """Deliver all webhooks and events, and run the jobs that are due now or within so many seconds.

        Only the seconds by which the clock is moved on count, so that a slow machine gets as far as a fast one.
        """
        left = within
        while True:
            await self.running.slack.forms.settle()
            await self.github.settle()
            if await self.running.worker.run_some():
                continue
            due = await job_queue.next_due(self.context.db)
            wait = 0.0 if due is None else max(0.0, due - self.clock.now())
            if due is None or wait > left:
                return
            left -= wait
            self.clock.advance(wait + 0.001)

    def live_token(self, **more: Any) -> LiveToken:
        """An active personal access token."""
        return self.github.add_live_token(owner=self.leaker, scopes=("repo", "workflow"), **more)

    async def leak(self, repository: GitHubRepository | None = None, **more: Any) -> GitHubAlert:
        """Leak a secret, and wait for its card."""
        if "secret_type" not in more and "token" not in more:
            more["token"] = self.live_token()
        alert = self.github.leak(repository or self.repository, **more)
        await self.work(within=10)
        return alert

    def card(self, channel: str = CHANNEL) -> SlackMessage:
        """The only card of a channel."""
        [card] = self.slack.cards(channel)
        return card

    def read(self, channel: str = CHANNEL) -> str:
        """The text of the only card of a channel, without markup."""
        return plain(self.card(channel).shown_text)

    async def click(self, user: str, action: str, **more: Any) -> DeliveryResult:
        """Click a button on the only card, and run its jobs."""
        result = await self.slack.click(user, CHANNEL, self.card().ts, action, **more)
        await self.work(within=3)
        return result

    async def click_privately(self, user: str, action: str) -> DeliveryResult:
        """Click a button on a private card of the only card's alert, whose result is answered; run its jobs."""
        metadata = self.card().metadata
        assert metadata is not None
        where = metadata["event_payload"]
        alert = self.github.alerts[where["repository_id"], where["alert_number"]]
        await self.type(user, f"show {self.github.alert_url(alert)}")
        shown = self.slack.private_messages(user)[-1]
        result = await self.slack.click(user, CHANNEL, shown.ts, action)
        await self.work(within=3)
        return result

    async def pick(self, user: str, action: str, value: str) -> DeliveryResult:
        """Pick from a menu on the only card, and run its jobs."""
        result = await self.slack.select(user, CHANNEL, self.card().ts, action, value)
        await self.work(within=3)
        return result

    def form(self, user: str) -> View:
        """The modal in front of a user."""
        view = self.slack.view(user)
        assert view is not None, "no modal is open"
        return view

    async def submit(self, user: str, values: dict[str, Any] | None = None, **more: Any) -> DeliveryResult:
        """Submit the modal in front of a user, and run its jobs."""
        result = await self.slack.submit(user, self.form(user).id, values or {}, **more)
        await self.work(within=3)
        return result

    async def close_as(self, user: str, reason: str, comment: str | None = None) -> DeliveryResult:
        """Pick a reason, and submit the form."""
        await self.pick(user, "close_as", reason)
        return await self.submit(user, {"comment": {"comment": comment}} if comment else None)

    async def report(self, user: str) -> DeliveryResult:
        """Open the report form, tick the consequence, and submit it."""
        await self.click(user, "report_leak")
        return await self.submit(user, {"consequence": {"understood": ["yes"]}})

    def answer_markup(self, user: str) -> str:
        """The last private answer to a user, with its markup."""
        answers = self.slack.private_messages(user)
        return answers[-1].shown_text if answers else ""

    async def type(self, user: str, text: str) -> str:
        """Type `/leaks …`, and return the private answer without markup."""
        await self.slack.command(user, CHANNEL, text)
        await self.work(within=3)
        return self.answer_to(user)

    async def audited(self, action: str) -> list[tuple[str, str | None]]:
        """Outcome and reason of every audit row of an action, oldest first."""
        rows = [row async for row in export_audit(self.context.db, None) if row["action"] == action]
        return [(str(row["outcome"]), str(row["reason"]) if row["reason"] else None) for row in rows]

    async def stored(self, alert: GitHubAlert) -> StoredAlert | None:
        """The alert as the product has stored it."""
        async with self.context.db.read() as tx:
            return await alerts.load(tx, key_of(alert))

    def answer_to(self, user: str) -> str:
        """The last private answer to a user, without markup."""
        return plain(self.answer_markup(user))

    async def link(self, user: str, account: GitHubUser) -> None:
        """Link a Slack user to a GitHub account, as the command line does it."""
        await self.link_all({user: account})

    async def link_all(self, people: Mapping[str, GitHubUser]) -> None:
        """Link several Slack users."""
        team, now = SlackTeamId(self.slack.team_id), self.clock.now()
        async with self.context.db.begin() as tx:
            for user, one in people.items():
                account = Account(GitHubId(one.id), one.login)
                await identities.put(tx, Identity(team, SlackUserId(user), account, "mapping", now, "cli"))

    def check(self) -> None:
        """Assert that nothing was sent that Slack or GitHub would refuse, or that Stanch promises not to send."""
        assert self.slack.complaints == self.github.complaints == []


def new_encryption_key() -> str:
    """A key for STANCH_ENCRYPTION_KEYS."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def plain(markup: str) -> str:
    """Slack's markup as a person reads it: links as their text, code and bold without their signs."""
    return re.sub(r"<[^|>]*\|([^>]*)>|[*`]", lambda found: found[1] or "", markup)


def key_of(alert: GitHubAlert) -> AlertKey:
    return AlertKey(RepositoryId(alert.repository.id), AlertNumber(alert.number))


@asynccontextmanager
async def open_stage(
    database_url: str,
    clock: Clock,
    private_key: str,
    *,
    options: Options | None = None,
    socket_mode: bool = False,
    role: app.Role = app.Role.ALL,
    prepare: Callable[[SlackSandbox, GitHubSandbox], Awaitable[None]] | None = None,
    sign_in: bool = False,
    threads: bool = False,
    is_restart: bool = False,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Start both stand-ins and the product between them; jobs run only by `Stage.work`.

    With `socket_mode` Slack's requests come over the product's own connection, which expects a ping every 0.2 s.
    `prepare` runs before the product starts, for a database that is not empty. With `sign_in` people can sign in, at
    PUBLIC_URL, and their tokens are kept. With `threads` SQLite runs in threads, as in production. `is_restart`: an
    earlier stage used the database, so everybody is linked, and its first sync has run.
    """
    async with (
        SlackSandbox(now=clock.now) as slack,
        GitHubSandbox(now=clock.now, private_key=private_key) as github,
        kept_engines(database_url, threads=threads) as engines,
    ):
        people = _people(slack, github)
        octo = github.app_owner
        repository = github.add_repository(octo, "payments")
        github.add_collaborator(repository, people[ADMIN], "admin")
        github.add_collaborator(repository, people[READER], "read")
        github.install(octo)
        leaker = github.add_user("leaky-dev")
        values: dict[str, Any] = {
            "slack_bot_token": slack.bot_token,
            "slack_signing_secret": slack.signing_secret,
            "slack_api_url": slack.api_url,
            "github_app_id": str(github.app_id),
            "github_app_private_key": github.private_key,
            "github_webhook_secret": github.webhook_secret,
            "github_url": github.url,
            "github_api_url": github.api_url,
            "database_url": database_url,
            "port": 0,
            "stanch_default_channel": CHANNEL,
            "stanch_audit_key": "a key for tests",
            "stanch_sync_interval": 0,
        }
        if sign_in:
            github.callback_urls = [f"{PUBLIC_URL}/github/callback"]
            values |= {
                "github_app_client_id": github.client_id,
                "github_app_client_secret": github.client_secret,
                "stanch_public_url": PUBLIC_URL,
                "stanch_encryption_keys": new_encryption_key(),
            }
        if socket_mode:
            slack.use_socket_mode()
            values |= {"slack_app_token": slack.app_token, "slack_signing_secret": None}
        made = StageSettings.model_validate({**values, **settings})
        if prepare is not None:
            await prepare(slack, github)
        started = app.run(
            made,
            options or Options(),
            role=role,
            clock=clock,
            runs_jobs=False,
            socket_ping=PING,
            engines=engines,
        )
        async with started as running:
            slack.events_url = f"http://127.0.0.1:{running.port}/slack/events"
            github.webhook_url = f"http://127.0.0.1:{running.port}/github/webhooks"
            stage = Stage(slack, github, clock, running, people, repository, leaker, made)
            if prepare is None and not is_restart:
                await stage.link_all(people)
            if prepare is None:
                await stage.work()
            yield stage


def _people(slack: SlackSandbox, github: GitHubSandbox) -> dict[str, GitHubUser]:
    for user in (*LOGINS, UNLINKED):
        slack.workspace.add_user(user, name=LOGINS.get(user, "nobody"))
    slack.workspace.add_channel(CHANNEL, name="security-alerts", members=[*LOGINS, UNLINKED])
    people = {user: github.add_user(login) for user, login in LOGINS.items()}
    octo = github.app_owner
    assert isinstance(octo, Organization)
    github.add_member(octo, people[OWNER], role="admin")
    for user in (ADMIN, MANAGER, READER):
        github.add_member(octo, people[user])
    github.assign_organization_role(octo, "security_manager", people[MANAGER])
    return people
