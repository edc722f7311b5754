"""Runs the measured servers, the product and its baseline, each in a process."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from tests.processes.usage import cpu_seconds, memory

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30.0
STOP_WITHIN = 15.0


class Server:
    """A process that listens on a free port; started and ended by `async with`."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        self.port = _free_port()
        self.start_time = 0.0
        """Seconds from the start of the process to its first ready answer."""
        self._words = [word.replace("PORT", str(self.port)) for word in words]
        self._environment = {"PYTHONPATH": str(ROOT), **environment}
        self._directory = directory
        self._child: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        began = time.perf_counter()
        with (self._directory / "servers.log").open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self._words,
                env=self._environment,
                cwd=self._directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._wait_until_ready(self._child)
        except BaseException:
            await self._end()
            raise
        self.start_time = time.perf_counter() - began
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def memory(self) -> float:
        """Resident memory in megabytes, from /proc."""
        assert self._child is not None
        return memory(self._child.pid)

    def cpu_seconds(self) -> float:
        """CPU time since its start."""
        assert self._child is not None
        return cpu_seconds(self._child.pid)

    async def _end(self) -> None:
        assert self._child is not None
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        try:
            await asyncio.wait_for(self._child.wait(), STOP_WITHIN)
        except TimeoutError:
            self._child.kill()
            await self._child.wait()

    async def _wait_until_ready(self, child: asyncio.subprocess.Process) -> None:
        address = f"http://127.0.0.1:{self.port}/readyz"
        async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
            while child.returncode is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(address) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.01)
        said = (self._directory / "servers.log").read_text()[-1000:]
        raise RuntimeError(f"{' '.join(self._words)} ended: {said}")


def product(environment: Mapping[str, str], directory: Path, *, role: str) -> Server:
    """`stanch serve` in one of its roles."""
    return Server(["bot", "serve", "--role", role, "--port", "PORT"], environment, directory)


def baseline(directory: Path) -> Server:
    """The baseline server, on a new database."""
    path = directory / f"baseline-{time.time_ns()}.db"
    return Server(["tests.bench.baseline", str(path), "PORT"], {}, directory)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
