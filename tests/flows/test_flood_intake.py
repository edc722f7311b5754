"""The deliveries of a flood are worked together: by GitHub's lists and in few transactions, yet each as if alone."""

import asyncio
from collections import Counter
from dataclasses import replace
from weakref import WeakValueDictionary

import pytest
import sqlalchemy as sa

from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import LEASE, Worker
from bot.rules.urgency import Urgency
from integrations.sandbox.github import GitHubAlert
from storage import alerts, job_queue, jobs, messages, repositories
from storage.db import Database
from storage.records import (
    AlertState,
    ChannelId,
    EventKind,
    JobState,
    Message,
    MessageKey,
    MessagePurpose,
    RepositoryId,
)
from storage.tables import delivery as delivery_table
from storage.tables import event as event_table
from tests.flows.dying import Dead, dying
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of
from tests.flows.test_floods import alone, leak_many, summary_of

LIST = r"GET /repos/octo/payments/secret-scanning/alerts$"
pytestmark = pytest.mark.either_database


async def begin(stage: Stage, count: int) -> list[GitHubAlert]:
    """The repository is known, and so many deliveries wait."""
    await stage.leak()
    stage.github.requests.clear()
    leaked = leak_many(stage, count)
    await stage.github.settle()
    return leaked


async def check_all_stored(stage: Stage, leaked: list[GitHubAlert]) -> None:
    """Each alert is stored once, with one entry and one card, and no delivery is left."""
    async with stage.context.db.read() as tx:
        stored = await alerts.load_all(tx, [key_of(alert) for alert in leaked])
        query = sa.select(event_table.c.alert_number).where(event_table.c.kind == EventKind.FOUND)
        found = Counter(await tx.conn.scalars(query))
        cards = [await messages.of_alert(tx, key_of(alert), MessagePurpose.CARD) for alert in leaked]
        left = await jobs.list_jobs(tx, states=[JobState.READY, JobState.RUNNING, JobState.PARKED])
        outcomes = set(await tx.conn.scalars(sa.select(delivery_table.c.outcome).distinct()))
    places = [stored[key_of(alert)].place for alert in leaked]
    assert [place and place.path for place in places] == [f"src/{number}.py" for number in range(len(leaked))]
    assert [found[alert.number] for alert in leaked] == [1] * len(leaked)
    assert [len(theirs) for theirs in cards] == [1] * len(leaked)
    assert [job for job in left if job.kind == "delivery"] == []
    assert outcomes == {"stored"}


def calls_for_one(stage: Stage) -> int:
    """How often GitHub was asked for one alert."""
    return len(stage.github.calls("GET", r"/repos/.*/alerts/\d+"))


async def test_a_flood_is_stored_from_githubs_lists(stage: Stage) -> None:
    """One call for each alert would use up the calls that GitHub allows an installation in an hour."""
    leaked = await begin(stage, 110)
    await stage.work(within=30)
    await check_all_stored(stage, leaked)
    assert f"{110 - len(alone(stage, leaked))} new alerts" in summary_of(stage).shown_text
    listed = stage.github.calls("GET", r"/repos/.*/secret-scanning/alerts")
    assert calls_for_one(stage) < 15
    assert 2 <= len(listed) < 10
    assert {call.query["hide_secret"] for call in listed} == {"true"}


async def test_a_flood_is_stored_in_few_transactions(stage: Stage) -> None:
    leaked = await begin(stage, 40)
    with dying(None) as life:
        await stage.running.worker.run_due()
    assert life.commits < 40
    await stage.work(within=30)
    await check_all_stored(stage, leaked)


async def test_the_rules_of_a_flood_hold_for_alerts_that_are_stored_together(stage: Stage) -> None:
    """Their deliveries did not say that some of them are urgent."""
    leaked = await begin(stage, 40)
    for alert in leaked[28:]:
        alert.checked_validity = "active"
    await stage.work(within=60)
    await check_all_stored(stage, leaked)
    assert len(alone(stage, leaked[28:])) == 10
    async with stage.context.db.read() as tx:
        cards = [await messages.of_alert(tx, key_of(alert), MessagePurpose.CARD) for alert in leaked]
    assert [card.urgency for [card] in cards].count(Urgency.HIGH) == 12


async def test_what_follows_a_new_alert_in_a_flood_is_worked_behind_it(stage: Stage) -> None:
    leaked = await begin(stage, 30)
    stage.github.add_location(leaked[-1], path="again.py", start_line=2, end_line=2)
    stage.github.close(leaked[-2], by=stage.people[OWNER], resolution="revoked")
    stage.github.assign(leaked[-3], stage.people[ADMIN])
    await stage.work(within=30)
    moved, closed, assigned = [await stage.stored(alert) for alert in leaked[-1:-4:-1]]
    assert moved is not None
    assert moved.has_more_places
    assert closed is not None
    assert closed.state is AlertState.RESOLVED
    assert assigned is not None
    assert assigned.taken_by is not None
    await check_all_stored(stage, leaked[:-3])


async def test_changes_in_a_flood_are_all_recorded(stage: Stage) -> None:
    leaked = await begin(stage, 30)
    await stage.work(within=30)
    for alert in leaked:
        stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=30)
    stored = [await stage.stored(alert) for alert in leaked]
    assert {alert.state for alert in stored if alert} == {AlertState.RESOLVED}


async def test_known_locations_in_a_flood_are_worked_together_too(stage: Stage) -> None:
    """GitHub may send the first location of each alert as well."""
    leaked = await begin(stage, 30)
    await stage.work(within=30)
    asked = calls_for_one(stage)
    for alert in leaked:
        stage.github.announce_location(alert, alert.locations[0])
    await stage.work(within=30)
    await check_all_stored(stage, leaked)
    assert calls_for_one(stage) - asked < 10


async def test_a_flood_is_worked_one_by_one_though_github_refuses_the_list(stage: Stage) -> None:
    leaked = await begin(stage, 30)
    stage.github.faults.add(LIST, status=403, body={"message": "No"})
    await stage.work(within=30)
    await check_all_stored(stage, leaked)
    assert calls_for_one(stage) >= 30


async def test_one_delivery_that_cannot_be_read_holds_up_no_other(stage: Stage) -> None:
    leaked = await begin(stage, 30)
    bad = stage.github.deliveries[-10]
    broken = (
        sa.update(delivery_table).where(delivery_table.c.guid == bad.guid).values(body={"action": "created"})
    )
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(broken)
    await stage.work(within=5)
    async with stage.context.db.read() as tx:
        stored = await alerts.load_all(tx, [key_of(alert) for alert in leaked])
    assert len(stored) == 29
    assert calls_for_one(stage) < 15


async def test_one_alert_that_cannot_be_stored_with_others_holds_up_no_other(stage: Stage) -> None:
    """Its card is there already."""
    leaked = await begin(stage, 30)
    async with stage.context.db.begin() as tx:
        key = MessageKey("planted")
        subject = str(key_of(leaked[20]))
        await messages.plan(
            tx, Message(key, MessagePurpose.CARD, ChannelId(CHANNEL), subject, None, created_at=0.0)
        )
    await stage.work(within=30)
    async with stage.context.db.read() as tx:
        assert len(await alerts.load_all(tx, [key_of(alert) for alert in leaked])) == 30
    assert calls_for_one(stage) >= 30


async def test_a_delivery_that_is_not_simple_leaves_the_others_to_be_worked_together(stage: Stage) -> None:
    """By GitHub's list somebody has been assigned, whom the alert's own job looks up."""
    leaked = await begin(stage, 35)
    for alert in leaked[:20]:
        alert.assigned_to = stage.people[ADMIN]
    await stage.work(within=30)
    await check_all_stored(stage, leaked)
    assert 20 <= calls_for_one(stage) < 30
    stored = [await stage.stored(alert) for alert in leaked]
    assert [alert is not None and alert.taken_by is not None for alert in stored] == [True] * 20 + [
        False
    ] * 15


async def test_the_deliveries_of_one_flood_before_and_after_a_rename_are_all_stored(stage: Stage) -> None:
    leaked = await begin(stage, 6)
    stage.github.rename_repository(stage.repository, "billing")
    leaked += leak_many(stage, 2)
    await stage.work(within=60)
    async with stage.context.db.read() as tx:
        stored = await alerts.load_all(tx, [key_of(alert) for alert in leaked])
        known = await repositories.load_repository(tx, RepositoryId(stage.repository.id))
    assert len(stored) == 8
    assert known is not None
    assert known.full_name == "octo/billing"


async def test_details_that_github_leaves_out_of_its_lists_are_fetched_later(stage: Stage) -> None:
    await stage.leak()
    stage.github.gives_first_location = False
    leaked = leak_many(stage, 18)
    await stage.work(within=60)
    await check_all_stored(stage, leaked)


@pytest.mark.parametrize("commits", [0, 1])
async def test_a_death_while_a_flood_is_stored_loses_nothing(stage: Stage, commits: int) -> None:
    """Before, and after the commit that stores the alerts."""
    leaked = await begin(stage, 30)
    listed = stage.github.faults.gate(LIST, at="after")
    running = asyncio.create_task(stage.running.worker.run_due())
    await listed.reached()
    with dying(commits or None) as life:
        if not commits:
            life.end()
        listed.open()
        [ended] = await asyncio.gather(running, return_exceptions=True)
        assert isinstance(ended, Dead)
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    await stage.work(within=60)
    await check_all_stored(stage, leaked)


async def test_a_worker_that_lost_its_lease_stores_no_flood(stage: Stage) -> None:
    leaked = await begin(stage, 30)
    listed = stage.github.faults.gate(LIST, at="after")
    running = asyncio.create_task(stage.running.worker.run_due())
    await listed.reached()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    another = replace(stage.context, flood_locks=WeakValueDictionary(), flood_storing=asyncio.Lock())
    await Worker(another, HANDLERS).run_due()
    listed.open()
    await running
    await stage.work(within=60)
    await check_all_stored(stage, leaked)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_flood_has_locked_no_channel_while_it_waits_for_an_alert(stage: Stage) -> None:
    """A sync that stores the alert locks the channel next: with the channel locked, both would wait for ever."""
    leaked = await begin(stage, 30)
    db = stage.context.db
    listed = stage.github.faults.gate(LIST, at="after")
    running = asyncio.create_task(stage.running.worker.run_due())
    await listed.reached()
    async with db.read() as tx:
        [known] = await alerts.open_alerts(tx, limit=1)
    async with db.begin() as tx:
        late = replace(known, key=key_of(leaked[25]))
        assert await alerts.insert(tx, late)
        listed.open()
        await wait_for_lock(db)
        await tx.conn.execute(sa.text("SELECT channel FROM channel_pace FOR UPDATE NOWAIT"))
    await running
    await stage.work(within=60)
    async with db.read() as tx:
        assert len(await alerts.load_all(tx, [key_of(alert) for alert in leaked])) == 30
    assert calls_for_one(stage) < 15


async def wait_for_lock(db: Database) -> None:
    """Wait until a transaction waits for a lock."""
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(10):
        count = 0
        while not count:
            async with db.read() as tx:
                count = await tx.conn.scalar(waiting) or 0
