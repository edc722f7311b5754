"""The one clock of the product, which tests move forward instead of waiting, and set back."""

import asyncio
import time

from storage.records import UnixTime


class Clock:
    """Real time plus an offset, which is 0 outside of tests."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._set_back = 0.0
        self._sleepers: set[asyncio.Future[None]] = set()

    @property
    def offset(self) -> float:
        """Seconds by which all clocks of a test are ahead of the machine's, the database server's too."""
        return self._offset

    def now(self) -> UnixTime:
        """Unix seconds: for what is stored or shown. It jumps where the machine's clock is corrected."""
        return time.time() + self._offset - self._set_back

    def monotonic(self) -> float:
        """Seconds from an unknown start, which never go back: for how long something in this process has lasted."""
        return time.monotonic() + self._offset

    def set_back(self, seconds: float) -> None:
        """Correct the wall clock alone, as a time server does; sleeps and `monotonic` go on."""
        self._set_back += seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward and wake every sleeper whose time has come."""
        self._offset += seconds
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock; zero or less only lets other tasks run.

        The machine's monotonic time counts, so a corrected wall clock neither cuts nor stretches a sleep.
        """
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
