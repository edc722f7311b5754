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
    if await tx.conn.scalar(sa.select(job.c.id).where(_is(run)).with_for_update()) is None:
        raise LeaseLost(run)


async def finish(tx: Tx, run: Job) -> None:
    """Let a running job be done with the caller's change, so that a crash after it does not repeat the job.

    Raises LeaseLost where the job is no longer this run's, so that the caller's change is rolled back.
    """
    await _end(tx, run, state=DONE, error=None, finished_at=now_of(tx))


async def park(tx: Tx, run: Job, reason: str) -> None:
    """Give a running job up with the caller's change, until somebody retries it. Raises LeaseLost."""
    await _end(tx, run, state=PARKED, error=reason)


async def _end(tx: Tx, run: Job, **values: object) -> None:
    query = sa.update(job).where(_is(run)).values(worker=None, lease_until=None, **values)
    if (await tx.conn.execute(query)).rowcount != 1:
        raise LeaseLost(run)


def _is(run: Job) -> sa.ColumnElement[bool]:
    same = (column == value for column, value in zip(RUN, (run.id, run.worker, run.attempts), strict=True))
    return sa.and_(job.c.state == RUNNING, *same)
