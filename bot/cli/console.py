"""Runs commands with the database; prints answers on standard output and remarks on standard error."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from bot.database import open_database
from bot.settings import StorageSettings, load_settings
from storage.db import Database, Tx

T = TypeVar("T")


class OutputLost(Exception):
    """Standard output can't be written; `str()` is one sentence."""

    def __init__(self, error: OSError) -> None:
        closed = isinstance(error, BrokenPipeError)
        super().__init__(
            "Standard output was closed before everything was printed."
            if closed
            else f"Standard output can't be written: {error.strerror or error}."
        )


class Output:
    """Standard output as a file that raises OutputLost, since an OSError would count as the database's."""

    def write(self, text: str) -> int:
        try:
            return sys.stdout.write(text)
        except OSError as error:
            raise OutputLost(error) from None


def say(line: str) -> None:
    """Print a line of the answer; raises OutputLost."""
    Output().write(f"{line}\n")


def remark(line: str) -> None:
    """Print a line that is not part of the answer."""
    sys.stderr.write(f"{line}\n")


def flush() -> None:
    """Write out the buffer; raises OutputLost."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OutputLost(error) from None


def give_up_output() -> None:
    """Drop the buffer: Python would write it at its exit and end with a traceback."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Return the result of `work` with the settings' database. Raises StartRefused, StorageUnavailable."""
    settings = load_settings(StorageSettings)

    async def run() -> T:
        async with open_database(settings) as db:
            return await work(db)

    return asyncio.run(run())


def read(query: Callable[[Tx], Awaitable[T]]) -> T:
    """Return what `query` reads from the settings' database."""

    async def work(db: Database) -> T:
        async with db.read() as tx:
            return await query(tx)

    return with_database(work)


def change(work: Callable[[Tx], Awaitable[T]]) -> T:
    """Change the settings' database in one transaction, and return the result of `work`."""

    async def in_transaction(db: Database) -> T:
        async with db.begin() as tx:
            return await work(tx)

    return with_database(in_transaction)
