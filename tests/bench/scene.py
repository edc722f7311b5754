"""Starts both stand-ins for a measurement, with fifty people and a hundred channels."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from integrations.sandbox.github import (
    GitHubRepository,
    GitHubSandbox,
    GitHubUser,
    Organization,
    generate_private_key,
)
from integrations.sandbox.slack import SlackSandbox
from storage import identities, subscriptions
from storage.clock import Clock
from storage.db import Database
from storage.records import (
    Account,
    ChannelId,
    GitHubId,
    Identity,
    SlackTeamId,
    SlackUserId,
    Subscription,
)
from storage.tables import job
from tests.environment import bot_environment

PEOPLE = 50
CHANNELS = 100
WITHIN = 60.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The stand-ins and their data; each repository is subscribed to by the channel of the same position."""

    slack: SlackSandbox
    github: GitHubSandbox
    people: tuple[str, ...]
    channels: tuple[str, ...]
    repositories: tuple[GitHubRepository, ...]
    accounts: dict[str, GitHubUser]
    directory: Path

    async def idle(self, name: str) -> None:
        """Wait until the product on that database has no job that is due within a second."""
        conn = sqlite3.connect(self.directory / f"{name}.db")
        busy = "SELECT count(*) FROM job WHERE state = 'running' OR state = 'ready' AND run_at < ?"
        async with asyncio.timeout(WITHIN):
            while conn.execute(busy, (time.time() + 1,)).fetchone()[0]:  # noqa: ASYNC110 - another process works.
                await asyncio.sleep(0.1)
        conn.close()

    async def idle_at(self, url: str, soon: float = 1.0) -> None:
        """The same for any kind of database, and for jobs that are due within `soon` seconds."""
        db = Database(url, clock=Clock())
        is_due = sa.and_(job.c.state == "ready", job.c.run_at < sa.bindparam("soon"))
        busy = sa.select(sa.func.count()).select_from(job).where((job.c.state == "running") | is_due)
        async with asyncio.timeout(WITHIN):
            count = 1
            while count:
                await asyncio.sleep(0.1)
                async with db.read() as tx:
                    count = await tx.conn.scalar(busy, {"soon": time.time() + soon}) or 0
        await db.close()

    async def environment(self, name: str, url: str = "") -> dict[str, str]:
        """The product's settings, with a new database in which people are linked and channels subscribed."""
        url = url or f"sqlite+aiosqlite:///{self.directory / name}.db"
        await self._fill(url)
        return bot_environment(self.slack, self.github, url)

    async def _fill(self, url: str) -> None:
        db = Database(url, clock=Clock())
        await db.migrate()
        team = SlackTeamId(self.slack.team_id)
        async with db.begin() as tx:
            for user, account in self.accounts.items():
                github = Account(GitHubId(account.id), account.login)
                identity = Identity(team, SlackUserId(user), github, "mapping", tx.now, "cli")
                await identities.put(tx, identity)
            for channel, repository in zip(self.channels, self.repositories, strict=True):
                filtered = f"repo:{repository.full_name}"
                await subscriptions.add(tx, Subscription(ChannelId(channel), filtered, created_at=tx.now))
        await db.close()


@asynccontextmanager
async def open_scene(directory: Path) -> AsyncIterator[Scene]:
    """Start both stand-ins, without the checks of messages and answers, which take time."""
    async with (
        SlackSandbox(check_blocks=False) as slack,
        GitHubSandbox(private_key=generate_private_key(), check_answers=False) as github,
    ):
        github.core_limit = 10**9
        octo = github.app_owner
        assert isinstance(octo, Organization)
        people = tuple(f"U0P{number:03}" for number in range(PEOPLE))
        channels = tuple(f"C0C{number:03}" for number in range(CHANNELS))
        accounts = {user: github.add_user(f"person-{user[3:]}") for user in people}
        for user, account in accounts.items():
            slack.workspace.add_user(user, name=account.login)
            github.add_member(octo, account, role="admin")
        for channel in channels:
            slack.workspace.add_channel(channel, name=channel.lower(), members=people)
        repositories = tuple(github.add_repository(octo, f"service-{number}") for number in range(CHANNELS))
        github.install(octo)
        yield Scene(slack, github, people, channels, repositories, accounts, directory)
