"""Hands jobs to workers: claims them under a lease, renews leases, and records the results of runs."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import sqlalchemy as sa

from storage import jobs, leases
from storage.columns import StorableText
from storage.db import Database, Tx
from storage.engines import Dialect
from storage.priorities import Priority
from storage.records import Done, Job, JobId, Parked, Retry, RunResult, UnixTime
from storage.tables import job


async def claim(
    db: Database, worker: str, limit: int, lease: float, slots: Mapping[Priority, int] | None = None
) -> list[Job]:
    """Claim up to `limit` due jobs for `lease` seconds; each claim counts as an attempt.

    The jobs come in the order of priority; `slots` limits how many of each priority are claimed (by default `limit`).
    Of the jobs with one key only the earliest is claimed, and only while none of that key runs.
    """
    free = {p.name: limit if slots is None else max(0, min(limit, slots[p])) for p in Priority}
    for _ in range(3):
        try:
            async with db.begin() as tx:
                asked = {"now": jobs.seconds(tx), "for_worker": worker, "lease": lease, "most": limit, **free}
                started = await tx.conn.execute(_claim(tx.dialect), asked)
                claimed = [jobs.record(row._asdict()) for row in started]
                return sorted(claimed, key=lambda one: (one.priority, one.run_at, one.id))
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
        now = jobs.seconds(tx)
        if done:
            runs = [(run.id, run.worker, run.attempts) for run in done]
            await tx.conn.execute(_finish(tx.dialect), {"now": now, "runs": runs})
        if retries:
            values = [{"now": now, **_retry_values(retry, tx.now)} for retry in retries]
            await tx.conn.execute(_retry(tx.dialect), values)
        if parked:
            values = [{**leases.run_values(result.job), "problem": result.error} for result in parked]
            await tx.conn.execute(leases.PARK, values)
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
    if not of:
        return None
    async with db.read() as tx:
        of_all = len(of) == len(Priority)
        first = {} if of_all else {priority.name: int(priority in of) for priority in Priority}
        query = _next_due(tx.dialect, of_all=of_all)
        wait: float | None = await tx.conn.scalar(query, {"now": jobs.seconds(tx), **first})
        return None if wait is None else tx.now + wait


def _is_run_by(worker: str) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.state == jobs.RUNNING, job.c.worker == worker)


def is_blocked(now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Whether a ready job has to wait for another one with its key."""
    running = sa.exists().where(_OTHER.c.key == job.c.key, _OTHER.c.state == jobs.RUNNING)
    earlier = sa.exists().where(
        _OTHER.c.key == job.c.key,
        _OTHER.c.state == jobs.READY,
        _OTHER.c.id < job.c.id,
        sa.or_(_OTHER.c.run_at <= now, _OTHER.c.holds),
    )
    return sa.and_(job.c.key.is_not(None), sa.or_(running, earlier))


_OTHER = job.alias("other")


# These statements are built once, since that takes longer than SQLite needs to run them.
@cache
def _finish(dialect: Dialect) -> sa.Executable:
    mine = sa.tuple_(*jobs.RUN).in_(sa.bindparam("runs", expanding=True))
    return leases.STOP.where(mine).values(state=jobs.DONE, error=None, finished_at=jobs.bound_now(dialect))


@cache
def _retry(dialect: Dialect) -> sa.Executable:
    return leases.END_RUN.values(
        state=jobs.READY,
        error=sa.bindparam("problem"),
        run_at=jobs.bound_now(dialect) + sa.bindparam("wait", type_=sa.Double),
        attempts=job.c.attempts - sa.bindparam("uncounted", type_=sa.Integer),
        holds=sa.bindparam("held", type_=sa.Boolean),
    )


@cache
def _claim(dialect: Dialect) -> sa.Executable:
    """Starts due jobs: at most `most`, and of each priority at most the number in the parameter of its name."""
    now = jobs.bound_now(dialect)
    due = sa.select(job.c.priority, job.c.run_at, job.c.id)
    due = due.where(job.c.state == jobs.READY, job.c.run_at <= now, ~is_blocked(now))
    due = due.order_by(job.c.run_at, job.c.id).with_for_update(skip_locked=True)
    first = [
        due.where(job.c.priority == priority).limit(sa.bindparam(priority.name, type_=sa.Integer)).subquery()
        for priority in Priority
    ]
    found = sa.union_all(*(sa.select(of_one) for of_one in first)).subquery()
    pick = sa.select(found.c.id).order_by(found.c.priority, found.c.run_at, found.c.id)
    values = {
        "state": jobs.RUNNING,
        "worker": sa.bindparam("for_worker", type_=StorableText),
        "lease_until": now + sa.bindparam("lease", type_=sa.Double),
        "attempts": job.c.attempts + 1,
    }
    picked = job.c.id.in_(pick.limit(sa.bindparam("most", type_=sa.Integer)))
    return sa.update(job).where(picked).values(values).returning(*jobs.COLUMNS)


@cache
def _next_due(dialect: Dialect, *, of_all: bool) -> sa.Select[*tuple[float]]:
    """Seconds until the next job can start: of all priorities, or of those whose name's parameter is 1, not 0."""
    now = jobs.bound_now(dialect)
    query = sa.select(job.c.run_at).where(job.c.state == jobs.READY, ~is_blocked(now))
    query = query.order_by(job.c.run_at, job.c.id)
    # One query for each priority: thousands of jobs of another one may be due before its first.
    chosen = [query.limit(1)] if of_all else [_first_of(query, priority) for priority in Priority]
    first = sa.union_all(*(sa.select(one.subquery()) for one in chosen)).subquery()
    return sa.select(sa.func.min(first.c.run_at) - now)


def _first_of(query: sa.Select[*tuple[float]], priority: Priority) -> sa.Select[*tuple[float]]:
    return query.where(job.c.priority == priority).limit(sa.bindparam(priority.name, type_=sa.Integer))


def _retry_values(retry: Retry, now: UnixTime) -> dict[str, object]:
    return {
        **leases.run_values(retry.job),
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
