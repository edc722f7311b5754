"""Runs and kills the bot as a child process."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.processes.forked import Forked, fork
from tests.processes.waiting import until

ROOT = Path(__file__).resolve().parents[2]
READ_BEFORE = {"PYTHONPATH", "SSL_CERT_FILE"}
"""What Python and aiohttp read while they are imported, so a process with one of these is not forked but executed."""
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
}
"""Of each process: where Python finds Stanch, and what `make coverage` sets, so that processes are measured too."""
LOOPBACK = "127.0.0.1"
READY_WITHIN = 40.0
SERVING = re.compile(r"\bserving\b.*\bport(?:\": |=)(\d+)|\bport\": (\d+).*\bserving\b")
"""In the log's event, in either format."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    errors: str

    @property
    def sentence(self) -> str:
        """The only line on standard error; AssertionError where it is another number of lines."""
        lines = self.errors.strip().splitlines()
        assert len(lines) == 1, f"not one sentence: {self.errors}"
        return lines[0]


async def run_command(
    environment: Mapping[str, str], directory: Path, *words: str, within: float = 30.0
) -> Ended:
    """Run `stanch WORDS` to its end, with this environment and no other, in this directory."""
    with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as errors:
        child = await start_command(environment, directory, words, Path(output.name), Path(errors.name))
        try:
            async with asyncio.timeout(within):
                status = await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return Ended(status, output.read(), errors.read())


class Bot:
    """`stanch serve` on one database, which can be stopped and started again.

    Each start takes a free port and a log file of its own. `namespace` is the network namespace that it runs in, as
    `ip netns` names it, and `host` the address that it listens on there.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        directory: Path,
        *,
        role: str = "all",
        host: str = LOOPBACK,
        namespace: str | None = None,
    ) -> None:
        self.environment = dict(environment) if host == LOOPBACK else {**environment, "HOST": host}
        self._host = host
        self._namespace = namespace
        self.role = role
        self.port = 0
        self.starts = 0
        self._directory = directory
        self._child: Forked | asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def log(self) -> Path:
        return self._directory / f"{self.role}-{id(self):x}-{self.starts}.log"

    @property
    def runs(self) -> bool:
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def start(self, *, within: float = READY_WITHIN) -> float:
        """Start it and wait until `/readyz` answers; returns the seconds that took."""
        assert not self.runs
        self.starts += 1
        began = time.monotonic()
        words = ("serve", "--role", self.role, "--port", "0")
        self._child = await start_command(
            self.environment, self._directory, words, self.log, self.log, namespace=self._namespace
        )
        self.port = await until(self._logged_port, "serving", within=within)
        await until(self.readiness, "readyz answers", within=within)
        return time.monotonic() - began

    async def readiness(self) -> dict[str, Any]:
        """What `/readyz` says; empty where it does not answer 200."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.address}/readyz") as answer,
            ):
                return dict(await answer.json()) if answer.status == 200 else {}
        except aiohttp.ClientError:
            return {}

    async def kill(self) -> None:
        """`kill -9`: nothing of the process has a say in it."""
        assert self._child is not None
        self._child.kill()
        await self._child.wait()

    async def abort(self) -> bytes:
        """SIGABRT, at which Python prints where it was if PYTHONFAULTHANDLER is set; returns what it printed."""
        assert self._child is not None
        before = self.log.stat().st_size
        self._child.send_signal(signal.SIGABRT)
        await self._child.wait()
        return self.log.read_bytes()[before:]

    def pause(self) -> None:
        """SIGSTOP: the process stands still, its connections stay open."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: the process goes on where it stood."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    async def stop(self, *, within: float = 15.0) -> int:
        """SIGTERM; returns the exit status."""
        assert self._child is not None
        self._child.terminate()
        async with asyncio.timeout(within):
            return await self._child.wait()

    def log_lines(self) -> list[dict[str, Any]]:
        """The events of the present log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    @property
    def version(self) -> object:
        """The version that it says it is; None before it serves."""
        said = [line["version"] for line in self.log_lines() if line["event"] == "serving"]
        return said[0] if said else None

    def _logged_port(self) -> int:
        if not self.runs:
            raise RuntimeError(f"it ended instead: {self.log.read_text(errors='replace')[-2000:]}")
        found = SERVING.search(self.log.read_text(errors="replace"))
        return int(found[1] or found[2]) if found else 0


async def start_command(
    environment: Mapping[str, str],
    directory: Path,
    words: tuple[str, ...],
    output: Path,
    errors: Path,
    *,
    namespace: str | None = None,
) -> Forked | asyncio.subprocess.Process:
    """Start `stanch WORDS` with this environment and no other, in this directory; it appends to the two files.

    It is forked, or executed where Python has to start anew: coverage leaves no figures of forked processes.
    """
    can_fork = namespace is None and "COVERAGE_PROCESS_START" not in ENVIRONMENT
    if can_fork and not READ_BEFORE & environment.keys():
        return fork(environment, directory, words, output, errors)
    prefix = () if namespace is None else (str(shutil.which("ip")), "netns", "exec", namespace)
    with output.open("ab") as to_output, errors.open("ab") as to_errors:
        return await asyncio.create_subprocess_exec(
            *(*prefix, sys.executable, "-m", "bot", *words),
            env={**ENVIRONMENT, **environment},
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=to_output,
            stderr=to_errors,
        )
