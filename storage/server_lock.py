"""Lets one server at a time use a SQLite file: a lock file beside it, which the kernel frees when its holder dies."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.db import Database, StorageUnavailable

WAIT = 10.0
"""Seconds that a start waits for the server before it to end."""
LOOK = 0.1
"""Seconds between two tries."""


@asynccontextmanager
async def only_server(db: Database) -> AsyncIterator[None]:
    """Hold the lock of the database's file; does nothing on PostgreSQL, which serves many.

    It is a file of its own: opening and closing the database's would drop the locks that SQLite has on it. Commands
    don't take it, and go on beside a server. Raises StorageUnavailable where another server keeps it.
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
        end = db.clock.monotonic() + WAIT
        while not _locked(lock):
            if db.clock.monotonic() >= end:
                raise StorageUnavailable(
                    f"The database at {db.name} is in use by another stanch serve: end that one, or use PostgreSQL, "
                    "which serves several processes."
                )
            await db.clock.sleep(LOOK)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
