"""Stores deliveries and Slack requests; those that come in at the same time share one commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from storage.batch_inserts import Incoming, PostgresWriter, SqliteWriter, Writer
from storage.db import Database, StaleStatement, StorageBusy, StorageUnavailable
from storage.records import Delivery, NewJob

BATCH = 256
"""The greatest number of requests that share one commit."""
BURST = 4
"""From this number of requests in one commit on, it is a burst."""
BURST_GAP = 0.25
"""Seconds after which a burst is over, unless another large batch came."""
LONG_BURST = 0.5
"""Seconds after which a burst is long, as in a flood of deliveries.

Before that no job starts, so that the requests are stored at once. Afterwards jobs must go on beside it.
"""
PAUSE = 0.01
"""Seconds between two batches of a long burst, in which jobs store their changes; the batches become larger."""

DELIVERY_WAITS = 8.0
"""Seconds for which it tries to store a delivery while the database is locked; GitHub waits ten for the answer."""
REQUEST_WAITS = 1.5
"""The same for a request of Slack, which waits three seconds. One try takes up to a second."""
RETRY = 0.05
"""Seconds between two tries."""


class Burst(Enum):
    """Whether many requests come in at once."""

    NONE = "none"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class _Waiting:
    incoming: Incoming
    until: float
    """The monotonic time until which it is tried again while the database is locked."""
    stored: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class BatchWriter:
    """Stores incoming requests with their jobs; one per process, in use between `start` and `stop`."""

    def __init__(self, db: Database) -> None:
        """Accepts nothing before `start`."""
        self._db = db
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._open = False
        self._burst_began = 0.0
        self._burst_ends = 0.0

    @property
    def burst(self) -> Burst:
        """Whether there is a burst now, and whether it is long."""
        now = self._db.clock.monotonic()
        if now >= self._burst_ends:
            return Burst.NONE
        return Burst.LONG if now - self._burst_began >= LONG_BURST else Burst.SHORT

    async def start(self) -> None:
        """Begin to accept requests."""
        path = self._db.path
        writer: Writer = PostgresWriter(self._db) if path is None else SqliteWriter(self._db, path)
        self._open = True
        self._task = asyncio.create_task(self._write_batches(writer))

    async def stop(self) -> None:
        """Store what was accepted, and accept nothing more."""
        self._open = False
        self._wake.set()
        if self._task is not None:
            await self._task

    async def accept_delivery(self, delivery: Delivery, job: NewJob | None) -> bool:
        """Store a delivery with its job, if it has one; returns after the commit. False if its guid is known.

        Raises StorageUnavailable if it could not be stored.
        """
        return await self._accept(Incoming(delivery, (job,) if job else ()), DELIVERY_WAITS)

    async def accept_request(self, fingerprint: str, jobs: Sequence[NewJob]) -> bool:
        """Store the jobs of a signed Slack request; returns after the commit. False if it came before.

        A fingerprint is known for `REPEAT_WINDOW`. Raises StorageUnavailable if the jobs could not be stored.
        """
        return await self._accept(Incoming(fingerprint, jobs), REQUEST_WAITS)

    async def _accept(self, incoming: Incoming, waits: float) -> bool:
        if not self._open:
            raise StorageUnavailable(
                f"Nothing is stored at {self._db.name} while the process starts or stops."
            )
        waiting = _Waiting(incoming, self._db.clock.monotonic() + waits)
        self._waiting.append(waiting)
        self._wake.set()
        return await waiting.stored

    def _note_burst(self) -> None:
        now = self._db.clock.monotonic()
        if now >= self._burst_ends:
            self._burst_began = now
        self._burst_ends = now + BURST_GAP

    async def _write_batches(self, writer: Writer) -> None:
        while self._open or self._waiting:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._wake.clear()
            await self._write(writer, batch)
            if self.burst is Burst.LONG:
                await self._db.clock.sleep(PAUSE)
        await writer.close()

    async def _write(self, writer: Writer, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        if len(batch) >= BURST:
            self._note_burst()
        rows = [waiting.incoming for waiting in batch]
        # The error goes to the callers of this batch, not to the task: the next batch may succeed.
        (result,) = await asyncio.gather(writer.write(rows), return_exceptions=True)
        if isinstance(result, StaleStatement):
            (result,) = await asyncio.gather(writer.write(rows), return_exceptions=True)
        if isinstance(result, StorageBusy):
            batch = self._put_back(batch)
            await self._db.clock.sleep(RETRY)
        if isinstance(result, Exception) and not isinstance(result, StorageUnavailable) and len(batch) > 1:
            # One request holds data that can't be stored: store each alone, so that only that one fails.
            for waiting in batch:
                await self._write(writer, [waiting])
            return
        for position, waiting in enumerate(batch):
            if waiting.stored.done():
                continue
            if isinstance(result, BaseException):
                waiting.stored.set_exception(result)
            else:
                waiting.stored.set_result(result[position])

    def _put_back(self, batch: Sequence[_Waiting]) -> list[_Waiting]:
        """Let those whose senders still wait be tried again; returns the others."""
        now = self._db.clock.monotonic()
        again: list[_Waiting] = []
        given_up: list[_Waiting] = []
        for waiting in batch:
            (again if self._open and now < waiting.until else given_up).append(waiting)
        self._waiting[:0] = again
        if again:
            self._wake.set()
        return given_up
