"""Lets the process die after a commit, as `kill -9` does, at the latest: when it next asks the database.

So a call of GitHub or Slack between the two has its effect, but is not recorded.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import LEASE, Worker
from storage import job_queue
from tests.flows.stage import Stage

_CHANGES = ("INSERT", "UPDATE", "DELETE")


class Dead(BaseException):
    """The process is dead, so it can't ask its database."""


class Life:
    """Counts the commits of changes, up to the last one; None for a process that dies of something else."""

    def __init__(self, last: int | None, at_death: Callable[[], None] = lambda: None) -> None:
        self._last = last
        self._at_death = at_death
        self.commits = 0
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        self._at_death()

    def on_execute(self, conn: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if self.is_over:
            raise Dead
        if statement.lstrip().startswith(_CHANGES):
            conn.info["changes"] = True

    def on_commit(self, conn: sa.Connection) -> None:
        if not conn.info.pop("changes", False) or self.is_over:
            return
        self.commits += 1
        if self.commits == self._last:
            self.end()


@contextmanager
def dying(last: int | None, at_death: Callable[[], None] = lambda: None) -> Iterator[Life]:
    """The process dies after `last` commits, or by `Life.end`; `at_death` is called then."""
    life = Life(last, at_death)
    listeners = (("before_cursor_execute", life.on_execute), ("commit", life.on_commit))
    for event, listener in listeners:
        sa.event.listen(sa.Engine, event, listener)
    try:
        yield life
    finally:
        for event, listener in listeners:
            sa.event.remove(sa.Engine, event, listener)


async def die_after(stage: Stage, last: int) -> None:
    """Run due jobs until the process dies, then a new process to the end."""
    with dying(last):
        with suppress(Dead):
            await Worker(stage.context, HANDLERS).run_due()
        running = [one for one in asyncio.all_tasks() if "Worker._work" in repr(one.get_coro())]
        await asyncio.gather(*running, return_exceptions=True)
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    await stage.work(within=40)
