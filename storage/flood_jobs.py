"""Finds the deliveries of a flood that can be worked together, and ends them in the caller's transaction."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from storage import deliveries, job_queue, jobs, rows
from storage.db import Tx
from storage.priorities import Priority
from storage.records import Delivery, Job, JobId
from storage.tables import delivery, job


async def due(tx: Tx, kind: str, keys_begin: str, most: int) -> list[tuple[Job, Delivery]]:
    """Up to `most` due jobs of a flood with keys that begin so, earliest first, each with its delivery.

    Of the jobs with one key only the earliest, and only while none of that key runs.
    """
    now = jobs.now_of(tx)
    is_due = sa.and_(job.c.state == jobs.READY, job.c.run_at <= now, ~job_queue.is_blocked(now))
    is_theirs = sa.and_(job.c.kind == kind, job.c.key.startswith(keys_begin, autoescape=True))
    query = sa.select(*jobs.COLUMNS).where(job.c.priority == Priority.FLOOD, is_due, is_theirs)
    found = await rows.listed(tx, query.order_by(job.c.run_at, job.c.id).limit(most), jobs.record)
    guids = {one.id: str(one.payload.get("guid")) for one in found}
    known = await deliveries.load_all(tx, set(guids.values()))
    return [(one, known[guids[one.id]]) for one in found if guids[one.id] in known]


async def lock(tx: Tx, ids: Collection[JobId]) -> set[JobId]:
    """Lock those of these jobs that are still ready, until the caller's transaction ends; returns their ids.

    Those that another transaction has locked are left out: it is about to run or to end them.
    """
    query = sa.select(job.c.id).where(job.c.id.in_(ids), job.c.state == jobs.READY).order_by(job.c.id)
    return set(await tx.conn.scalars(query.with_for_update(skip_locked=True)))


async def end(tx: Tx, locked: Sequence[tuple[Job, Delivery]], outcome: str) -> None:
    """End locked jobs as done, and store the outcome of their deliveries."""
    ids, guids = [one.id for one, _ in locked], [one.guid for _, one in locked]
    values = {"state": jobs.DONE, "error": None, "finished_at": jobs.now_of(tx)}
    await tx.conn.execute(sa.update(job).where(job.c.id.in_(ids)).values(values))
    await tx.conn.execute(sa.update(delivery).where(delivery.c.guid.in_(guids)).values(outcome=outcome))
