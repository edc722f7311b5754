"""After an upgrade from version 0.1.0 its database, cards and waiting jobs go on working.

`tests/data/rows_of_0_1_0.json` holds rows that version 0.1.0 wrote against the same stand-ins: three alerts with
cards (one checked and taken, one closed, one reported), a delivery that is not handled yet, and a job of every kind.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from bot.job_kinds import RedrawChannel
from bot.job_rows import new_job
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from storage import jobs
from storage.clock import Clock
from storage.db import Database
from storage.migrations.upgrade import config
from storage.records import ChannelId, JobState
from storage.tables import METADATA
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, open_stage

ROWS = Path(__file__).parents[1] / "data" / "rows_of_0_1_0.json"
DAY = 86400.0
RETIRED = "retired"
"""The action id of some stored jobs; no version knows it."""


@pytest.fixture
async def stage(empty_database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Stanch, started on the database of 0.1.0."""

    async def prepare(slack: SlackSandbox, github: GitHubSandbox) -> None:
        await _restore(empty_database_url, clock, slack, github)

    async with open_stage(empty_database_url, clock, private_key, prepare=prepare) as stage:
        yield stage
        stage.check()


async def test_waiting_jobs_of_0_1_0_run(stage: Stage) -> None:
    await stage.work(within=30)
    async with stage.context.db.read() as tx:
        parked = await jobs.list_jobs(tx, states=[JobState.PARKED])
        ready = await jobs.list_jobs(tx, states=[JobState.READY])
    # Only jobs of the unknown action are parked; ready ones are due later.
    assert {RETIRED in json.dumps(dict(job.payload)) for job in parked} <= {True}, [
        job.error for job in parked
    ]
    assert {job.kind for job in ready} <= {"follow_up", "revoked_look", "details"}
    private = [message.shown_text for message in stage.slack.private_messages(ADMIN)]
    assert any("Hello from 0.1.0." in text for text in private)


async def test_a_waiting_delivery_of_0_1_0_gets_its_card(stage: Stage) -> None:
    assert len(stage.slack.cards(CHANNEL)) == 3
    await stage.work(within=30)
    assert len(stage.slack.cards(CHANNEL)) == 4


@pytest.mark.either_database
async def test_a_card_of_0_1_0_is_updated_in_place(stage: Stage) -> None:
    await stage.work(within=30)
    first, *_ = stage.slack.cards(CHANNEL)
    await stage.slack.select(OWNER, CHANNEL, first.ts, "close_as", "revoked")
    await stage.work(within=3)
    await stage.submit(OWNER, {"comment": {"comment": "Rotated."}})
    alert = stage.github.alerts[stage.repository.id, 1]
    assert (alert.state, alert.resolution) == ("resolved", "revoked")
    [now] = [card for card in stage.slack.cards(CHANNEL) if card.ts == first.ts]
    assert "reopen" in now.action_ids
    assert len(stage.slack.cards(CHANNEL)) == 4


@pytest.mark.either_database
async def test_a_report_of_0_1_0_is_followed_up(stage: Stage) -> None:
    await stage.work(within=1000)
    third = stage.slack.cards(CHANNEL)[2]
    assert "confirmed inactive" in third.shown_text.lower() or "still works" in third.shown_text.lower()


@pytest.mark.either_database
async def test_a_report_of_0_1_0_is_confirmed_in_its_own_reply(stage: Stage) -> None:
    card = stage.slack.cards(CHANNEL)[2]
    before = [reply.ts for reply in stage.slack.thread(CHANNEL, card.ts)]
    await stage.work(within=1000)
    thread = stage.slack.thread(CHANNEL, card.ts)
    assert [reply.ts for reply in thread] == before
    assert sum("reported the leak" in one.shown_text for one in thread) == 1
    assert sum("reported secret" in one.shown_text for one in thread) == 1


@pytest.mark.either_database
async def test_replies_of_0_1_0_that_are_no_longer_made_stay(stage: Stage) -> None:
    """The check and the take; redrawn, as after a channel was shared, they keep their words."""
    card = stage.slack.cards(CHANNEL)[0]
    before = [reply.ts for reply in stage.slack.thread(CHANNEL, card.ts)]
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(RedrawChannel(ChannelId(CHANNEL))))
    await stage.work(within=30)
    thread = stage.slack.thread(CHANNEL, card.ts)
    assert [reply.ts for reply in thread] == before
    shown = " ".join(reply.shown_text for reply in thread)
    assert "checked it" in shown
    assert "is on it" in shown


async def _restore(url: str, clock: Clock, slack: SlackSandbox, github: GitHubSandbox) -> None:
    """Insert the rows into a database with the schema of 0.1.0, and post their messages in Slack."""
    saved = json.loads(ROWS.read_text())
    tables = _shifted(saved["tables"], saved["now"], clock.now())
    text = (
        json.dumps(tables)
        .replace("{github}", github.url)
        .replace("{slack}", slack.api_url.removesuffix("/api/"))
    )
    tables = json.loads(text)
    _create_alerts(github, saved["ids"]["repository"], saved["ids"]["leaker"])
    _post_messages(slack, tables["message"])
    db = Database(url, clock=clock, audit_key=b"a key for tests")
    async with db.begin() as tx:
        await tx.conn.run_sync(lambda conn: command.upgrade(config(conn), "0001"))
        for table in METADATA.sorted_tables:
            if tables.get(table.name):
                await tx.conn.execute(_insert(table, tables[table.name][0]), tables[table.name])
        if tx.dialect == "postgresql":
            for name in ("job", "event"):
                top = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                await tx.conn.execute(sa.text(top))
    await db.close()


def _insert(table: sa.Table, row: dict[str, Any]) -> sa.Insert:
    """An insert of the columns of 0.1.0 alone."""
    return sa.insert(sa.table(table.name, *(sa.column(name, table.c[name].type) for name in row)))


def _shifted(value: Any, then: float, now: float) -> Any:
    """The rows with every time moved from `then` to `now`."""
    if isinstance(value, dict):
        return {key: _shifted(one, then, now) for key, one in value.items()}
    if isinstance(value, list):
        return [_shifted(one, then, now) for one in value]
    if isinstance(value, float) and abs(value - then) < 30 * DAY:
        return value - then + now
    return value


def _create_alerts(github: GitHubSandbox, repository_id: int, leaker_id: int) -> None:
    """Create the four alerts in the stand-in GitHub."""
    repository, leaker = github.named_repository("octo", "payments"), github.user("leaky-dev")
    assert repository is not None
    assert leaker is not None
    assert (repository.id, leaker.id) == (repository_id, leaker_id), (
        "the stand-in numbers its records differently now"
    )
    tokens = [github.add_live_token(owner=leaker, scopes=("repo", "workflow")) for _ in range(4)]
    found = [github.leak(repository, token=token) for token in tokens]
    github.close(found[1], by=leaker, resolution="revoked")
    github.revoke_token(tokens[2])


def _post_messages(slack: SlackSandbox, messages: list[dict[str, Any]]) -> None:
    """Post the messages in the stand-in Slack, and put the new `ts` of each into its row."""
    cards: dict[int, str] = {}
    for message in sorted((one for one in messages if one["ts"]), key=lambda one: one["ts"]):
        key = {"repository_id": message["repository_id"], "alert_number": message["alert_number"]}
        is_card = message["purpose"] == "card"
        posted = slack.workspace.post_as_app(
            message["channel"],
            "A message of version 0.1.0",
            (
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": "A message of version 0.1.0", "verbatim": True},
                },
            ),
            metadata={"event_type": "stanch_alert", "event_payload": key}
            if is_card
            else {"event_type": "stanch_event", "event_payload": {"key": message["key"]}},
            thread_ts=None if is_card else cards[message["alert_number"]],
        )
        if is_card:
            cards[message["alert_number"]] = posted.ts
        message["ts"] = posted.ts
