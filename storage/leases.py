"""What a run of a job records, only while the job is still its own.

A worker that was stopped for long loses its lease, and another one runs the job again. Whatever the first one records
afterwards would be recorded twice.
"""

import sqlalchemy as sa

from storage.db import Tx
from storage.jobs import DONE, PARKED, RUN, RUNNING, now_of
from storage.records import Job
from storage.tables import job


class LeaseLost(Exception):
    """The job is no longer this run's: its lease ended, so another worker may be at it."""

    def __init__(self, run: Job) -> None:
        super().__init__(f"job {run.id} is no longer run by {run.worker}")


async def keep(tx: Tx, run: Job) -> None:
    """Let no other worker take the job over before the caller's change is committed. Raises LeaseLost."""
    if await tx.conn.scalar(sa.select(job.c.id).where(is_run(run)).with_for_update()) is None:
        raise LeaseLost(run)


async def finish(tx: Tx, run: Job) -> None:
    """Let a running job be done with the caller's change, so that a crash after it does not repeat the job.

    Raises LeaseLost where the job is no longer this run's, so that the caller's change is rolled back.
    """
    if not await finish_own(tx, run):
        raise LeaseLost(run)


async def finish_own(tx: Tx, run: Job) -> bool:
    """As `finish`, but False where the job is no longer this run's: for what is true whoever has the job."""
    ended = await _end(tx, run, state=DONE, error=None, finished_at=now_of(tx))
    if ended:
        tx.finished.append(run.id)
    return ended


async def park(tx: Tx, run: Job, reason: str) -> None:
    """Give a running job up with the caller's change, until somebody retries it. Raises LeaseLost."""
    if not await _end(tx, run, state=PARKED, error=reason):
        raise LeaseLost(run)


async def _end(tx: Tx, run: Job, **values: object) -> bool:
    query = sa.update(job).where(is_run(run)).values(worker=None, lease_until=None, **values)
    return (await tx.conn.execute(query)).rowcount == 1


def is_run(run: Job) -> sa.ColumnElement[bool]:
    """Whether a row of the table is that job, still in that run."""
    same = (column == value for column, value in zip(RUN, (run.id, run.worker, run.attempts), strict=True))
    return sa.and_(job.c.state == RUNNING, *same)
