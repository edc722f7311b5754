"""Keeps the engines of a worker's databases: compiling every statement anew takes a quarter of a flow test."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import aiosqlite
import sqlalchemy as sa

from storage.engines import LOCK_WAIT, Engines, open_engines

T = TypeVar("T")
_IDLE: dict[tuple[str, bool], Engines] = {}
_MOST = 4
"""Most tests use the same two databases."""


class _ConnectionWithoutThread(aiosqlite.Connection):
    """Runs SQLite's operations in the event loop, where aiosqlite hands each to a thread of its own.

    To hand over a flow test's thousand operations and their results takes another quarter of it. As with the thread,
    other tasks go on before each statement. The tests of the storage, of processes and of every point have threads.
    """

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    async def _connect(self) -> Self:
        self._connection = self._connector()
        return self

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        until = time.monotonic() + LOCK_WAIT
        if getattr(fn, "__name__", "").startswith("execute"):
            await asyncio.sleep(0)
        while True:
            try:
                return fn(*args, **kwargs)
            except sqlite3.OperationalError as error:
                # The lock's holder may need this event loop.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self._running = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(database: str, **arguments: Any) -> aiosqlite.Connection:
    return _ConnectionWithoutThread(lambda: sqlite3.connect(database, **{**arguments, "timeout": 0}), 64)


@asynccontextmanager
async def kept_engines(url: str, *, threads: bool = True) -> AsyncIterator[Engines]:
    """Engines of a database that nobody else uses at the same time; its user closes their connections."""
    engines = _IDLE.pop((url, threads), None) or _open(url, threads=threads)
    yield engines
    if len(_IDLE) < _MOST:
        _IDLE[url, threads] = engines


def _open(url: str, *, threads: bool) -> Engines:
    engines = open_engines(url)
    if engines.dialect == "sqlite" and not threads:
        for engine in (engines.write, engines.read):
            sa.event.listen(engine.sync_engine, "do_connect", _use_no_thread)
    return engines


def _use_no_thread(_dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
    parameters["async_creator_fn"] = _connect
