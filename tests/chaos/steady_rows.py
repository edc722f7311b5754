"""The rows of each table during the steady run, and the passing of days for those that are kept for days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.jobs.housekeeping import DAY, EVERY, KEPT
from storage.batch_inserts import PRUNE_EVERY, REPEAT_WINDOW
from storage.db import Database
from storage.tables import METADATA, channel_pace, delivery, job, role, slack_request

AGED_AFTER = 600.0
"""Seconds after which a row is made older by the time for which it is kept: an hour shows what days do."""
AGED_EVERY = 60.0
"""Seconds between two times at which rows are made older."""
OF_ALERTS = {"alert", "event", "message", "audit"}
"""Kept for good: they grow with the alerts."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """Rows that are deleted, by the time in one of their columns."""

    column: sa.Column[float]
    kept: float
    """Seconds."""
    slack: float
    """Seconds from the end of that time until the row is gone."""
    is_aged: bool = True

    @property
    def table(self) -> sa.Table:
        return self.column.table


_LATE = AGED_AFTER + AGED_EVERY + EVERY + 15.0
EXPIRING: Sequence[Expiring] = (
    Expiring(job.c.finished_at, KEPT, _LATE),
    Expiring(delivery.c.received_at, KEPT, _LATE),
    Expiring(role.c.fetched_at, DAY, _LATE),
    Expiring(channel_pace.c.next_at, DAY, _LATE),
    # Deleted at the first request after the interval.
    Expiring(slack_request.c.seen_at, 2 * REPEAT_WINDOW, PRUNE_EVERY + 60.0, is_aged=False),
)


async def make_older(db: Database) -> None:
    """Move the rows that are older than ten minutes to the end of the time for which they are kept."""
    async with db.begin() as tx:
        for one in EXPIRING:
            if one.is_aged:
                is_due = one.column.between(tx.now - one.kept + 1, tx.now - AGED_AFTER)
                values = {one.column.name: one.column - one.kept}
                await tx.conn.execute(sa.update(one.table).where(is_due).values(values))


async def count_rows(db: Database) -> dict[str, int]:
    """The number of rows of each table."""
    async with db.read() as tx:
        return {
            table.name: (await tx.conn.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            for table in METADATA.sorted_tables
        }


async def find_overdue(db: Database) -> list[str]:
    """The tables with rows that should have been deleted by now, a sentence each."""
    found = []
    async with db.read() as tx:
        for one in EXPIRING:
            # A pace of 0 belongs to a channel that had no message yet; it is deleted as well.
            query = sa.select(sa.func.count()).where(one.column.between(1, tx.now - one.kept - one.slack))
            number = (await tx.conn.execute(query)).scalar_one()
            if number:
                found.append(f"{number} rows of {one.table.name} are older than they may be")
    return found


def find_growth(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Tables that have grown although neither alerts nor the time make them larger."""
    free = OF_ALERTS | {one.table.name for one in EXPIRING}
    return [
        f"{name} has grown from {before[name]} to {number} rows"
        for name, number in after.items()
        if name not in free and number > before[name]
    ]
