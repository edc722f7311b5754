"""Alerts, their claims, and their timeline."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage import alerts, job_queue, jobs, leases
from storage.db import Database
from storage.records import (
    Alert,
    AlertState,
    Claim,
    Done,
    Event,
    EventKind,
    Job,
    NewJob,
    Parked,
    Person,
    SlackUserId,
)
from storage.tables import alert as alert_table
from tests.storage.examples import ANA, BEN, TEAM, full_alert, key, plain_alert


async def store(db: Database, *new: Alert) -> None:
    async with db.begin() as tx:
        for alert in new:
            assert await alerts.insert(tx, alert)


async def running_job(db: Database) -> Job:
    async with db.begin() as tx:
        await jobs.enqueue(tx, NewJob("act", {}))
    (job,) = await job_queue.claim(db, "w", 1, 60)
    return job


async def claim(db: Database, job: Job) -> Claim:
    async with db.begin() as tx:
        return await alerts.claim(tx, key(), "close", job.id)


@pytest.mark.parametrize("alert", [plain_alert(), full_alert()], ids=["plain", "full"])
async def test_an_alert_is_loaded_as_it_was_stored(db: Database, alert: Alert) -> None:
    await store(db, alert)
    async with db.read() as tx:
        assert await alerts.load(tx, alert.key) == alert
        assert await alerts.load(tx, key(99)) is None


async def test_a_second_insert_changes_nothing(db: Database) -> None:
    await store(db, plain_alert())
    async with db.begin() as tx:
        assert not await alerts.insert(tx, full_alert())
        assert await alerts.load_for_update(tx, key()) == plain_alert()


@pytest.mark.parametrize(("before", "after"), [(plain_alert(), full_alert()), (full_alert(), plain_alert())])
async def test_saving_overwrites_everything_but_the_claim(db: Database, before: Alert, after: Alert) -> None:
    await store(db, before)
    job = await running_job(db)
    assert await claim(db, job) is Claim.NEW
    async with db.begin() as tx:
        await alerts.save(tx, after)
    async with db.read() as tx:
        assert await alerts.load(tx, key()) == after
        assert await alerts.claimed_by(tx, key()) == job.id


async def test_the_person_on_an_alert_may_have_no_github_account(db: Database) -> None:
    alert = replace(plain_alert(), taken_by=Person(TEAM, SlackUserId("U1")), taken_at=1.0)
    await store(db, alert)
    async with db.read() as tx:
        assert await alerts.load(tx, key()) == alert


async def test_a_document_with_an_unknown_field_is_read(db: Database) -> None:
    await store(db, plain_alert())
    async with db.begin() as tx:
        probe = {"verdict": "active", "reason": "accepted", "at": 1.0, "by": None, "mood": "a later field"}
        await tx.conn.execute(sa.update(alert_table).values(probe=probe))
        found = await alerts.load(tx, key())
    assert found is not None
    assert found.probe is not None
    assert found.probe.verdict == "active"


async def test_one_of_many_simultaneous_claims_wins(db: Database) -> None:
    await store(db, plain_alert())
    rivals = [await running_job(db) for _ in range(8)]
    claims = await asyncio.gather(*(claim(db, job) for job in rivals))
    assert sorted(claims) == [Claim.NEW] + [Claim.TAKEN] * 7


async def test_a_job_resumes_its_claim(db: Database) -> None:
    await store(db, plain_alert())
    job = await running_job(db)
    assert await claim(db, job) is Claim.NEW
    assert await claim(db, job) is Claim.RESUMED
    await job_queue.release(db, "w")
    assert await claim(db, job) is Claim.RESUMED, "also by another worker"


async def test_only_the_job_with_the_claim_releases_it(db: Database) -> None:
    await store(db, plain_alert())
    holder, other = await running_job(db), await running_job(db)
    await claim(db, holder)
    async with db.begin() as tx:
        await alerts.release(tx, key(), other.id)
    assert await claim(db, other) is Claim.TAKEN
    async with db.begin() as tx:
        await alerts.release(tx, key(), holder.id)
    assert await claim(db, other) is Claim.NEW


@pytest.mark.parametrize("end", [Done, Parked])
async def test_the_claim_of_an_ended_job_does_not_count(db: Database, end: type[Done] | type[Parked]) -> None:
    await store(db, plain_alert())
    holder = await running_job(db)
    await claim(db, holder)
    await job_queue.settle(db, [Done(holder) if end is Done else Parked(holder, "gave up")])
    assert await claim(db, await running_job(db)) is Claim.NEW


async def test_an_alert_is_claimed_until_the_job_ends(db: Database) -> None:
    await store(db, plain_alert())
    async with db.read() as tx:
        assert not await alerts.is_claimed(tx, key())
    holder = await running_job(db)
    await claim(db, holder)
    async with db.begin() as tx:
        assert await alerts.is_claimed(tx, key())
        await leases.finish(tx, holder)
        assert not await alerts.is_claimed(tx, key())


async def test_claim_on_an_unknown_alert_is_taken(db: Database) -> None:
    assert await claim(db, await running_job(db)) is Claim.TAKEN


async def test_open_alerts_are_paged_by_key(db: Database) -> None:
    closed = replace(plain_alert(1, 5, created_at=10), state=AlertState.RESOLVED)
    opened = [plain_alert(number, 5, created_at=20 + number) for number in range(2, 6)]
    elsewhere = plain_alert(1, 6, created_at=1)
    await store(db, closed, *opened, elsewhere)
    async with db.read() as tx:
        everything = await alerts.open_alerts(tx, limit=100)
        assert [str(alert.key) for alert in everything] == ["5/2", "5/3", "5/4", "5/5", "6/1"]
        page = await alerts.open_alerts(tx, limit=2, after=everything[2].key)
        assert [str(alert.key) for alert in page] == ["5/5", "6/1"]
        assert await alerts.count_by_state(tx) == {AlertState.OPEN: 5, AlertState.RESOLVED: 1}


async def test_the_timeline_is_in_the_order_of_insertion(db: Database) -> None:
    await store(db, plain_alert(), plain_alert(43))
    by = Person(TEAM, SlackUserId("U1"), ANA)
    first = Event(key(), EventKind.TAKEN, 2000.5, by, {"reason": "revoked", "n": [1, None]})
    second = Event(key(), EventKind.CLOSED, 1000.0, Person(github=BEN))
    async with db.begin() as tx:
        ids = [await alerts.add_event(tx, event) for event in (first, second)]
        await alerts.add_event(tx, Event(key(43), EventKind.FOUND, 1.0))
        stored = [replace(event, id=number) for event, number in zip((first, second), ids, strict=True)]
        assert await alerts.events(tx, key()) == stored
        assert await alerts.events(tx, key(), limit=1) == stored[1:]
        assert ids[0] is not None
        assert await alerts.event(tx, ids[0]) == stored[0]
        assert await alerts.event(tx, 999_999) is None


async def test_an_event_with_the_same_once_is_stored_once(db: Database) -> None:
    await store(db, plain_alert(), plain_alert(43))
    found = Event(key(), EventKind.FOUND, 1.0, once="found")
    async with db.begin() as tx:
        assert await alerts.add_event(tx, found) is not None
        assert await alerts.add_event(tx, replace(found, at=2.0)) is None
        assert await alerts.add_event(tx, replace(found, alert=key(43))) is not None
        assert await alerts.add_event(tx, replace(found, once=None)) is not None
        assert await alerts.add_event(tx, replace(found, once=None)) is not None
