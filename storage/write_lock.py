"""SQLite write lock; incoming requests go first."""

import asyncio
from collections import deque


class WriteLock:
    """A lock for one event loop with two queues, each first in, first out; incoming requests are served first.

    With `asyncio.Lock`, an incoming request would wait behind the commit of every queued job. The others are not
    starved: the batch writer waits for one lock at a time and stores all that came in meanwhile in one commit.
    """

    def __init__(self) -> None:
        self._locked = False
        self._incoming: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, incoming: bool = False) -> None:
        """Wait until the lock is free, and take it."""
        if not self._locked:
            self._locked = True
            return
        acquired = asyncio.get_running_loop().create_future()
        (self._incoming if incoming else self._others).append(acquired)
        try:
            await acquired
        except asyncio.CancelledError:
            if not acquired.cancelled():
                # The lock was given to this task in the same moment in which the task was cancelled.
                self.release()
            raise

    def release(self) -> None:
        """Give the lock to the next waiter, or free it."""
        for queue in (self._incoming, self._others):
            while queue:
                acquired = queue.popleft()
                if not acquired.done():
                    acquired.set_result(None)
                    return
        self._locked = False
