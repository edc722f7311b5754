"""The product's only clock; tests advance it instead of waiting."""

import asyncio
import time
from collections.abc import Coroutine
from typing import TypeVar

from storage.records import UnixTime

Result = TypeVar("Result")


class Clock:
    """The machine's time plus an offset, which is 0 outside of tests."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._set_back = 0.0
        self._sleepers: set[asyncio.Future[None]] = set()

    @property
    def offset(self) -> float:
        """Seconds by which a test has advanced the clock; PostgreSQL's clock is read with the same offset."""
        return self._offset

    def now(self) -> UnixTime:
        """The wall clock, to be stored or shown; it jumps when the machine's clock is corrected."""
        return time.time() + self._offset - self._set_back

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never going back: to measure durations in this process."""
        return time.monotonic() + self._offset

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back, as a correction by NTP does; `sleep` and `monotonic` are not affected."""
        self._set_back += seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward, and wake the sleepers that are due."""
        self._offset += seconds
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` by `monotonic`; with 0 or less, only let other tasks run."""
        end = self.monotonic() + seconds
        if seconds <= 0:
            await asyncio.sleep(0)
        while (left := end - self.monotonic()) > 0:
            sleeper = asyncio.get_running_loop().create_future()
            self._sleepers.add(sleeper)
            try:
                await asyncio.wait([sleeper], timeout=left)
            finally:
                self._sleepers.discard(sleeper)

    async def wait_for(self, coroutine: Coroutine[object, object, Result], seconds: float) -> Result | None:
        """What the coroutine returns; None, with the coroutine cancelled, if it takes longer than `seconds`."""
        running = asyncio.create_task(coroutine)
        limit = asyncio.create_task(self.sleep(seconds))
        try:
            await asyncio.wait({running, limit}, return_when=asyncio.FIRST_COMPLETED)
            return running.result() if running.done() else None
        finally:
            running.cancel()
            limit.cancel()
