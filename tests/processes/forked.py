"""Starts commands in processes forked from one that has imported Stanch: a start costs a quarter of the CPU.

In all else it is a process of its own, with its own environment, directory and files, stopped and killed by signals.
"""

import asyncio
import faulthandler
import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot.__main__ import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.processes.preloaded"])


class Forked:
    """A running command; its output goes to files. Has what the tests use of `asyncio.subprocess.Process`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    async def wait(self) -> int:
        """Wait for its end; returns its exit status, or the negative number of the signal that ended it."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def fork(
    environment: Mapping[str, str],
    directory: Path,
    words: tuple[str, ...],
    output: Path,
    errors: Path,
    prepare: Callable[[], None] | None = None,
) -> Forked:
    """Start `stanch WORDS` with this environment and no other, in this directory; it appends to the two files.

    The process calls `prepare` first, and imports its module for it.
    """
    output.touch()
    errors.touch()
    process = _FORKS.Process(
        target=_run, args=(dict(environment), directory, words, output, errors, prepare), daemon=True
    )
    process.start()
    return Forked(process)


def _run(
    environment: Mapping[str, str],
    directory: Path,
    words: tuple[str, ...],
    output: Path,
    errors: Path,
    prepare: Callable[[], None] | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    for number, path, flags in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, output, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
        (2, errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), line_buffering=True)
    if environment.get("PYTHONFAULTHANDLER"):
        # As Python does at its start.
        faulthandler.enable()
    if prepare is not None:
        prepare()
    sys.argv = ["stanch", *words]
    main()
