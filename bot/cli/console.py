"""Runs commands; prints answers on standard output and remarks on standard error."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


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


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command to its end."""
    asyncio.run(work)
