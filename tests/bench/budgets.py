"""What an alert and a submit take in SQL statements, write commits and calls, on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.github import generate_private_key
from storage.clock import Clock
from storage.db import Database
from tests.bench.figures import Row, Series
from tests.bench.statements import STORED, Cost, Transactions, counted
from tests.conftest import PostgreSQL, start_postgresql
from tests.flows.stage import OWNER, Stage, open_stage

IDLE = 60
"""Seconds after which the channel takes the next message at once."""
ALERT = Cost(25, 6)
SUBMIT = Cost(30, 6)
MESSAGE = Cost(8, 3)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one piece of work took."""

    cost: Cost
    github: tuple[str, ...]
    """The calls to GitHub, as `GET /path`."""
    slack: tuple[str, ...]
    """The methods of Slack that were called."""
    transactions: Transactions
    messages: tuple[Cost, ...] = ()
    """The messages that followed, each."""


async def measure_alert(stage: Stage) -> Usage:
    """A new alert in a known repository and a channel that takes messages at once: from webhook to posted card."""
    await stage.leak()
    _settle(stage)
    with counted() as seen:
        await stage.leak()
    [delivery], [message] = seen.of_jobs("delivery"), seen.of_jobs("message")
    return Usage(STORED + delivery + message, *_calls(stage), seen)


async def measure_submit(stage: Stage) -> Usage:
    """A close of an alert whose form is open: from request to recorded result, and the messages that follow."""
    await stage.leak()
    await stage.pick(OWNER, "close_as", "revoked")
    _settle(stage)
    with counted() as seen:
        await stage.submit(OWNER)
    [action] = seen.of_jobs("act")
    return Usage(STORED + action, *_calls(stage), seen, tuple(seen.of_jobs("message")))


def _settle(stage: Stage) -> None:
    stage.clock.advance(IDLE)
    stage.github.requests.clear()
    stage.slack.requests.clear()


def _calls(stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    github = tuple(f"{request.method} {request.path}" for request in stage.github.requests)
    return github, tuple(request.method for request in stage.slack.requests)


async def measure_budgets(directory: Path) -> list[Row]:
    """The rows for both databases; the calls are the same on both."""
    postgresql = start_postgresql(directory / "postgresql")
    try:
        server = PostgreSQL(postgresql, "bench")
        rows = await _rows("SQLite", [f"sqlite+aiosqlite:///{directory}/{name}.db" for name in "as"])
        rows += await _rows("PostgreSQL", [server.url(server.create()) for _ in "as"])
    finally:
        postgresql.cleanup()
    return rows


async def _rows(database: str, urls: Sequence[str]) -> list[Row]:
    usages = []
    for url, measuring in zip(urls, (measure_alert, measure_submit), strict=True):
        db = Database(url, clock=Clock())
        await db.migrate()
        await db.close()
        async with open_stage(url, Clock(), generate_private_key()) as stage:
            usages.append(await measuring(stage))
    alert, submit = usages
    largest = max(submit.messages, key=lambda cost: cost.statements)
    rows = []
    for what, cost, limit in (
        ("a new alert", alert.cost, ALERT),
        ("a submit", submit.cost, SUBMIT),
        ("a message of a submit", largest, MESSAGE),
    ):
        rows += [
            _row(f"{what}, {database}", "SQL statements", cost.statements, limit.statements),
            _row(f"{what}, {database}", "commits", cost.commits, limit.commits),
        ]
    return [
        *rows,
        _row(f"a new alert, {database}", "calls to GitHub", len(alert.github), 1),
        _row(f"a new alert, {database}", "calls to Slack", len(alert.slack), 1),
        _row(f"a submit with its webhook and messages, {database}", "calls to GitHub", len(submit.github)),
        _row(f"a submit with its webhook and messages, {database}", "calls to Slack", len(submit.slack)),
    ]


def _row(what: str, unit: str, taken: int, target: int | None = None) -> Row:
    return Row(what=what, unit=unit, product=Series((float(taken),)), target=target)
