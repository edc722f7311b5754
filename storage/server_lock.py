"""Lets only one server use a SQLite file: locks a file beside it, which the kernel unlocks when the process dies."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.db import Database, StorageUnavailable

WAIT = 10.0
"""Seconds that a start waits for an earlier server to end."""
RETRY = 0.1
"""Seconds between two tries."""


@asynccontextmanager
async def only_server(
    db: Database,
    *,
    wait: float = WAIT,
    otherwise: str = "end that one, or use PostgreSQL, which serves several processes",
) -> AsyncIterator[None]:
    """Hold the lock of a SQLite file; does nothing on PostgreSQL, which several servers can use.

    The lock is on a file of its own, since closing the database's file would drop SQLite's locks on it. Commands
    don't take the lock, so they run beside a server. Raises StorageUnavailable if another server has it after `wait`
    seconds; `otherwise` is what to do then.
    """
    if db.path is None:
        yield
        return
    path = f"{db.path.resolve()}.lock"
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StorageUnavailable(
            f"The database at {db.name} can't be opened: no lock file beside it ({error.strerror})."
        ) from None
    try:
        end = db.clock.monotonic() + wait
        while not _locked(lock):
            if db.clock.monotonic() >= end:
                raise StorageUnavailable(
                    f"The database at {db.name} is in use by another stanch serve: {otherwise}."
                )
            await db.clock.sleep(RETRY)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
