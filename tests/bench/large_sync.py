"""Measures a sync of 200 installations with 50,000 stored repositories, and counts its calls of GitHub."""

import asyncio
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from integrations.sandbox.github import (
    GitHubAlert,
    GitHubInstallation,
    GitHubRepository,
    GitHubSandbox,
    RecordedRequest,
    generate_private_key,
)
from integrations.sandbox.slack import SlackSandbox
from storage.clock import Clock
from storage.db import Database
from storage.tables import alert, installation, repository, saved_value
from tests.bench.alert_flags import FLAGS
from tests.bench.figures import Row, Series
from tests.bench.servers import product
from tests.environment import bot_environment

ORGANIZATIONS, USERS = 196, 4
REPOSITORIES = 250
"""In each account."""
ALERTS = 100
"""In each account; every tenth of a generic type, which GitHub has a list of its own for."""
CHANNEL = "C0ALERTS"
NAME = "large-sync"
DAY = 86400.0
OLD = 30 * DAY
INTERVAL = 900.0
"""Seconds between two syncs, the default of STANCH_SYNC_INTERVAL."""
HOURLY = 5000
"""Calls in an hour that GitHub allows an installation, or the App, at least."""
POINTS, WRITE = 900, 5
"""Points in a minute that GitHub allows one caller; a call that reads costs one, one that writes five."""
MEMORY_TARGET = 200.0
WITHIN = 400.0
LEFT = "SELECT count(*) = 0 OR sum(state IN ('ready', 'running')) > 0 FROM job WHERE kind LIKE 'sweep%'"
"""1 while a sync is to come or runs; the server says that it is ready before it requests one."""
NAMES = (
    (r"^/orgs/[^/]+", "/orgs/{org}"),
    (r"^/users/[^/]+", "/users/{username}"),
    (r"^/repos/[^/]+/[^/]+", "/repos/{owner}/{repo}"),
    (r"/\d+", "/{id}"),
)


@dataclass(frozen=True, slots=True)
class Synced:
    """One sync of all installations."""

    seconds: float
    memory: float
    """Megabytes of the process at its end."""
    requests: Sequence[RecordedRequest]

    def kinds(self) -> Counter[str]:
        """The calls by method and path."""
        return Counter(f"{request.method} {_path(request.path)}" for request in self.requests)

    def most_by_installation(self) -> int:
        return max(Counter(one.installation_id for one in self.requests if one.installation_id).values())

    def most_points(self) -> int:
        """The most points of one caller within sixty seconds."""
        by_caller: dict[int | None, list[tuple[float, int]]] = {}
        for one in self.requests:
            by_caller.setdefault(one.installation_id, []).append(
                (one.at, 1 if one.method == "GET" else WRITE)
            )
        return max(_most_within(60.0, calls) for calls in by_caller.values())


async def measure_large_sync(directory: Path) -> list[Row]:
    """The daily sync, which reads every alert, and the usual one, which reads what has changed."""
    async with (
        SlackSandbox(check_blocks=False) as slack,
        GitHubSandbox(private_key=generate_private_key(), check_answers=False) as github,
    ):
        slack.workspace.add_channel(CHANNEL, name="alerts", members=())
        url = f"sqlite+aiosqlite:///{directory / NAME}.db"
        environment = bot_environment(slack, github, url) | {
            "GITHUB_ACCOUNTS": ",".join(str(one.account.id) for one in _install_everywhere(github)),
            "STANCH_DEFAULT_CHANNEL": CHANNEL,
        }
        db = Database(url, clock=Clock())
        await db.migrate()
        await _store(db, github)
        await db.close()
        daily = await _sync(environment, directory, github)
        usual = await _sync(environment, directory, github)
    return [*_rows("sync of every alert", daily), *_rows("sync of what changed", usual)]


def _rows(what: str, synced: Synced) -> list[Row]:
    def row(name: str, unit: str, value: float, target: float | None = None) -> Row:
        return Row(what=f"{what}{name}", unit=unit, product=Series((value,)), target=target)

    accounts = ORGANIZATIONS + USERS
    in_an_hour = synced.most_by_installation() * 3600 / INTERVAL
    return [
        row(f", {accounts} installations, {accounts * REPOSITORIES:,} repositories", "s", synced.seconds),
        row(", memory at its end", "MB", synced.memory, MEMORY_TARGET),
        row(", calls of an installation, at most", "1/h", in_an_hour, HOURLY),
        row(", points of a caller, at most", "1/min", synced.most_points(), POINTS),
        *(row(f": {kind}", "calls", number) for kind, number in synced.kinds().most_common()),
    ]


def _install_everywhere(github: GitHubSandbox) -> list[GitHubInstallation]:
    """Accounts with repositories and old alerts, and the App on each."""
    accounts = [
        *(github.add_organization(f"org-{number}") for number in range(ORGANIZATIONS)),
        *(github.add_user(f"user-{number}") for number in range(USERS)),
    ]
    installed = []
    for account in accounts:
        owned = [github.add_repository(account, f"service-{number}") for number in range(REPOSITORIES)]
        for number in range(ALERTS):
            generic = number % 10 == 9
            github.leak(
                owned[number],
                secret_type="rsa_private_key" if generic else "stripe_api_key",
                category="generic" if generic else "default",
                created_at=float(int(github.now() - OLD) + number),
            )
        installed.append(github.install(account))
    return installed


async def _store(db: Database, github: GitHubSandbox) -> None:
    """Store all of it, and that the last sync was a short time ago, and the last one of every alert a day ago."""
    installations = list(github.installations.values())
    by_owner = {one.account.id: one for one in installations}
    async with db.begin() as tx:
        progress = {"finished_at": tx.now - INTERVAL, "all_at": tx.now - 2 * DAY}
        for table, rows in (
            (installation, [_installation_row(one) for one in installations]),
            (
                repository,
                [_repository_row(one, by_owner, github.url) for one in github.repositories.values()],
            ),
            (alert, [_alert_row(one, github.url) for one in github.alerts.values()]),
            (
                saved_value,
                [
                    {"key": f"sweep:{one.id}{part}", "value": progress}
                    for one in installations
                    for part in ("", ":generic")
                ],
            ),
        ):
            await tx.conn.execute(sa.insert(table), rows)


def _installation_row(one: GitHubInstallation) -> dict[str, object]:
    return {
        "id": one.id,
        "account_id": one.account.id,
        "account_login": one.account.login,
        "account_type": one.account.kind,
        "state": "active",
    }


def _repository_row(
    one: GitHubRepository, installed: Mapping[int, GitHubInstallation], url: str
) -> dict[str, object]:
    return {
        "id": one.id,
        "full_name": one.full_name,
        "folded_name": one.full_name,
        "html_url": f"{url}/{one.full_name}",
        "owner_id": one.owner.id,
        "owner_login": one.owner.login,
        "owner_type": one.owner.kind,
        "visibility": one.visibility,
        "state": "reachable",
        "installation_id": installed[one.owner.id].id,
    }


def _alert_row(one: GitHubAlert, url: str) -> dict[str, object]:
    return {
        "repository_id": one.repository.id,
        "number": one.number,
        "html_url": f"{url}/{one.repository.full_name}/security/secret-scanning/{one.number}",
        "secret_type": one.secret_type,
        "secret_type_name": one.display_name,
        "category": one.category,
        "state": one.state,
        "validity": one.validity,
        "detailed": True,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "first_seen_at": one.created_at,
        "place": {"kind": "commit", "path": "config/settings.py"},
        "token": {},
        **dict.fromkeys(FLAGS, False),
    }


async def _sync(environment: Mapping[str, str], directory: Path, github: GitHubSandbox) -> Synced:
    """Start a process, which syncs at its start, and wait until that has ended."""
    github.requests.clear()
    conn = sqlite3.connect(directory / f"{NAME}.db")
    # Less than a minute after another start, none is requested.
    conn.execute("DELETE FROM job WHERE kind LIKE 'sweep%'")
    conn.commit()
    began = time.time()
    async with product(environment, directory, role="all") as server, asyncio.timeout(WITHIN):
        while conn.execute(LEFT).fetchone()[0]:  # noqa: ASYNC110 - another process works.
            await asyncio.sleep(0.1)
        synced = Synced(time.time() - began, server.memory(), tuple(github.requests))
    conn.close()
    return synced


def _path(path: str) -> str:
    for pattern, name in NAMES:
        path = re.sub(pattern, name, path)
    return path


def _most_within(seconds: float, calls: Sequence[tuple[float, int]]) -> int:
    """The greatest sum of points of any span of so many seconds; `calls` are in order."""
    most = points = first = 0
    for at, cost in calls:
        points += cost
        while calls[first][0] <= at - seconds:
            points -= calls[first][1]
            first += 1
        most = max(most, points)
    return most
