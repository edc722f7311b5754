"""Runs one part of `make chaos` in a directory of its own, and prints what went wrong or why it is skipped."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

from tests.chaos.databases import CannotStart
from tests.chaos.runner import say

Failures: TypeAlias = Coroutine[Any, Any, list[str]]
"""A run; its result is a sentence for each failure."""


def run_part(title: str, run: Callable[[Path], Failures]) -> int:
    """Print the title and what the run found; returns the exit status. The logs stay only after a failure."""
    say(title)
    directory = Path(tempfile.mkdtemp(prefix="stanch-chaos-"))
    try:
        failures = asyncio.run(run(directory))
    except CannotStart as reason:
        say(f"  skipped: {reason}")
        failures = []
    except AssertionError as error:
        # A wait that came to no end, or an answer that is not as it must be.
        failures = [str(error)]
    return report(failures, directory)


def report(failures: list[str], directory: Path) -> int:
    """Print what went wrong, and keep the logs of it; returns the exit status."""
    for sentence in failures:
        say(f"  WRONG: {sentence}")
    if failures:
        say(f"  logs: {directory}")
        return 1
    shutil.rmtree(directory)
    return 0
