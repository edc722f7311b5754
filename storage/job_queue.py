"""Hands jobs to workers: claims them under a lease, renews leases, and records the results of runs."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from storage import jobs
from storage.db import Database, Tx
from storage.priorities import Priority, priority_of
from storage.records import Done, Job, JobId, Parked, Retry, RunResult, UnixTime
from storage.tables import job


async def claim(
    db: Database, worker: str, limit: int, lease: float, slots: Mapping[Priority, int] | None = None
) -> list[Job]:
    """Claim up to `limit` due jobs for `lease` seconds; each claim counts as an attempt.

    The jobs come in the order of priority, and of each priority at most as many as it has `slots` (by default
    `limit`). Of the jobs with one key only the earliest is claimed, and only while none of that key runs.
    """
    free = {priority: limit if slots is None else slots[priority] for priority in Priority}
    for _ in range(3):
        try:
            async with db.begin() as tx:
                return await _claim(tx, worker, limit, lease, free)
        except sa.exc.IntegrityError:
            # A job with an earlier id and the same key was committed meanwhile; the next try sees both.
            continue
    return []


async def renew(db: Database, worker: str, job_ids: Collection[JobId], lease: float) -> None:
    """Renew the leases of jobs that this worker still runs, for `lease` seconds from now."""
    async with db.begin() as tx:
        mine = sa.select(job.c.id).where(job.c.id.in_(job_ids), _is_run_by(worker))
        # A locked row is being settled: waiting for it could end in a deadlock.
        query = sa.update(job).where(job.c.id.in_(mine.with_for_update(skip_locked=True)))
        await tx.conn.execute(query.values(lease_until=jobs.now_of(tx) + lease))


async def recover(db: Database, *, max_attempts: int) -> int:
    """Make running jobs ready whose lease has ended, or park them after `max_attempts`; returns how many."""
    async with db.begin() as tx:
        return await _interrupt(tx, job.c.lease_until < jobs.now_of(tx), max_attempts)


async def take_over(db: Database, *, max_attempts: int) -> int:
    """Do the same with all running jobs. Only for the start of the only process that uses a database (SQLite)."""
    async with db.begin() as tx:
        return await _interrupt(tx, sa.true(), max_attempts)


async def settle(db: Database, results: Sequence[RunResult]) -> None:
    """Record the results of runs in one commit; that of a run that lost its lease is ignored."""
    done = [result.job for result in results if isinstance(result, Done)]
    retries = [result for result in results if isinstance(result, Retry)]
    parked = [result for result in results if isinstance(result, Parked)]
    async with db.begin() as tx:
        stop = sa.update(job).where(job.c.state == jobs.RUNNING).values(worker=None, lease_until=None)
        if done:
            runs = [(run.id, run.worker, run.attempts) for run in done]
            finished = stop.where(sa.tuple_(*jobs.RUN).in_(runs))
            await tx.conn.execute(finished.values(state=jobs.DONE, error=None, finished_at=jobs.now_of(tx)))
        mine = sa.and_(*(column == sa.bindparam(f"of_{column.name}") for column in jobs.RUN))
        one = stop.where(mine).values(error=sa.bindparam("problem"))
        if retries:
            again = one.values(
                state=jobs.READY,
                run_at=jobs.now_of(tx) + sa.bindparam("wait", type_=sa.Double),
                attempts=job.c.attempts - sa.bindparam("uncounted", type_=sa.Integer),
                holds=sa.bindparam("held", type_=sa.Boolean),
            )
            await tx.conn.execute(again, [_retry_values(retry, tx.now) for retry in retries])
        if parked:
            rows = [{**_run_values(result.job), "problem": result.error} for result in parked]
            await tx.conn.execute(one.values(state=jobs.PARKED), rows)
    db.job_wake.set()


async def release(db: Database, worker: str) -> None:
    """Make the jobs that this worker runs ready again, without counting the attempt."""
    async with db.begin() as tx:
        query = sa.update(job).where(_is_run_by(worker))
        values = {"state": jobs.READY, "worker": None, "lease_until": None, "attempts": job.c.attempts - 1}
        if (await tx.conn.execute(query.values(values))).rowcount:
            await jobs.wake(tx)


async def next_due(db: Database, of: Collection[Priority] = tuple(Priority)) -> UnixTime | None:
    """When the next job of these priorities can start, by the wall clock of `db`; None if none waits.

    A time that is past means that a job can be claimed now.
    """
    async with db.read() as tx:
        now = jobs.now_of(tx)
        query = sa.select(job.c.run_at - now).where(job.c.state == jobs.READY, ~_is_blocked(now))
        if len(of) < len(Priority):
            query = query.where(job.c.priority.in_(of))
        wait: float | None = await tx.conn.scalar(query.order_by(job.c.run_at, job.c.id).limit(1))
        return None if wait is None else tx.now + wait


def _run_values(run: Job) -> dict[str, object]:
    return {"of_id": run.id, "of_worker": run.worker, "of_attempts": run.attempts}


def _is_run_by(worker: str) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.state == jobs.RUNNING, job.c.worker == worker)


def _is_blocked(now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Whether a ready job has to wait for another one with its key."""
    other = job.alias("other")
    running = sa.exists().where(other.c.key == job.c.key, other.c.state == jobs.RUNNING)
    earlier = sa.exists().where(
        other.c.key == job.c.key,
        other.c.state == jobs.READY,
        other.c.id < job.c.id,
        sa.or_(other.c.run_at <= now, other.c.holds),
    )
    return sa.and_(job.c.key.is_not(None), sa.or_(running, earlier))


async def _claim(tx: Tx, worker: str, limit: int, lease: float, slots: Mapping[Priority, int]) -> list[Job]:
    now = jobs.now_of(tx)
    due = sa.select(job.c.priority, job.c.run_at, job.c.id)
    due = due.where(job.c.state == jobs.READY, job.c.run_at <= now, ~_is_blocked(now))
    due = due.order_by(job.c.run_at, job.c.id).with_for_update(skip_locked=True)
    first = [
        due.where(job.c.priority == priority).limit(min(limit, free)).subquery()
        for priority, free in slots.items()
        if free > 0
    ]
    if not first:
        return []
    found = sa.union_all(*(sa.select(of_one) for of_one in first)).subquery()
    pick = sa.select(found.c.id).order_by(found.c.priority, found.c.run_at, found.c.id).limit(limit)
    start = (
        sa.update(job)
        .where(job.c.id.in_(pick))
        .values(state=jobs.RUNNING, worker=worker, lease_until=now + lease, attempts=job.c.attempts + 1)
        .returning(*jobs.COLUMNS)
    )
    started = [jobs.record(row) for row in await tx.conn.execute(start)]
    return sorted(started, key=lambda one: (priority_of(one.kind), one.run_at, one.id))


def _retry_values(retry: Retry, now: UnixTime) -> dict[str, object]:
    return {
        **_run_values(retry.job),
        "wait": max(0.0, retry.at - now),
        "problem": retry.error,
        "uncounted": 0 if retry.counts else 1,
        "held": retry.holds,
    }


async def _interrupt(tx: Tx, condition: sa.ColumnElement[bool], max_attempts: int) -> int:
    ended = (
        sa.select(job.c.id).where(job.c.state == jobs.RUNNING, condition).with_for_update(skip_locked=True)
    )
    state = sa.case((job.c.attempts >= max_attempts, jobs.PARKED), else_=jobs.READY)
    query = sa.update(job).where(job.c.id.in_(ended))
    values = {
        "state": state,
        "worker": None,
        "lease_until": None,
        "error": "its worker stopped in the middle",
    }
    number = (await tx.conn.execute(query.values(values))).rowcount
    if number:
        await jobs.wake(tx)
    return number
