"""Both stand-ins in the test's process, the bot in its own, and access to the bot's database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.cli.audit import export_audit
from integrations.sandbox.github import (
    GitHubAlert,
    GitHubRepository,
    GitHubSandbox,
    GitHubUser,
    LiveToken,
    Organization,
)
from integrations.sandbox.slack import DeliveryResult, SlackMessage, SlackSandbox, View
from storage import identities, jobs
from storage.clock import Clock
from storage.db import Database
from storage.records import Account, GitHubId, Identity, JobState, SlackTeamId, SlackUserId
from storage.tables import channel_pace, job
from tests.environment import AUDIT_KEY, bot_environment
from tests.processes.bot import LOOPBACK, Bot
from tests.processes.waiting import until

CHANNEL = "C0ALERTS"
PEOPLE = {"U0OWNER": "octo-owner", "U0ADMIN": "octo-admin"}
OWNER, ADMIN = PEOPLE
ANY_ALERT = r"/repos/.*/secret-scanning/alerts/\d+"
SOON = 20.0
"""Seconds; jobs that are due later, such as a follow-up after a minute, do not count as left to do."""
RECOVERED = 30.0
"""Seconds after a restart within which interrupted work must be done."""


@dataclass
class Scene:
    """The stand-ins, the database and the bots of one test."""

    slack: SlackSandbox
    github: GitHubSandbox
    db: Database
    directory: Path
    environment: dict[str, str]
    people: dict[str, GitHubUser]
    repository: GitHubRepository
    leaker: GitHubUser
    bots: list[Bot] = field(default_factory=list)

    @property
    def bot(self) -> Bot:
        """The first process, which in most tests is the only one."""
        return self.bots[0]

    def address(self, path: str) -> str:
        """The address of the first process for a path."""
        return f"{self.bot.address}{path}"

    async def start(self, role: str = "all", **changes: str) -> Bot:
        """Start one more process, and wait for its first sync; requests go to it unless it is a worker."""
        bot = self.new_bot(role, **changes)
        await bot.start()
        self.point_at(bot)
        if role != "web":
            await self.idle()
        return bot

    def new_bot(
        self, role: str = "all", *, host: str = LOOPBACK, namespace: str | None = None, **changes: str
    ) -> Bot:
        """One more process, not started yet; `host` and `namespace` are those of `Bot`."""
        environment = {**self.environment, **changes}
        bot = Bot(environment, self.directory, role=role, host=host, namespace=namespace)
        self.bots.append(bot)
        return bot

    async def restart(self, bot: Bot | None = None) -> Bot:
        """Start a killed process again, after opening every gate and ending every fault."""
        self.calm()
        bot = bot or self.bot
        await bot.start()
        self.point_at(bot)
        return bot

    def calm(self) -> None:
        """End all faults. Requests that wait at a gate are dropped: their process is dead."""
        for faults in (self.github.faults, self.slack.faults):
            for gate in faults.gates:
                gate.drop()
            faults.clear()

    def point_at(self, bot: Bot) -> None:
        if bot.role != "worker":
            self.slack.events_url = f"{bot.address}/slack/events"
            self.github.webhook_url = f"{bot.address}/github/webhooks"

    async def kill(self) -> None:
        """`kill -9`, and end the leases of the process and the pause between two probes in the database.

        So not every test has to wait for them; `test_a_dead_workers_job_is_taken_over` waits for a real lease.
        """
        await self.bot.kill()
        async with self.db.begin() as tx:
            await tx.conn.execute(sa.update(job).where(job.c.state == "running").values(lease_until=0.0))
            probes = channel_pace.c.channel.startswith("probes")
            await tx.conn.execute(sa.update(channel_pace).where(probes).values(next_at=0.0))

    def live_token(self) -> LiveToken:
        return self.github.add_live_token(owner=self.leaker, scopes=("repo",))

    async def leak(self, repository: GitHubRepository | None = None, **more: Any) -> GitHubAlert:
        """Create an alert and wait for its card."""
        before = len(self.slack.cards(CHANNEL))
        if "secret_type" not in more:
            more.setdefault("token", self.live_token())
        alert = self.github.leak(repository or self.repository, **more)
        await until(lambda: len(self.slack.cards(CHANNEL)) > before, "the card is there")
        await self.idle()
        return alert

    def card(self, channel: str = CHANNEL) -> SlackMessage:
        """The only card of a channel."""
        [card] = self.slack.cards(channel)
        return card

    async def open_close_form(self, user: str = ADMIN, reason: str = "revoked") -> View:
        await self.slack.select(user, CHANNEL, self.card().ts, "close_as", reason)
        return await self.filled(user, "resolution")

    async def open_report_form(self, user: str = ADMIN) -> View:
        await self.slack.click(user, CHANNEL, self.card().ts, "report_leak")
        return await self.filled(user, "understood")

    async def submit_close(self, user: str = ADMIN, comment: str = "Rotated.") -> DeliveryResult:
        view = await self.open_close_form(user)
        return await self.submit(user, view, {"comment": {"comment": comment}})

    async def submit_report(self, user: str = ADMIN) -> DeliveryResult:
        view = await self.open_report_form(user)
        return await self.submit(user, view, {"consequence": {"understood": ["yes"]}})

    async def filled(self, user: str, action: str) -> View:
        def filled() -> View | None:
            view = self.slack.view(user)
            return view if view is not None and view.control(action) is not None else None

        found = await until(filled, f"the form with {action} is open")
        assert found is not None
        return found

    async def submit(self, user: str, view: View, values: dict[str, Any]) -> DeliveryResult:
        result = await self.slack.submit(user, view.id, values)
        assert (result.status, result.error) == (200, None), "the submit is not acknowledged"
        return result

    def answers_to(self, user: str) -> list[str]:
        """The private messages of a user."""
        return [message.shown_text for message in self.slack.private_messages(user)]

    async def idle(self) -> None:
        """Wait until no job runs or is due."""
        await until(self.is_idle, "nothing is left to do", within=RECOVERED)

    async def is_idle(self) -> bool:
        """Whether no job runs, is due soon or is parked; AssertionError with these jobs if not."""
        await self.github.settle()
        async with self.db.read() as tx:
            found = await jobs.list_jobs(tx, states=(JobState.RUNNING, JobState.READY, JobState.PARKED))
        soon = self.db.clock.now() + SOON
        left = [each for each in found if each.state is JobState.RUNNING or each.run_at < soon]
        assert not left, [(each.id, each.kind, each.state, each.error) for each in left]
        return True

    async def bring_forward(self, kind: str) -> None:
        """Make the waiting jobs of a kind due now."""
        async with self.db.begin() as tx:
            due = sa.update(job).where(job.c.kind == kind, job.c.state == "ready").values(run_at=0.0)
            assert (await tx.conn.execute(due)).rowcount > 0
            await jobs.enqueue(tx)

    async def audited(self, action: str) -> list[tuple[object, object, object]]:
        """Slack user, GitHub login and outcome of each audit entry of an action."""
        return [
            (row["slack_user"], row["github_login"], row["outcome"])
            async for row in export_audit(self.db, None)
            if row["action"] == action
        ]

    def note(self, figure: str) -> None:
        """Print a measured figure; `pytest -rP` shows it."""
        print(figure)  # noqa: T201 - shown in the test's output.

    def check(self) -> None:
        """Assert that nothing was sent that the real servers refuse, or that we promise not to send."""
        assert self.slack.complaints == self.github.complaints == []


def alert_of(card: SlackMessage) -> tuple[int, int]:
    """The repository id and the alert number in a card's metadata."""
    assert card.metadata is not None
    about = card.metadata["event_payload"]
    return int(about["repository_id"]), int(about["alert_number"])


@asynccontextmanager
async def open_scene(
    database_url: str,
    directory: Path,
    private_key: str,
    *,
    channels: Sequence[str] = (CHANNEL,),
    links_people: bool = True,
    host: str = LOOPBACK,
) -> AsyncIterator[Scene]:
    """Start both stand-ins and link the people; the test starts the bot. At the end every process is gone."""
    db = Database(database_url, clock=Clock(), audit_key=AUDIT_KEY.encode())
    async with SlackSandbox(host=host) as slack, GitHubSandbox(private_key=private_key, host=host) as github:
        octo = github.app_owner
        assert isinstance(octo, Organization)
        people = {user: github.add_user(login) for user, login in PEOPLE.items()}
        github.add_member(octo, people[OWNER], role="admin")
        github.add_member(octo, people[ADMIN])
        for user, login in PEOPLE.items():
            slack.workspace.add_user(user, name=login)
        for channel in channels:
            slack.workspace.add_channel(channel, name=channel.lower(), members=list(PEOPLE))
        repository = github.add_repository(octo, "payments")
        github.add_collaborator(repository, people[ADMIN], "admin")
        github.install(octo)
        environment = bot_environment(slack, github, database_url) | {"STANCH_DEFAULT_CHANNEL": CHANNEL}
        leaker = github.add_user("leaky-dev")
        scene = Scene(slack, github, db, directory, environment, people, repository, leaker)
        if links_people:
            await _link(db, slack.team_id, people)
        try:
            yield scene
        finally:
            scene.calm()
            for bot in scene.bots:
                if bot.runs:
                    await bot.kill()
            await db.close()


async def _link(db: Database, team: str, people: dict[str, GitHubUser]) -> None:
    async with db.begin() as tx:
        for user, account in people.items():
            github = Account(GitHubId(account.id), account.login)
            identity = Identity(SlackTeamId(team), SlackUserId(user), github, "mapping", tx.now, "cli")
            await identities.put(tx, identity)
