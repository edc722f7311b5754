"""Counts the SQL statements and write commits of this process by job, through SQLAlchemy's events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

_WRITES = ("INSERT", "UPDATE", "DELETE")
_NOT_COUNTED = ("BEGIN", "PRAGMA")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work takes."""

    statements: int
    """SQL statements; those that begin and end a transaction are not counted."""
    commits: int
    """Commits of transactions that changed a row."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.statements + other.statements, self.commits + other.commits)


STORED = Cost(2, 1)
"""A webhook or a Slack request with its job. SQLite's batch writer has a connection that these events don't show."""
CLAIMED = Cost(1, 1)
"""A job is claimed by a worker."""


@dataclass(slots=True)
class Transaction:
    """The statements of one transaction, and the job that ran it, if a job did."""

    job_id: int | None
    kind: str | None
    statements: list[str] = field(default_factory=list)
    is_change: bool = False


@dataclass(slots=True)
class Transactions:
    """All transactions since the counting began, in the order of their ends."""

    ended: list[Transaction] = field(default_factory=list)

    def of_jobs(self, kind: str) -> list[Cost]:
        """What each job of a kind took from its claim on: the claim is counted, its storing is not."""
        jobs: dict[int, Cost] = {}
        for one in self.ended:
            if one.kind == kind and one.job_id is not None:
                taken = Cost(len(one.statements), one.is_change)
                jobs[one.job_id] = jobs.get(one.job_id, CLAIMED) + taken
        return list(jobs.values())

    @property
    def changes_outside_of_jobs(self) -> list[Transaction]:
        """What was stored, claimed and settled. The worker's looks that find nothing to do are no changes."""
        return [one for one in self.ended if one.job_id is None and one.is_change]


@contextmanager
def counted() -> Iterator[Transactions]:
    """Count on all engines of this process."""
    seen = Transactions()

    def on_execute(conn: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(_NOT_COUNTED):
            return
        if "transaction" not in conn.info:
            job = structlog.contextvars.get_contextvars()
            conn.info["transaction"] = Transaction(job.get("job_id"), job.get("job"))
        transaction: Transaction = conn.info["transaction"]
        transaction.statements.append(statement)
        transaction.is_change |= statement.startswith(_WRITES) and cursor.rowcount != 0

    def on_end(conn: sa.Connection) -> None:
        if "transaction" in conn.info:
            seen.ended.append(conn.info.pop("transaction"))

    listeners = (("after_cursor_execute", on_execute), ("commit", on_end), ("rollback", on_end))
    for event, listener in listeners:
        sa.event.listen(sa.Engine, event, listener)
    try:
        yield seen
    finally:
        for event, listener in listeners:
            sa.event.remove(sa.Engine, event, listener)
