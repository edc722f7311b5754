"""Durable work: a table from which workers claim jobs, in order per key, and lose none when they die."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from storage.db import Database, Row, Tx
from storage.job_listener import CHANNEL
from storage.priorities import Priority, priority_of
from storage.records import Done, Job, JobId, JobState, NewJob, Parked, Retry, Settled, UnixTime
from storage.tables import job, storable

# As literals, not as parameters: only then does a planner see that a partial index fits.
READY = sa.literal_column("'ready'", sa.Text)
RUNNING = sa.literal_column("'running'", sa.Text)
DONE = sa.literal_column("'done'", sa.Text)
PARKED = sa.literal_column("'parked'", sa.Text)

_RECORD = tuple(
    job.c[name]
    for name in (
        *("id", "kind", "payload", "key", "state", "run_at", "attempts", "error", "created_at", "worker"),
    )
)


RUN = (job.c.id, job.c.worker, job.c.attempts)
"""What names one run of a job: each claim counts as an attempt."""


async def enqueue(tx: Tx, *jobs: NewJob) -> list[JobId | None]:
    """Store jobs with the caller's change; None for each whose `dedup` is remembered already."""
    if not jobs:
        return []
    origin, now = _origin(tx)
    insert = (
        tx.insert(job)
        .values(run_at=origin + sa.bindparam("runs"), created_at=origin + sa.bindparam("made"))
        .on_conflict_do_nothing(index_elements=[job.c.dedup])
        .returning(job.c.id, job.c.dedup)
    )
    rows = (await tx.conn.execute(insert, [values(new, now) for new in jobs])).all()
    if rows:
        await _wake(tx)
    return _ids(jobs, rows)


async def claim(
    db: Database, worker: str, limit: int, lease: float, places: Mapping[Priority, int] | None = None
) -> list[Job]:
    """Start up to `limit` jobs that are due, for `lease` seconds; each claim counts as an attempt.

    Those of the first priority come first, and of each priority start as many as it has `places`, by default
    `limit`. Of one key, only the earliest due job starts, and only while no other one runs.
    """
    free = {priority: limit if places is None else places[priority] for priority in Priority}
    for _ in range(3):
        try:
            async with db.begin() as tx:
                return await _claim(tx, worker, limit, lease, free)
        except sa.exc.IntegrityError:
            # Two jobs of a key became visible in another order than they are numbered; the next look sees both.
            continue
    return []


async def renew(db: Database, worker: str, job_ids: Collection[JobId], lease: float) -> None:
    """Keep running jobs for `lease` seconds from now; those that aren't this worker's any more stay so."""
    async with db.begin() as tx:
        mine = sa.select(job.c.id).where(job.c.id.in_(job_ids), _is_run_by(worker))
        # A row that is locked is being settled: waiting for it could end in a dead lock.
        query = sa.update(job).where(job.c.id.in_(mine.with_for_update(skip_locked=True)))
        await tx.conn.execute(query.values(lease_until=now_of(tx) + lease))


async def recover(db: Database, *, max_attempts: int) -> int:
    """Give jobs whose lease ended to any worker, or park them after too many tries; returns how many."""
    async with db.begin() as tx:
        return await _interrupt(tx, job.c.lease_until < now_of(tx), max_attempts)


async def take_over(db: Database, *, max_attempts: int) -> int:
    """Give every running job free at once. Only at the start of a database's single process (SQLite)."""
    async with db.begin() as tx:
        return await _interrupt(tx, sa.true(), max_attempts)


async def settle(db: Database, outcomes: Sequence[Settled]) -> None:
    """Record how runs ended, in one commit. A job that is no longer that run's is left alone."""
    done = [outcome.job for outcome in outcomes if isinstance(outcome, Done)]
    retries = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
    parked = [outcome for outcome in outcomes if isinstance(outcome, Parked)]
    async with db.begin() as tx:
        stop = sa.update(job).where(job.c.state == RUNNING).values(worker=None, lease_until=None)
        if done:
            runs = [(run.id, run.worker, run.attempts) for run in done]
            finished = stop.where(sa.tuple_(*RUN).in_(runs))
            await tx.conn.execute(finished.values(state=DONE, error=None, finished_at=now_of(tx)))
        mine = sa.and_(*(column == sa.bindparam(f"of_{column.name}") for column in RUN))
        one = stop.where(mine).values(error=sa.bindparam("problem"))
        if retries:
            again = one.values(
                state=READY,
                run_at=now_of(tx) + sa.bindparam("wait", type_=sa.Double),
                attempts=job.c.attempts - sa.bindparam("uncounted", type_=sa.Integer),
                holds=sa.bindparam("held", type_=sa.Boolean),
            )
            await tx.conn.execute(again, [_retry_values(retry, tx.now) for retry in retries])
        if parked:
            rows = [{**_run_values(outcome.job), "problem": outcome.error} for outcome in parked]
            await tx.conn.execute(one.values(state=PARKED), rows)
    db.job_wake.set()


async def release(db: Database, worker: str) -> None:
    """Give this worker's running jobs to the next one, as if it had not started them."""
    async with db.begin() as tx:
        query = sa.update(job).where(_is_run_by(worker))
        values = {"state": READY, "worker": None, "lease_until": None, "attempts": job.c.attempts - 1}
        if (await tx.conn.execute(query.values(values))).rowcount:
            await _wake(tx)


async def next_due(db: Database, of: Collection[Priority] = tuple(Priority)) -> UnixTime | None:
    """When, on `clock`, the next job of these priorities can start; None while none waits.

    May be past: then claim again.
    """
    async with db.read() as tx:
        now = now_of(tx)
        query = sa.select(job.c.run_at - now).where(job.c.state == READY, ~_is_blocked(now))
        if len(of) < len(Priority):
            query = query.where(job.c.priority.in_(of))
        wait: float | None = await tx.conn.scalar(query.order_by(job.c.run_at, job.c.id).limit(1))
        return None if wait is None else tx.now + wait


async def list_jobs(tx: Tx, *, states: Collection[JobState], limit: int = 200) -> list[Job]:
    """The jobs in any of these states, oldest first."""
    query = sa.select(*_RECORD).where(job.c.state.in_(states)).order_by(job.c.id).limit(limit)
    return [_job(row) for row in await tx.conn.execute(query)]


async def retry(tx: Tx, job_id: JobId) -> bool:
    """Let a parked job run again now; False where there is no such job."""
    return await _unpark(tx, job.c.id == job_id) == 1


async def retry_all(tx: Tx) -> int:
    """Let every parked job run again now; returns how many."""
    return await _unpark(tx, sa.true())


async def prune(tx: Tx, before: UnixTime) -> int:
    """Forget jobs that were done before then; returns how many."""
    query = sa.delete(job).where(job.c.state == DONE, job.c.finished_at < before)
    return (await tx.conn.execute(query)).rowcount


async def count(tx: Tx) -> dict[JobState, int]:
    """How many jobs there are in each state."""
    rows = await tx.conn.execute(sa.select(job.c.state, sa.func.count()).group_by(job.c.state))
    return dict.fromkeys(JobState, 0) | {JobState(state): number for state, number in rows}


def _origin(tx: Tx) -> tuple[sa.ColumnElement[float], float]:
    """The time that all workers agree on, as a sum: PostgreSQL's own clock, moved as far as ours is."""
    if tx.dialect == "sqlite":
        return sa.literal_column("0", sa.Double), tx.now
    return sa.cast(sa.extract("epoch", sa.func.statement_timestamp()), sa.Double), tx.clock.offset


def now_of(tx: Tx) -> sa.ColumnElement[float]:
    """The time that all workers agree on."""
    origin, seconds = _origin(tx)
    return origin + sa.literal(seconds, sa.Double)


def _run_values(run: Job) -> dict[str, object]:
    return {"of_id": run.id, "of_worker": run.worker, "of_attempts": run.attempts}


def _is_run_by(worker: str) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.state == RUNNING, job.c.worker == worker)


def _is_blocked(now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Whether a ready job has to wait for another one of its key."""
    other = job.alias("other")
    running = sa.exists().where(other.c.key == job.c.key, other.c.state == RUNNING)
    earlier = sa.exists().where(
        other.c.key == job.c.key,
        other.c.state == READY,
        other.c.id < job.c.id,
        sa.or_(other.c.run_at <= now, other.c.holds),
    )
    return sa.and_(job.c.key.is_not(None), sa.or_(running, earlier))


async def _claim(tx: Tx, worker: str, limit: int, lease: float, places: Mapping[Priority, int]) -> list[Job]:
    now = now_of(tx)
    due = sa.select(job.c.priority, job.c.run_at, job.c.id)
    due = due.where(job.c.state == READY, job.c.run_at <= now, ~_is_blocked(now))
    due = due.order_by(job.c.run_at, job.c.id).with_for_update(skip_locked=True)
    first = [
        due.where(job.c.priority == priority).limit(min(limit, free)).subquery()
        for priority, free in places.items()
        if free > 0
    ]
    if not first:
        return []
    found = sa.union_all(*(sa.select(of_one) for of_one in first)).subquery()
    pick = sa.select(found.c.id).order_by(found.c.priority, found.c.run_at, found.c.id).limit(limit)
    start = (
        sa.update(job)
        .where(job.c.id.in_(pick))
        .values(state=RUNNING, worker=worker, lease_until=now + lease, attempts=job.c.attempts + 1)
        .returning(*_RECORD)
    )
    started = [_job(row) for row in await tx.conn.execute(start)]
    return sorted(started, key=lambda one: (priority_of(one.kind), one.run_at, one.id))


def values(new: NewJob, now: float) -> dict[str, object]:
    """The columns of a new job; `now` counts from the transaction's origin of time."""
    return {
        "kind": new.kind,
        "payload": dict(new.payload),
        "key": new.key,
        "dedup": new.dedup,
        "state": JobState.READY,
        "priority": priority_of(new.kind),
        "holds": False,
        "attempts": 0,
        "made": now,
        "runs": now + new.delay,
    }


def _ids(jobs: Sequence[NewJob], rows: Sequence[Row]) -> list[JobId | None]:
    """Which new row is whose: by `dedup`, and all others by their order."""
    by_dedup = {row.dedup: row.id for row in rows if row.dedup is not None}
    others = iter(sorted(row.id for row in rows if row.dedup is None))
    return [next(others) if new.dedup is None else by_dedup.pop(storable(new.dedup), None) for new in jobs]


def _retry_values(retry: Retry, now: UnixTime) -> dict[str, object]:
    return {
        **_run_values(retry.job),
        "wait": max(0.0, retry.at - now),
        "problem": retry.error,
        "uncounted": 0 if retry.counts else 1,
        "held": retry.holds,
    }


def _job(row: Row) -> Job:
    return Job(**{**row._mapping, "state": JobState(row.state)})


async def _interrupt(tx: Tx, condition: sa.ColumnElement[bool], max_attempts: int) -> int:
    ended = sa.select(job.c.id).where(job.c.state == RUNNING, condition).with_for_update(skip_locked=True)
    state = sa.case((job.c.attempts >= max_attempts, PARKED), else_=READY)
    query = sa.update(job).where(job.c.id.in_(ended))
    values = {
        "state": state,
        "worker": None,
        "lease_until": None,
        "error": "its worker stopped in the middle",
    }
    number = (await tx.conn.execute(query.values(values))).rowcount
    if number:
        await _wake(tx)
    return number


async def _unpark(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    query = sa.update(job).where(job.c.state == PARKED, condition).values(state=READY, run_at=now_of(tx))
    number = (await tx.conn.execute(query.values(attempts=0, holds=False))).rowcount
    if number:
        await _wake(tx)
    return number


async def _wake(tx: Tx) -> None:
    """Wake the workers at the commit: this process's by `db.job_wake`, others' by PostgreSQL."""
    if tx.dialect == "postgresql" and not tx.job_enqueued:
        await tx.conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
    tx.job_enqueued = True
