"""Stores jobs, and lists, retries, counts and deletes them. `job_queue` hands them to workers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import cache

import sqlalchemy as sa

from storage import rows
from storage.columns import storable
from storage.db import Row, Tx, insert_into
from storage.engines import Dialect
from storage.job_listener import CHANNEL
from storage.priorities import Priority, priority_of
from storage.records import Job, JobId, JobState, NewJob, StoredJson, UnixTime
from storage.tables import job

# Literals, not parameters: a query planner uses a partial index only for a literal.
READY = sa.literal_column("'ready'", sa.Text)
RUNNING = sa.literal_column("'running'", sa.Text)
DONE = sa.literal_column("'done'", sa.Text)
PARKED = sa.literal_column("'parked'", sa.Text)

COLUMNS = tuple(job.c[field.name] for field in fields(Job))
"""The columns of `Job`."""
RUN = (job.c.id, job.c.worker, job.c.attempts)
"""The columns that identify one run of a job, since each claim counts as an attempt."""


async def enqueue(tx: Tx, *jobs: NewJob) -> list[JobId | None]:
    """Store jobs in the caller's transaction; returns an id for each, or None if a job with its `dedup` is stored."""
    if not jobs:
        return []
    stored = (await tx.conn.execute(_insert(tx.dialect), [values(new, seconds(tx)) for new in jobs])).all()
    tx.job_enqueued = tx.job_enqueued or bool(stored)
    return _ids(jobs, stored)


@cache
def _insert(dialect: Dialect) -> sa.Executable:
    """Stores jobs with the parameters of `values`; built once, since it is needed so often."""
    origin = _origin(dialect)
    # PostgreSQL notifies the other processes at the commit, once however often this is called.
    wakes = [sa.func.pg_notify(CHANNEL, "")] if dialect == "postgresql" else []
    return (
        insert_into(dialect, job)
        .values(run_at=origin + sa.bindparam("runs"), created_at=origin + sa.bindparam("made"))
        .on_conflict_do_nothing(index_elements=[job.c.dedup])
        .returning(job.c.id, job.c.dedup, *wakes)
    )


async def list_jobs(tx: Tx, *, states: Collection[JobState], limit: int = 200) -> list[Job]:
    """The jobs in any of these states, oldest first."""
    query = sa.select(*COLUMNS).where(job.c.state.in_(states)).order_by(job.c.id).limit(limit)
    return await rows.listed(tx, query, record)


async def unfinished(tx: Tx, kind: str, after: int, most: int) -> list[Job]:
    """The next jobs of a kind that are not done, parked ones too, in the order of their ids after this one."""
    theirs = sa.and_(job.c.kind == kind, job.c.state != DONE, job.c.id > after)
    return await rows.listed(tx, sa.select(*COLUMNS).where(theirs).order_by(job.c.id).limit(most), record)


async def save_payload(tx: Tx, job_id: JobId, payload: Mapping[str, StoredJson]) -> bool:
    """Replace a job's payload; False if it is done. A run that has begun uses the payload that it has read."""
    its = sa.and_(job.c.id == job_id, job.c.state != DONE)
    return (await tx.conn.execute(sa.update(job).where(its).values(payload=payload))).rowcount == 1


async def retry(tx: Tx, job_id: JobId) -> bool:
    """Make a parked job ready now; False if no such job is parked."""
    return await _unpark(tx, job.c.id == job_id) == 1


async def retry_all(tx: Tx) -> int:
    """Make all parked jobs ready now; returns how many."""
    return await _unpark(tx, sa.true())


async def cancel(tx: Tx, key: str, before: JobId | None = None) -> int:
    """Delete the jobs with this key that do not run yet, all or those stored before that job; returns how many."""
    query = sa.delete(job).where(job.c.key == key, job.c.state == READY)
    query = query if before is None else query.where(job.c.id < before)
    return (await tx.conn.execute(query)).rowcount


async def prune(tx: Tx, before: UnixTime) -> int:
    """Delete jobs that were done before then; returns how many."""
    query = sa.delete(job).where(job.c.state == DONE, job.c.finished_at < before)
    return (await tx.conn.execute(query)).rowcount


async def count(tx: Tx) -> dict[JobState, int]:
    """The number of jobs in each state."""
    found = await tx.conn.execute(sa.select(job.c.state, sa.func.count()).group_by(job.c.state))
    return dict.fromkeys(JobState, 0) | {JobState(state): number for state, number in found}


def _origin(dialect: Dialect) -> sa.ColumnElement[float]:
    """What `seconds` is added to for the time that all workers share: PostgreSQL's clock, or 0."""
    if dialect == "sqlite":
        return sa.literal_column("0", sa.Double)
    return sa.cast(sa.extract("epoch", sa.func.statement_timestamp()), sa.Double)


def seconds(tx: Tx) -> float:
    """Our clock's part of the time that all workers share: its offset from PostgreSQL's clock, or all of it."""
    return tx.now if tx.dialect == "sqlite" else tx.clock.offset


def now_of(tx: Tx) -> sa.ColumnElement[float]:
    """The time that all workers share."""
    return _origin(tx.dialect) + sa.literal(seconds(tx), sa.Double)


def bound_now(dialect: Dialect) -> sa.ColumnElement[float]:
    """The same for a statement that is built once; its parameter `now` is `seconds`."""
    return _origin(dialect) + sa.bindparam("now", type_=sa.Double)


def values(new: NewJob, now: float) -> dict[str, object]:
    """The columns of a new job; `now` is what `seconds` returns, on SQLite the time."""
    return {
        **rows.values(new, job),
        "state": JobState.READY,
        "priority": _priority(new),
        "holds": False,
        "attempts": 0,
        "made": now,
        "runs": now + new.delay,
    }


def _priority(new: NewJob) -> Priority:
    if new.urgent:
        return Priority.URGENT
    return Priority.FLOOD if new.in_flood else priority_of(new.kind)


def _ids(jobs: Sequence[NewJob], stored: Sequence[Row]) -> list[JobId | None]:
    """The id of each job's row: found by `dedup`, and for jobs without one by the order of the ids."""
    by_dedup = {row.dedup: row.id for row in stored if row.dedup is not None}
    others = iter(sorted(row.id for row in stored if row.dedup is None))
    return [next(others) if new.dedup is None else by_dedup.pop(storable(new.dedup), None) for new in jobs]


def record(columns: rows.Columns) -> Job:
    return Job(**{**columns, "state": JobState(columns["state"])})


async def _unpark(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    query = sa.update(job).where(job.c.state == PARKED, condition).values(state=READY, run_at=now_of(tx))
    number = (await tx.conn.execute(query.values(attempts=0, holds=False))).rowcount
    if number:
        await wake(tx)
    return number


async def wake(tx: Tx) -> None:
    """Wake the workers at the commit: this process's by `db.job_wake`, those of others by PostgreSQL."""
    if tx.dialect == "postgresql" and not tx.job_enqueued:
        await tx.conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
    tx.job_enqueued = True
