"""The listener for jobs of other processes notices a connection that is silently dead, as after a cut cable."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from storage import jobs
from storage.clock import Clock
from storage.db import Database
from storage.job_listener import ANSWER_WITHIN, CHECK_EVERY, listening
from storage.records import NewJob

SOCKET = ".s.PGSQL.5432"
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Relay:
    """Passes bytes on between clients and PostgreSQL's socket, until `stall` loses those of the last connection."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._tasks: list[asyncio.Task[None]] = []
        self._stalled = asyncio.Event()
        self.opened = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._target)
        stalled = self._stalled = asyncio.Event()
        self.opened += 1
        for source, sink in ((reader, back), (there, writer)):
            self._tasks.append(asyncio.create_task(self._pass_on(source, sink, stalled)))

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, stalled: asyncio.Event
    ) -> None:
        while data := await source.read(65536):
            if not stalled.is_set():
                sink.write(data)
        sink.close()

    def stall(self) -> None:
        self._stalled.set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def relay_to(url: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay and the URL that leads through it."""
    [directory] = parse_qs(urlsplit(url).query)["host"]
    relay = Relay(Path(directory) / SOCKET)
    with tempfile.TemporaryDirectory() as mine:
        server = await asyncio.start_unix_server(relay.serve, Path(mine) / SOCKET)
        yield relay, url.replace(directory, mine)
        server.close()
        await relay.close()


async def test_a_connection_that_is_silently_dead_is_replaced(db: Database, database_url: str) -> None:
    clock = Clock()
    async with relay_to(database_url) as (relay, url), asyncio.timeout(20):
        listener = Database(url, clock=clock)
        async with listening(listener):
            relay.stall()
            listener.job_wake.clear()
            async with db.begin() as tx:
                await jobs.enqueue(tx, NewJob("a", {}))
            while relay.opened < 2:
                clock.advance(max(CHECK_EVERY, ANSWER_WITHIN))
                await asyncio.sleep(0.05)
            # Connecting again wakes the worker for what was stored meanwhile.
            await listener.job_wake.wait()
            listener.job_wake.clear()
            async with db.begin() as tx:
                await jobs.enqueue(tx, NewJob("b", {}))
            await listener.job_wake.wait()
        await listener.close()
