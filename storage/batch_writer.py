"""The small writer in front of the tables: whatever arrives at the same time shares one commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.batch_inserts import PostgresWriter, SqliteWriter, Writer
from storage.db import Database, StaleStatement, StorageUnavailable
from storage.records import Delivery, NewJob

BATCH = 256
"""So many arrivals share one commit at most."""
BURST = 4
"""So many arrivals in one commit are a crowd that waits for its answers."""
BURST_GAP = 0.25
"""Seconds for which a crowd is expected to go on."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    what: Delivery | str
    jobs: Sequence[NewJob]
    stored: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class BatchWriter:
    """Stores deliveries and Slack requests with their jobs; one per process, between `start` and `stop`."""

    def __init__(self, db: Database) -> None:
        """Prepare; nothing is accepted before `start`."""
        self._db = db
        self._waiting: list[_Arrival] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._open = False
        self._crowd_began = 0.0
        self._crowd_ends = 0.0

    @property
    def burst_seconds(self) -> float | None:
        """For how many seconds many at once have been waiting for their answers; None while few are."""
        now = self._db.clock.monotonic()
        return now - self._crowd_began if now < self._crowd_ends else None

    async def start(self) -> None:
        """Begin to accept."""
        path = self._db.path
        writer: Writer = PostgresWriter(self._db) if path is None else SqliteWriter(self._db, path)
        self._open = True
        self._task = asyncio.create_task(self._write_batches(writer))

    async def stop(self) -> None:
        """Store what has been handed in, and accept nothing more."""
        self._open = False
        self._arrived.set()
        if self._task is not None:
            await self._task

    async def accept_delivery(self, delivery: Delivery, job: NewJob | None) -> bool:
        """Store a webhook with its job, if it has one; False when its guid is known. Returns after the commit.

        Raises StorageUnavailable when it could not be stored.
        """
        return await self._accept(_Arrival(delivery, (job,) if job else ()))

    async def accept_request(self, fingerprint: str, jobs: Sequence[NewJob]) -> bool:
        """Store the jobs of a signed Slack request; False when it was seen within the last 10 minutes.

        Returns after the commit. Raises StorageUnavailable when it could not be stored.
        """
        return await self._accept(_Arrival(fingerprint, jobs))

    async def _accept(self, arrival: _Arrival) -> bool:
        if not self._open:
            raise StorageUnavailable(
                f"Nothing is stored at {self._db.name} while the process starts or stops."
            )
        self._waiting.append(arrival)
        self._arrived.set()
        return await arrival.stored

    def _note_crowd(self) -> None:
        now = self._db.clock.monotonic()
        if now >= self._crowd_ends:
            self._crowd_began = now
        self._crowd_ends = now + BURST_GAP

    async def _write_batches(self, writer: Writer) -> None:
        while self._open or self._waiting:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._arrived.clear()
            await self._write(writer, batch)
        await writer.close()

    async def _write(self, writer: Writer, batch: Sequence[_Arrival]) -> None:
        if not batch:
            return
        if len(batch) >= BURST:
            self._note_crowd()
        # An error is for those who wait for this batch; the next batch may do better.
        (result,) = await asyncio.gather(writer.write(batch), return_exceptions=True)
        if isinstance(result, StaleStatement):
            (result,) = await asyncio.gather(writer.write(batch), return_exceptions=True)
        if isinstance(result, Exception) and not isinstance(result, StorageUnavailable) and len(batch) > 1:
            # Something in it is strange: that takes nobody else down with it.
            for arrival in batch:
                await self._write(writer, [arrival])
            return
        for position, arrival in enumerate(batch):
            if arrival.stored.done():
                continue
            if isinstance(result, BaseException):
                arrival.stored.set_exception(result)
            else:
                arrival.stored.set_result(result[position])
