"""Runs the bot in a process of its own, which can be killed and restarted."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import aiohttp

READY_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
POLL_SECONDS = 0.15
STAND_IN = re.compile(r"(?: at)? https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s\"']*")
"""The address of a stand-in in a sentence of the bot: nobody can use it."""


class BotState(StrEnum):
    """Whether the bot serves requests."""

    STARTING = "starting"
    UP = "up"
    DOWN = "down"


class CommandFailed(Exception):
    """A command of the bot exited with a status other than 0; the text is its last line."""


@dataclass(frozen=True, slots=True)
class ProcessCommand:
    """How to run the bot's commands: the leading words, the whole environment, the directory."""

    words: Sequence[str]
    environment: Mapping[str, str]
    directory: Path


class BotProcess:
    """Runs `serve` as a child process; `kill` sends SIGKILL, so that it can't clean up."""

    def __init__(self, command: ProcessCommand, port: int) -> None:
        self._command = command
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[], None]] = []
        self.address = f"http://127.0.0.1:{port}"
        # Everything before the first start counts as starting.
        self.state = BotState.STARTING
        self.starts = 0
        self.two_people = False
        """Whether it was started with the option that a report needs two people."""

    @property
    def log(self) -> Path:
        """The file with the child's output."""
        return self._command.directory / "stanch.log"

    @property
    def process_id(self) -> int | None:
        return None if self._child is None else self._child.pid

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever the state changes."""
        self._watchers.append(watcher)

    async def run(self, *words: str) -> str:
        """Run one of the bot's commands to its end and return what it printed; raises `CommandFailed`."""
        child = await asyncio.create_subprocess_exec(
            *self._command.words,
            *words,
            env=dict(self._command.environment),
            cwd=self._command.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await child.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            raise
        if child.returncode != 0:
            lines = errors.decode(errors="replace").strip().splitlines()
            raise CommandFailed(STAND_IN.sub("", lines[-1]) if lines else f"{' '.join(words)} failed")
        return output.decode()

    async def start(self) -> None:
        """Start the child and wait until it serves; `CommandFailed` if it exits or takes too long."""
        if self._child is not None:
            return
        self._set_state(BotState.STARTING)
        with self.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *self._command.words,
                "serve",
                env=dict(self._command.environment),
                cwd=self._command.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.starts += 1
        self._watch = asyncio.create_task(self._wait_for_end(self._child))
        await self._wait_until_ready(self._child)
        self._set_state(BotState.UP)

    async def kill(self) -> None:
        """Kill the child, like a power cut."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
        await self._ended()

    async def stop(self) -> None:
        """Terminate the child; kill it if it doesn't exit in time."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._child.wait()
        except TimeoutError:
            self._child.kill()
        await self._ended()

    async def audit_log(self) -> list[dict[str, object]]:
        """The rows of the bot's audit log, the oldest first."""
        lines = (await self.run("audit", "export")).splitlines()
        return [json.loads(line) for line in lines if line]

    async def _ended(self) -> None:
        if self._watch is not None:
            await asyncio.wait({self._watch})

    async def _wait_for_end(self, child: asyncio.subprocess.Process) -> None:
        await child.wait()
        self._child = None
        self._set_state(BotState.DOWN)

    async def _wait_until_ready(self, child: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(READY_TIMEOUT), aiohttp.ClientSession() as session:
                while child.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with session.get(f"{self.address}/healthz") as answer:
                            if answer.status == 200:
                                return
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            await self.kill()
        raise CommandFailed(self.last_log_line() or "The bot exited before it served.")

    def last_log_line(self) -> str:
        """The last line of the child's output, without the addresses of the stand-ins."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return STAND_IN.sub("", lines[-1]) if lines else ""

    def _set_state(self, state: BotState) -> None:
        self.state = state
        for watcher in list(self._watchers):
            watcher()
