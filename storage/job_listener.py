"""Hears from PostgreSQL that another process has stored a job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storage.db import Database, StorageUnavailable

log = structlog.get_logger(__name__)
CHANNEL = "stanch_job"
"""PostgreSQL's name for the notification that a job may be ready."""


@asynccontextmanager
async def listening(db: Database) -> AsyncIterator[None]:
    """Set `db.job_wake` when another process enqueues, as long as PostgreSQL is there to tell.

    Does nothing on SQLite, whose other processes are short commands: a worker's own poll finds their jobs.
    """
    if db.dialect == "sqlite":
        yield
        return
    tried = asyncio.Event()
    listener = asyncio.create_task(_listen(db, tried))
    try:
        await tried.wait()
        yield
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _listen(db: Database, tried: asyncio.Event) -> None:
    from asyncpg import InterfaceError, PostgresError

    while True:
        lost = asyncio.Event()
        try:
            async with db.connection() as conn:
                server = (await conn.get_raw_connection()).driver_connection
                assert server is not None
                server.add_termination_listener(lambda *_, lost=lost: lost.set())
                await server.add_listener(CHANNEL, lambda *_: db.job_wake.set())
                # Whatever was told before anybody listened.
                db.job_wake.set()
                tried.set()
                await lost.wait()
        except (StorageUnavailable, InterfaceError, PostgresError, SQLAlchemyError, OSError) as error:
            # The worker's own poll finds the jobs meanwhile, and this goes on.
            log.debug("not_listening", reason=str(error) or type(error).__name__)
        tried.set()
        await db.clock.sleep(1)
