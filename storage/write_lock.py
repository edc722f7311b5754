"""SQLite write lock; incoming requests go first."""

import asyncio
from collections import deque

OTHERS_BETWEEN = 4
"""Changes by jobs that get the lock between two batches of incoming requests, where so many wait."""


class WriteLock:
    """A lock for one event loop with two queues, each first in, first out; incoming requests are served first.

    With `asyncio.Lock`, an incoming request would wait behind the commit of every queued job. The others are not
    starved: the batch writer stores all that came in meanwhile in one commit, and waits for `OTHERS_BETWEEN` others
    after it. With one, the card of an alert, which takes six changes, waited for seconds in a flood of deliveries.
    """

    def __init__(self) -> None:
        self._locked = False
        self._others_since = OTHERS_BETWEEN
        """Others that got the lock since an incoming request did."""
        self._incoming: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, incoming: bool = False) -> None:
        """Wait until the lock is free, and take it."""
        if not self._locked:
            self._locked = True
            self._note(incoming=incoming)
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
        incoming_first = self._others_since >= OTHERS_BETWEEN
        for incoming in (incoming_first, not incoming_first):
            queue = self._incoming if incoming else self._others
            while queue:
                acquired = queue.popleft()
                if not acquired.done():
                    acquired.set_result(None)
                    self._note(incoming=incoming)
                    return
        self._locked = False

    def _note(self, *, incoming: bool) -> None:
        self._others_since = 0 if incoming else self._others_since + 1
