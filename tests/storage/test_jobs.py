"""Jobs: order by key, priorities, leases, retries, and no job lost when a worker is killed."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
import sqlalchemy as sa

from storage import job_queue, jobs, leases
from storage.clock import Clock
from storage.db import Database, StorageUnavailable, Tx
from storage.job_listener import listening
from storage.priorities import Priority
from storage.records import Done, Job, JobId, JobState, NewJob, Parked, Retry
from storage.tables import job


def new(name: str, key: str | None = None, *, dedup: str | None = None, delay: float = 0) -> NewJob:
    return NewJob("test", {"name": name}, key=key, dedup=dedup, delay=delay)


async def enqueue(db: Database, *stored: NewJob) -> list[JobId | None]:
    async with db.begin() as tx:
        return await jobs.enqueue(tx, *stored)


async def claim(db: Database, worker: str = "w", limit: int = 100, lease: float = 30) -> list[Job]:
    return await job_queue.claim(db, worker, limit, lease)


def names(claimed: Sequence[Job]) -> list[object]:
    return [one.payload["name"] for one in claimed]


async def states(db: Database) -> dict[JobState, int]:
    async with db.read() as tx:
        return {state: number for state, number in (await jobs.count(tx)).items() if number}


async def test_a_rolled_back_transaction_stores_no_job(db: Database) -> None:
    async def fail() -> None:
        async with db.begin() as tx:
            await jobs.enqueue(tx, new("a"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await claim(db) == []
    assert not db.job_wake.is_set()


async def test_a_claimed_job_is_as_it_was_stored(db: Database, clock: Clock) -> None:
    (stored,) = await enqueue(db, NewJob("kind", {"deep": [1, {"ü": None}]}, key="k"))
    (found,) = await claim(db)
    assert (found.id, found.kind, found.key, found.state) == (stored, "kind", "k", JobState.RUNNING)
    assert found.payload == {"deep": [1, {"ü": None}]}
    assert (found.attempts, found.error) == (1, None)
    assert abs(found.created_at - clock.now()) < 60


async def test_a_job_with_a_stored_dedup_is_not_stored(db: Database) -> None:
    first = await enqueue(db, new("a"), new("b", dedup="x"), new("c"), new("d", dedup="x"))
    assert [stored is None for stored in first] == [False, False, False, True]
    again = await enqueue(db, new("e", dedup="x"), new("f"), new("g", dedup="y"))
    assert [stored is None for stored in again] == [True, False, False]
    claimed = await claim(db)
    assert {one.id: one.payload["name"] for one in claimed} == dict(
        zip([stored for stored in first + again if stored], "abcfg", strict=True)
    )


async def test_a_dedup_can_be_used_again_once_its_job_is_deleted(db: Database, clock: Clock) -> None:
    await enqueue(db, new("a", dedup="x"))
    (running,) = await claim(db)
    await job_queue.settle(db, [Done(running)])
    async with db.begin() as tx:
        assert await jobs.prune(tx, clock.now() - 10) == 0
        assert await jobs.enqueue(tx, new("b", dedup="x")) == [None]
    clock.advance(100)
    async with db.begin() as tx:
        assert await jobs.prune(tx, clock.now() - 10) == 1
        assert await jobs.enqueue(tx, new("b", dedup="x")) != [None]


async def test_jobs_of_one_key_run_one_after_another(db: Database) -> None:
    await enqueue(
        db, new("a1", "a"), new("a2", "a"), new("b1", "b"), new("free1"), new("free2"), new("a3", "a")
    )
    first = await claim(db)
    assert names(first) == ["a1", "b1", "free1", "free2"]
    assert await claim(db, "other") == []
    await job_queue.settle(db, [Done(first[0])])
    assert names(await claim(db, "other")) == ["a2"]


async def test_jobs_are_claimed_in_the_order_of_priority(db: Database) -> None:
    kinds = ("sweep", "delivery", "unheard-of", "message", "act")
    await enqueue(db, NewJob("delivery", {}, in_flood=True), *(NewJob(kind, {}) for kind in kinds))
    claimed = [one.kind for one in await claim(db)]
    assert claimed == ["act", "message", "delivery", "unheard-of", "sweep", "delivery"]


async def test_an_urgent_job_is_claimed_before_all_others(db: Database) -> None:
    await enqueue(
        db, NewJob("act", {}), NewJob("delivery", {}, urgent=True), NewJob("message", {}, urgent=True)
    )
    claimed = await claim(db)
    assert [(one.kind, one.priority) for one in claimed] == [
        ("delivery", Priority.URGENT),
        ("message", Priority.URGENT),
        ("act", Priority.PERSON),
    ]


async def test_a_priority_without_a_slot_waits(db: Database) -> None:
    await enqueue(db, *(NewJob(kind, {}) for kind in ("delivery", "sweep", "message", "delivery")))
    slots = {
        Priority.URGENT: 0,
        Priority.PERSON: 1,
        Priority.MESSAGE: 0,
        Priority.INTAKE: 1,
        Priority.SYNC: 1,
        Priority.FLOOD: 0,
    }
    started = await job_queue.claim(db, "me", 10, 60.0, slots)
    assert [one.kind for one in started] == ["delivery", "sweep"]
    assert await job_queue.next_due(db, [Priority.PERSON]) is None
    assert [one.kind for one in await job_queue.claim(db, "me", 1, 60.0)] == ["message"]


async def test_a_job_that_version_0_1_0_stored_is_run(db: Database) -> None:
    async with db.begin() as tx:
        await tx.conn.execute(
            sa.text(
                "INSERT INTO job (kind, payload, state, run_at, holds, attempts, created_at) "
                "VALUES ('delivery', '{}', 'ready', 1, false, 0, 1)"
            )
        )
    assert [one.kind for one in await claim(db)] == ["delivery"]


async def test_later_jobs_do_not_wait_for_a_delayed_job(db: Database, clock: Clock) -> None:
    await enqueue(db, new("reminder", "a", delay=3600), new("now", "a"))
    (now,) = await claim(db)
    assert names([now]) == ["now"]
    clock.advance(3600)
    assert await claim(db) == [], "one at a time, also when the earlier one becomes due"
    await job_queue.settle(db, [Done(now)])
    assert names(await claim(db)) == ["reminder"]


async def test_later_jobs_wait_for_a_job_that_is_retried(db: Database, clock: Clock) -> None:
    await enqueue(db, new("first", "a"), new("second", "a"))
    (first,) = await claim(db)
    await job_queue.settle(db, [Retry(first, clock.now() + 60, "broken")])
    assert await claim(db) == []
    clock.advance(60)
    (again,) = await claim(db)
    assert (names([again]), again.attempts, again.error) == (["first"], 2, "broken")


async def test_a_retry_can_let_later_jobs_pass(db: Database, clock: Clock) -> None:
    await enqueue(db, new("first", "a"), new("second", "a"))
    (first,) = await claim(db)
    await job_queue.settle(db, [Retry(first, clock.now() + 60, None, counts=False, holds=False)])
    assert names(await claim(db)) == ["second"]
    async with db.read() as tx:
        (waiting,) = await jobs.list_jobs(tx, states=[JobState.READY])
    assert waiting.attempts == 0


async def test_later_jobs_pass_a_parked_job_and_it_can_be_retried(db: Database) -> None:
    await enqueue(db, new("first", "a"), new("second", "a"))
    (first,) = await claim(db)
    await job_queue.settle(db, [Parked(first, "gave up")])
    assert names(await claim(db)) == ["second"]
    async with db.begin() as tx:
        (parked,) = await jobs.list_jobs(tx, states=[JobState.PARKED])
        assert parked.error == "gave up"
        assert await jobs.retry(tx, parked.id)
        assert not await jobs.retry(tx, parked.id)
        assert await jobs.retry_all(tx) == 0
        (ready,) = await jobs.list_jobs(tx, states=[JobState.READY])
    assert ready.attempts == 0


async def test_any_worker_can_claim_a_job_whose_lease_ended(db: Database, clock: Clock) -> None:
    await enqueue(db, new("a", "k"), new("b", "k"))
    (lost,) = await claim(db, "dead", lease=30)
    assert await job_queue.recover(db, max_attempts=3) == 0
    clock.advance(31)
    assert await job_queue.recover(db, max_attempts=3) == 1
    (again,) = await claim(db, "alive")
    assert (again.id, again.attempts) == (lost.id, 2)
    await job_queue.settle(db, [Done(lost)])
    assert (await states(db))[JobState.RUNNING] == 1, "a run that lost its lease can't end the job"


@pytest.mark.parametrize("worker", ["other", "same"])
async def test_a_run_that_lost_its_lease_records_nothing(db: Database, clock: Clock, worker: str) -> None:
    """Whether another worker or a later run of the same worker has the lease."""
    await enqueue(db, new("a"))
    (stale,) = await claim(db, "same", lease=30)
    clock.advance(31)
    await job_queue.recover(db, max_attempts=9)
    (mine,) = await claim(db, worker, lease=30)

    async def record(end: Callable[[Tx, Job], Awaitable[None]]) -> None:
        async with db.begin() as tx:
            await jobs.enqueue(tx, new("follows"))
            await end(tx, stale)

    for end in (leases.finish, leases.keep, partial(leases.park, reason="gave up")):
        with pytest.raises(leases.LeaseLost):
            await record(end)
    for outcome in (Done(stale), Retry(stale, 0.0, None), Parked(stale, "gave up")):
        await job_queue.settle(db, [outcome])
    assert await states(db) == {JobState.RUNNING: 1}
    async with db.begin() as tx:
        await leases.keep(tx, mine)
        await leases.finish(tx, mine)
    assert await states(db) == {JobState.DONE: 1}


async def test_a_run_parks_its_job_in_its_transaction(db: Database) -> None:
    await enqueue(db, new("a"))
    (running,) = await claim(db)
    async with db.begin() as tx:
        await leases.park(tx, running, "unknown kind")
    async with db.read() as tx:
        (parked,) = await jobs.list_jobs(tx, states=[JobState.PARKED])
    assert parked.error == "unknown kind"


async def test_a_renewed_lease_goes_on(db: Database, clock: Clock) -> None:
    await enqueue(db, new("a"))
    (mine,) = await claim(db, lease=30)
    clock.advance(20)
    await job_queue.renew(db, "w", [mine.id], 30)
    await job_queue.renew(db, "w", [], 30)
    clock.advance(20)
    assert await job_queue.recover(db, max_attempts=3) == 0


async def test_only_the_worker_with_the_lease_renews_it(db: Database, clock: Clock) -> None:
    """One worker stood still and lost its lease to another one, which was killed."""
    await enqueue(db, new("a"))
    (lost,) = await claim(db, "stood still", lease=30)
    clock.advance(31)
    await job_queue.recover(db, max_attempts=9)
    await claim(db, "killed", lease=30)
    clock.advance(20)
    await job_queue.renew(db, "stood still", [lost.id], 30)
    clock.advance(20)
    assert await job_queue.recover(db, max_attempts=9) == 1


async def test_a_job_that_kills_its_worker_is_parked_after_the_last_attempt(
    db: Database, clock: Clock
) -> None:
    await enqueue(db, new("poison"))
    for _ in range(2):
        assert len(await claim(db)) == 1
        clock.advance(31)
        await job_queue.recover(db, max_attempts=2)
    assert await states(db) == {JobState.PARKED: 1}


async def test_take_over_makes_all_running_jobs_ready(db: Database) -> None:
    await enqueue(db, new("a"), new("b"))
    await claim(db, "killed")
    assert await job_queue.take_over(db, max_attempts=5) == 2
    assert names(await claim(db, "next")) == ["a", "b"]


async def test_a_release_does_not_count_as_an_attempt(db: Database) -> None:
    await enqueue(db, new("first", "a"), new("second", "a"))
    await claim(db)
    await job_queue.release(db, "w")
    (again,) = await claim(db, "other")
    assert (names([again]), again.attempts) == (["first"], 1)


async def test_next_due_is_when_the_next_job_can_start(db: Database, clock: Clock) -> None:
    assert await job_queue.next_due(db) is None
    await enqueue(db, new("later", delay=50), new("sooner", "k", delay=20))
    due = await job_queue.next_due(db)
    assert due == pytest.approx(clock.now() + 20, abs=2)
    clock.advance(25)
    (sooner,) = await claim(db)
    await enqueue(db, new("blocked", "k"))
    assert await job_queue.next_due(db) == pytest.approx(clock.now() + 25, abs=2)
    await job_queue.settle(db, [Done(sooner)])
    due = await job_queue.next_due(db)
    assert due is not None
    assert due <= clock.now() + 1


async def test_a_commit_wakes_the_worker_of_this_process(db: Database) -> None:
    async with db.begin() as tx:
        await jobs.enqueue(tx, new("a"))
        assert not db.job_wake.is_set()
    assert db.job_wake.is_set()


async def test_other_processes_wake_the_worker_by_postgresql(
    db: Database, database_url: str, clock: Clock
) -> None:
    other = Database(database_url, clock=clock)
    async with asyncio.timeout(10), listening(db):
        db.job_wake.clear()
        await enqueue(other, new("a"))
        if db.dialect == "postgresql":
            await db.job_wake.wait()
    await other.close()


async def test_the_listener_reconnects(db: Database, clock: Clock) -> None:
    if db.dialect == "sqlite":
        return
    async with asyncio.timeout(10), listening(db):
        db.job_wake.clear()
        cut = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
        )
        async with db.begin() as tx:
            assert (await tx.conn.execute(cut)).rowcount == 1
        await asyncio.sleep(0.1)
        clock.advance(5)
        await db.job_wake.wait()


async def test_claims_use_the_partial_indexes(db: Database) -> None:
    if db.dialect == "postgresql":
        return
    seen: list[str] = []
    listener = db._engines.write.sync_engine, "before_cursor_execute", lambda *given: seen.append(given[2])
    sa.event.listen(*listener)
    await claim(db)
    sa.event.remove(*listener)
    (statement,) = [text for text in seen if text.startswith("UPDATE")]
    async with db.begin() as tx:
        marks = (0,) * statement.count("?")
        plan = (await tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", marks)).all()
    used = {word for row in plan for word in str(row.detail).split() if word.startswith("job_")}
    assert used == {"job_next", "job_key_running", "job_key_waiting"}


@dataclass
class Watch:
    """What the workers of the stress test observed."""

    per_key: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    running: set[str] = field(default_factory=set)
    overlaps: int = 0
    runs: int = 0


async def work(db: Database, worker: str, watch: Watch, stop: asyncio.Event, *, dies_after: int = 0) -> None:
    while not stop.is_set():
        claimed = await claim(db, worker, limit=20)
        await job_queue.recover(db, max_attempts=10)
        for one in claimed:
            watch.runs += 1
            assert one.key is not None
            watch.overlaps += one.key in watch.running
            watch.running.add(one.key)
        if dies_after and watch.runs > dies_after and claimed:
            watch.running -= {str(one.key) for one in claimed}
            return
        await asyncio.sleep(0)
        for one in claimed:
            number = one.payload["number"]
            assert isinstance(number, int)
            watch.per_key[str(one.key)].append(number)
            watch.running.discard(str(one.key))
        await job_queue.settle(db, [Done(one) for one in claimed])


async def test_no_job_is_lost_or_reordered_when_a_worker_is_killed(
    db: Database, database_url: str, clock: Clock
) -> None:
    """600 jobs with 30 keys, three producers, and two workers, of which one is killed while it runs jobs."""
    other = Database(database_url, clock=clock)
    stop = asyncio.Event()
    watch = Watch()

    async def produce(part: int) -> None:
        for number in range(20):
            for key in range(part * 10, part * 10 + 10):
                await enqueue(db, NewJob("test", {"number": number}, key=f"key{key}"))

    async def finish() -> None:
        await asyncio.gather(*(produce(part) for part in range(3)))
        while (await states(db)) != {JobState.DONE: 600}:
            await asyncio.sleep(0.02)
            clock.advance(1)
        stop.set()

    async with asyncio.timeout(60):
        await asyncio.gather(
            finish(),
            work(db, "survivor", watch, stop),
            work(other, "victim", watch, stop, dies_after=100),
        )
    assert watch.runs > 600, "the victim died with jobs in its hands"
    assert watch.overlaps == 0
    assert watch.per_key == {f"key{key}": list(range(20)) for key in range(30)}
    await other.close()


async def test_job_that_finished_itself_is_not_run_again(db: Database) -> None:
    """It commits its last change and its end together; then its worker dies."""
    await enqueue(db, new("a"))
    (running,) = await claim(db)
    async with db.begin() as tx:
        await leases.finish(tx, running)
    await job_queue.settle(db, [Retry(running, 0.0, "too late")])
    assert await job_queue.take_over(db, max_attempts=5) == 0
    assert await claim(db) == []


async def test_unreachable_database_is_said_by_every_call(clock: Clock, unused_port: int) -> None:
    db = Database(f"postgresql+asyncpg://u:x@127.0.0.1:{unused_port}/x", clock=clock)
    with pytest.raises(StorageUnavailable):
        await claim(db)
    async with listening(db):
        pass
    await db.close()


async def test_ids_are_never_given_twice(db: Database, clock: Clock) -> None:
    """A claim on an alert names its job; a pruned job's number must not come back."""
    (first,) = await enqueue(db, new("a"))
    async with db.begin() as tx:
        await tx.conn.execute(sa.delete(job))
    (second,) = await enqueue(db, new("b"))
    assert first
    assert second
    assert second > first


async def test_what_a_job_says_is_replaced_until_it_is_done(db: Database) -> None:
    """Also while it runs or is parked, for its next try."""
    ids = await enqueue(db, *(new(name) for name in "abcd"), NewJob("other", {"name": "e"}))
    claimed = await claim(db, limit=3)
    await job_queue.settle(db, [Done(claimed[0]), Parked(claimed[1], "no")])
    async with db.begin() as tx:
        left = await jobs.unfinished(tx, "test", 0, 9)
        assert names(left) == ["b", "c", "d"]
        assert names(await jobs.unfinished(tx, "test", left[0].id, 1)) == ["c"]
        assert ids[0] is not None
        assert not await jobs.save_payload(tx, ids[0], {"name": "late"})
        assert [await jobs.save_payload(tx, one.id, {"name": "new"}) for one in left] == [True] * 3
        assert names(await jobs.unfinished(tx, "test", 0, 9)) == ["new"] * 3
