"""The demo page's server with its stand-ins, a fake bot process, and a reader of the page's events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from integrations.sandbox.demo import BotState, Stage, serve_page
from integrations.sandbox.github import generate_private_key
from tests.integrations.sandbox.conftest import SmallApp


@dataclass
class QuietBot:
    """A bot without a process: it returns what the test has set, and records its commands."""

    state: BotState = BotState.UP
    starts: int = 1
    two_people: bool = False
    commands: list[str] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    watchers: list[Callable[[], None]] = field(default_factory=list)

    def watch(self, watcher: Callable[[], None]) -> None:
        self.watchers.append(watcher)

    def last_log_line(self) -> str:
        return "SLACK_BOT_TOKEN is not set."

    async def start(self) -> None:
        self.set_state("start", BotState.UP)

    async def kill(self) -> None:
        self.set_state("kill", BotState.DOWN)

    async def audit_log(self) -> list[dict[str, object]]:
        return self.rows

    def set_state(self, command: str, state: BotState) -> None:
        self.commands.append(command)
        self.state = state
        for watcher in self.watchers:
            watcher()


@dataclass
class Running:
    """What the page serves; starting over takes a new stage and a new bot."""

    stage: Stage
    bot: QuietBot
    new_stage: Callable[[], Awaitable[Stage]]

    async def start_over(self) -> None:
        self.stage, self.bot = await self.new_stage(), QuietBot()

    async def set_two_people(self, *, on: bool) -> None:
        self.bot.two_people = on
        self.bot.set_state("restart", BotState.UP)


class EventReader:
    """Reads the events sent to one open page, as a browser would."""

    def __init__(self, lines: aiohttp.StreamReader) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and data."""
        name = ""
        async with asyncio.timeout(5):
            async for raw in self._lines:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    return name, json.loads(line.removeprefix("data: "))
        raise AssertionError("the server closed the page's stream")

    async def until_event(self, wanted: str) -> Any:
        """The data of the first event with this name."""
        while True:
            name, data = await self.next()
            if name == wanted:
                return data

    async def until(self, part: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first change of this part that is as wanted."""
        while True:
            _, changes = await self.next()
            if part in changes and wanted(changes[part]):
                return changes[part]


@dataclass
class DemoServer:
    """The demo page's server, and a browser's session with it."""

    running: Running
    session: aiohttp.ClientSession

    @property
    def stage(self) -> Stage:
        return self.running.stage

    @property
    def bot(self) -> QuietBot:
        return self.running.bot

    @asynccontextmanager
    async def page(self, person: str) -> AsyncIterator[tuple[dict[str, Any], EventReader]]:
        """Open a page as this person: its first state, and the reader of its changes."""
        async with self.session.get("/events", params={"as": person}) as response:
            reader = EventReader(response.content)
            name, whole = await reader.next()
            assert name == "whole"
            yield whole, reader

    async def post(self, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Post the page's JSON; returns the status and the answer. `person` goes as `as`."""
        fields["as"] = fields.pop("person", "U0SAM")
        async with self.session.post(path, json=fields) as response:
            return response.status, await response.json()


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def demo(private_key: str, small_app: SmallApp) -> AsyncIterator[DemoServer]:
    async with AsyncExitStack() as stages:

        async def new_stage() -> Stage:
            stage = await stages.enter_async_context(Stage(private_key=private_key))
            stage.slack.events_url = small_app.url
            stage.opened.set()
            return stage

        running = Running(await new_stage(), QuietBot(), new_stage)
        async with (
            serve_page(running, "127.0.0.1", 0) as address,
            aiohttp.ClientSession(base_url=address) as session,
        ):
            yield DemoServer(running, session)
