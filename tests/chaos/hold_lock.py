"""`python -m tests.chaos.hold_lock URL`: stands still in a transaction that holds the lock of the audit log."""

import asyncio
import sys

from storage import audit
from storage.clock import Clock
from storage.db import Database

LOCKED = "locked"


async def hold(url: str) -> None:
    """Take the lock, say so, and keep it until the process is killed."""
    db = Database(url, clock=Clock())
    async with db.begin() as tx:
        await audit.lock(tx)
        sys.stdout.write(f"{LOCKED}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1]))
