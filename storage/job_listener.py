"""Wakes this process's worker when another process stores a job, by PostgreSQL's LISTEN and NOTIFY."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from storage.clock import Clock
from storage.db import Database, StorageUnavailable, Tx

log = structlog.get_logger(__name__)
CHANNEL = "stanch_job"
"""PostgreSQL's channel for the notification that a job may be ready."""
LISTEN = f'LISTEN "{CHANNEL}"'
"""As asyncpg sends it for a listener."""
CHECK_EVERY = 30.0
"""Seconds between two checks whether PostgreSQL still answers on the listener's connection."""
ANSWER_WITHIN = 5.0
"""Seconds; then the connection counts as broken."""


async def has_listener(tx: Tx) -> bool:
    """Whether a worker of this version or an earlier one uses the PostgreSQL database.

    PostgreSQL shows the last statement of other sessions of the same user, and a listener's is LISTEN. Processes
    without a worker don't listen.
    """
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = :listen"
    return bool(await tx.conn.scalar(sa.text(sessions), {"listen": LISTEN}))


@asynccontextmanager
async def listening(db: Database) -> AsyncIterator[None]:
    """Set `db.job_wake` whenever another process stores a job; reconnects by itself.

    Does nothing on SQLite, where other processes are short commands, whose jobs the worker's poll finds.
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
                # A job may have been stored before this connection listened.
                db.job_wake.set()
                tried.set()
                await _wait_until_lost(db.clock, server, lost)
        except (StorageUnavailable, InterfaceError, PostgresError, SQLAlchemyError, OSError) as error:
            # Until it listens again, the worker's poll finds the jobs.
            log.debug("not_listening", reason=str(error) or type(error).__name__)
        tried.set()
        await db.clock.sleep(1)


async def _wait_until_lost(clock: Clock, server: Any, lost: asyncio.Event) -> None:
    """Return when the connection has ended, or does not answer, as after a cut of the network.

    Nothing else is sent on it, so TCP alone would never notice a cut. Repeating LISTEN changes nothing.
    """
    while True:
        if await clock.wait_for(lost.wait(), CHECK_EVERY):
            return
        if await clock.wait_for(server.execute(LISTEN), ANSWER_WITHIN) is None:
            return
