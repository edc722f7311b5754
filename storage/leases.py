"""Changes within a transaction that require the worker's lease of a job.

A worker that stood still for long loses its lease, and another worker runs the job again. Without these checks, the
first one would then record its results a second time.
"""

from functools import cache

import sqlalchemy as sa

from storage.db import Tx
from storage.engines import Dialect
from storage.jobs import DONE, PARKED, RUN, RUNNING, bound_now, seconds
from storage.records import Job
from storage.tables import job


class LeaseLost(Exception):
    """The run has lost its lease, so another worker may run the job."""

    def __init__(self, run: Job) -> None:
        super().__init__(f"job {run.id} is no longer run by {run.worker}")


async def keep(tx: Tx, run: Job) -> None:
    """Keep the lease until the caller's transaction ends. Raises LeaseLost if it is lost already."""
    if await tx.conn.scalar(_LOCK, run_values(run)) is None:
        raise LeaseLost(run)


async def finish(tx: Tx, run: Job) -> None:
    """End a running job as done in the caller's transaction, so that no crash between the two can repeat the job.

    Raises LeaseLost, which rolls the caller's change back.
    """
    if not await finish_own(tx, run):
        raise LeaseLost(run)


async def finish_own(tx: Tx, run: Job) -> bool:
    """Like `finish`, but returns False for a lost lease: for changes that are right in any case."""
    if not await _end(tx, _finish(tx.dialect), run, now=seconds(tx)):
        return False
    tx.finished.append(run.id)
    return True


async def park(tx: Tx, run: Job, reason: str) -> None:
    """Park a running job in the caller's transaction. Raises LeaseLost."""
    if not await _end(tx, PARK, run, problem=reason):
        raise LeaseLost(run)


async def _end(tx: Tx, query: sa.Executable, run: Job, **parameters: object) -> bool:
    return (await tx.conn.execute(query, {**run_values(run), **parameters})).rowcount == 1


STOP = sa.update(job).where(job.c.state == RUNNING).values(worker=None, lease_until=None)
"""Ends a run of any job; the caller adds which, and how."""
_IS_RUN = tuple(column == sa.bindparam(f"of_{column.name}") for column in RUN)
_LOCK = sa.select(job.c.id).where(job.c.state == RUNNING, *_IS_RUN).with_for_update()
END_RUN = STOP.where(*_IS_RUN)
"""Ends the run that is in the parameters of `run_values`."""
HAS_LEASE = sa.exists().where(job.c.state == RUNNING, *_IS_RUN)
"""Whether the run in these parameters still has its lease."""
PARK = END_RUN.values(state=PARKED, error=sa.bindparam("problem"))


# Built once, since that takes longer than SQLite needs to run it.
@cache
def _finish(dialect: Dialect) -> sa.Executable:
    return END_RUN.values(state=DONE, error=None, finished_at=bound_now(dialect))


def run_values(run: Job) -> dict[str, object]:
    """The parameters of `END_RUN` and `HAS_LEASE`."""
    return {"of_id": run.id, "of_worker": run.worker, "of_attempts": run.attempts}
