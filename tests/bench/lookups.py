"""Measures look-ups over ten thousand, a hundred thousand and a million stored alerts, on both databases.

The alerts are in 3,000 repositories. The owner sees all of them, the reader those of three repositories.
"""

import gc
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.commands import answer
from bot.requests import CommandRequest
from bot.rules.rights import RoleFacts
from integrations.sandbox.github import generate_private_key
from storage import role_cache
from storage.clock import Clock
from storage.db import Database, Tx
from storage.records import Account, ChannelId, GitHubId, RepositoryId, SlackTeamId, SlackUserId
from storage.tables import alert, repository
from tests.bench.alert_flags import FLAGS
from tests.bench.figures import Row, Series, percentile
from tests.conftest import PostgreSQL, start_postgresql
from tests.flows.stage import CHANNEL, OWNER, READER, Stage, open_stage

SIZES = (10_000, 100_000, 1_000_000)
REPOSITORIES = 3000
FIRST_ID = 10_000_000
AT_ONCE = 100_000
"""Alerts that are inserted by one statement."""
TIMES = 60
SCANS = 3
"""A search for a word that is nowhere reads every alert, so it is measured less often."""
PAGE_TARGET = 50.0
SEARCH_TARGET = 1000.0
LOOK_UPS = {
    "list": (OWNER, "list"),
    "list, for the reader": (READER, "list"),
    "mine": (OWNER, "mine"),
    "show": (OWNER, "show octo/service-7#3"),
    "list of one repository": (OWNER, "list repo:octo/service-7"),
    "search, a word of many alerts": (OWNER, "search stripe"),
    "search, a word of none": (OWNER, "search nowhere-to-be-found"),
}
SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM n LIMIT {1}) SELECT i FROM n",
    "postgresql": "SELECT generate_series({0}, {0} + {1} - 1) AS i",
}


async def measure_lookups(directory: Path) -> list[Row]:
    """A row for each look-up, size and database; the baseline is the same with the fewest alerts."""
    postgresql = start_postgresql(directory / "lookups")
    try:
        server = PostgreSQL(postgresql, "lookups")
        rows = []
        for name in ("SQLite", "PostgreSQL"):
            took: dict[int, dict[str, float]] = {}
            for size in SIZES:
                on_sqlite = f"sqlite+aiosqlite:///{directory}/lookups-{size}.db"
                took[size] = await _measure(
                    on_sqlite if name == "SQLite" else server.url(server.create()), size
                )
            rows += [_row(name, what, size, took) for size in SIZES for what in LOOK_UPS]
    finally:
        postgresql.cleanup()
    return rows


def _row(database: str, what: str, size: int, took: dict[int, dict[str, float]]) -> Row:
    return Row(
        what=f"{what}, {size:,} alerts, {database}, p95",
        unit="ms",
        product=Series((took[size][what],)),
        baseline=Series((took[SIZES[0]][what],)) if size != SIZES[0] else None,
        target=SEARCH_TARGET if what.startswith("search") else PAGE_TARGET,
    )


async def _measure(url: str, size: int) -> dict[str, float]:
    """The milliseconds of each look-up."""
    db = Database(url, clock=Clock())
    await db.migrate()
    await db.close()
    async with open_stage(url, Clock(), generate_private_key(), threads=True) as stage:
        async with stage.context.db.begin() as tx:
            await _fill(tx, stage)
        for first in range(0, size, AT_ONCE):
            async with stage.context.db.begin() as tx:
                columns = _alert_columns(tx.now, stage.people[OWNER].id)
                await _insert(tx, alert, first, min(AT_ONCE, size - first), columns)
        if "postgresql" in url:
            # Autovacuum does it on a server that is not filled in a second.
            async with stage.context.db.begin() as tx:
                await tx.conn.execute(sa.text("ANALYZE"))
        # As a server does after its imports: else the collector looks at all of this process's modules now and then.
        gc.collect()
        gc.freeze()
        return {what: await _time(stage, *look_up) for what, look_up in LOOK_UPS.items()}


async def _time(stage: Stage, user: str, text: str) -> float:
    times = SCANS if "nowhere" in text else TIMES
    taken = []
    for _ in range(times + 1):
        request = CommandRequest(
            user=SlackUserId(user),
            team=SlackTeamId(stage.slack.team_id),
            channel=ChannelId(CHANNEL),
            text=text,
            at=stage.clock.now(),
        )
        began = time.perf_counter()
        await answer(stage.context, request)
        taken.append(1000 * (time.perf_counter() - began))
    return percentile(taken[1:], 0.95)


async def _fill(tx: Tx, stage: Stage) -> None:
    """Insert the repositories, and what is known of the two persons' roles."""
    octo = stage.github.app_owner
    await _insert(tx, repository, 0, REPOSITORIES, _repository_columns(octo.id, octo.login))
    for number in range(REPOSITORIES):
        await _know(
            tx, stage, READER, number, membership="member", permission="admin" if number < 3 else "read"
        )
    await _know(tx, stage, OWNER, 0, membership="admin", permission="admin")


async def _know(tx: Tx, stage: Stage, user: str, number: int, *, membership: str, permission: str) -> None:
    """Store a person's role in the repository of that number."""
    person, owner = stage.people[user], GitHubId(stage.github.app_owner.id)
    facts = RoleFacts(
        Account(GitHubId(person.id), person.login),
        "Organization",
        owner,
        membership=membership,
        permission=permission,
        role_name=permission,
    )
    await role_cache.save(tx, facts.account.id, RepositoryId(FIRST_ID + number), owner, facts.to_json())


def _repository_columns(owner_id: int, owner: str) -> dict[str, str]:
    name = f"'{owner}/service-' || i"
    return {
        "id": f"{FIRST_ID} + i",
        **dict.fromkeys(("full_name", "folded_name"), name),
        "html_url": f"'https://github.com/' || {name}",
        "owner_login": f"'{owner}'",
        "owner_type": "'Organization'",
        "visibility": "'private'",
        "state": "'reachable'",
        "owner_id": str(owner_id),
    }


def _alert_columns(now: float, assignee: int) -> dict[str, str]:
    """Three in five are open, one in seven is Stripe's, one in ten thousand is assigned to the person."""
    path = '\'{"kind":"commit","path":"src/config-\' || (i % 5000) || \'.yml"}\''
    return {
        "repository_id": f"{FIRST_ID} + i % {REPOSITORIES}",
        "number": f"1 + i / {REPOSITORIES}",
        "html_url": "'https://github.com/octo/service/security/secret-scanning/' || i",
        "secret_type": "'some_type'",
        "secret_type_name": "CASE i % 7 WHEN 0 THEN 'Stripe API Key' ELSE 'GitHub Personal Access Token' END",
        "state": "CASE WHEN i % 5 < 3 THEN 'open' ELSE 'resolved' END",
        "category": "'default'",
        "validity": "'unknown'",
        "detailed": "true",
        **dict.fromkeys(("created_at", "updated_at", "first_seen_at"), f"{now} - i * 10.0"),
        **dict.fromkeys(FLAGS, "false"),
        "place": f"CAST({path} AS JSON)",
        "token": "CAST('{}' AS JSON)",
        "assigned_to_id": f"CASE WHEN i % 10007 = 0 THEN {assignee} END",
    }


async def _insert(tx: Tx, table: sa.Table, first: int, number: int, columns: dict[str, str]) -> None:
    values: Any = ", ".join(columns.values())
    if tx.dialect == "sqlite":
        values = values.replace("CAST(", "").replace(" AS JSON)", "")
    series = SERIES[tx.dialect].format(first, number)
    query = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} FROM ({series}) AS numbers"
    await tx.conn.exec_driver_sql(query)
