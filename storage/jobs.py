"""Durable work: a table from which workers claim jobs, in order per key, and lose none when they die."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from storage.db import Row, Tx
from storage.job_listener import CHANNEL
from storage.priorities import priority_of
from storage.records import Job, JobId, JobState, NewJob, UnixTime
from storage.tables import job, storable

# As literals, not as parameters: only then does a planner see that a partial index fits.
READY = sa.literal_column("'ready'", sa.Text)
RUNNING = sa.literal_column("'running'", sa.Text)
DONE = sa.literal_column("'done'", sa.Text)
PARKED = sa.literal_column("'parked'", sa.Text)

COLUMNS = tuple(
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
    # PostgreSQL tells the other processes' workers at the commit, once however often it is called.
    wakes = [sa.func.pg_notify(CHANNEL, "")] if tx.dialect == "postgresql" else []
    insert = (
        tx.insert(job)
        .values(run_at=origin + sa.bindparam("runs"), created_at=origin + sa.bindparam("made"))
        .on_conflict_do_nothing(index_elements=[job.c.dedup])
        .returning(job.c.id, job.c.dedup, *wakes)
    )
    rows = (await tx.conn.execute(insert, [values(new, now) for new in jobs])).all()
    tx.job_enqueued = tx.job_enqueued or bool(rows)
    return _ids(jobs, rows)


async def list_jobs(tx: Tx, *, states: Collection[JobState], limit: int = 200) -> list[Job]:
    """The jobs in any of these states, oldest first."""
    query = sa.select(*COLUMNS).where(job.c.state.in_(states)).order_by(job.c.id).limit(limit)
    return [record(row) for row in await tx.conn.execute(query)]


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


def record(row: Row) -> Job:
    return Job(**{**row._mapping, "state": JobState(row.state)})


async def _unpark(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    query = sa.update(job).where(job.c.state == PARKED, condition).values(state=READY, run_at=now_of(tx))
    number = (await tx.conn.execute(query.values(attempts=0, holds=False))).rowcount
    if number:
        await wake(tx)
    return number


async def wake(tx: Tx) -> None:
    """Wake the workers at the commit: this process's by `db.job_wake`, others' by PostgreSQL."""
    if tx.dialect == "postgresql" and not tx.job_enqueued:
        await tx.conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
    tx.job_enqueued = True
