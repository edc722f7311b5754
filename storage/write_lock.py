"""Whose turn it is to write where only one can: first come, first served, but arrivals before all others."""

import asyncio
from collections import deque


class Turns:
    """A lock with two queues. asyncio's own has one, in which an arrival would wait behind every job's commit.

    Arrivals can't keep the others away for long: whoever wrote one asks anew for the next.
    """

    def __init__(self) -> None:
        self._taken = False
        self._arrivals: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, *, arrival: bool = False) -> None:
        """Wait for the turn; whoever has it passes it on."""
        if not self._taken:
            self._taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        (self._arrivals if arrival else self._others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It came at the very moment at which the wait was ended.
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Give the turn to the next who still waits."""
        for queue in (self._arrivals, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._taken = False
