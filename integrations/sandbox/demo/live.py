"""Keeps open pages up to date: sends each one the changes that its person may see."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from integrations.sandbox.demo.faults import SWITCHES
from integrations.sandbox.demo.github_panel import GitHubPanel
from integrations.sandbox.demo.process import BotState
from integrations.sandbox.demo.slack_window import SlackWindow, people
from integrations.sandbox.demo.stage import Stage
from integrations.sandbox.demo.world import DemoPerson
from integrations.sandbox.slack import Json, SlackChange

COLLECT_SECONDS = 0.03


class BotControls(Protocol):
    """What the page needs of the bot's process."""

    state: BotState
    starts: int
    two_people: bool

    def watch(self, watcher: Callable[[], None]) -> None: ...
    def last_log_line(self) -> str: ...
    async def start(self) -> None: ...
    async def kill(self) -> None: ...
    async def audit_log(self) -> list[dict[str, object]]: ...


class RunningDemo(Protocol):
    """The stand-ins and the bot of the page, until they are replaced by new ones."""

    @property
    def stage(self) -> Stage: ...
    @property
    def bot(self) -> BotControls: ...
    async def start_over(self) -> None: ...
    async def set_two_people(self, *, on: bool) -> None: ...


@dataclass(slots=True, eq=False)
class OpenPage:
    """One open page: its person, and the changes not sent to it yet."""

    window: SlackWindow
    news: asyncio.Event = field(default_factory=asyncio.Event)
    messages: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Channel and ts of changed messages; True if it is new in the channel."""
    alerts: dict[str, Json | None] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    """The changed parts, which are sent whole."""
    over: bool = False
    """Whether the demo starts over: the page has to be loaded again."""

    def note(self, part: str) -> None:
        self.parts.add(part)
        self.news.set()


class Live:
    """Watches both stand-ins and the bot's process for all pages."""

    def __init__(self, stage: Stage, bot: BotControls) -> None:
        self.panel = GitHubPanel(stage)
        self._stage = stage
        self._bot = bot
        self._pages: set[OpenPage] = set()
        self._github_changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._sent_alerts: dict[str, Json] = {}
        self._sent_overview: Json = {}

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        self._bot.watch(self._note_bot)
        self._note_bot()
        unwatch = self._stage.github.watch(lambda change: self._github_changed.set())
        subscription = self._stage.slack.subscribe()
        tasks = [
            asyncio.create_task(self._follow_slack(subscription)),
            asyncio.create_task(self._follow_github()),
            asyncio.create_task(self._follow_opening()),
        ]
        try:
            yield
        finally:
            unwatch()
            subscription.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def end_pages(self) -> None:
        """Have every open page loaded again."""
        for page in self._pages:
            page.over = True
            page.news.set()

    async def until_settled(self, seconds: float) -> None:
        """Wait while the bot starts, at most this long. A bot that is down is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled.wait()

    @contextlib.contextmanager
    def page(self, person: DemoPerson) -> Iterator[OpenPage]:
        """A page that is open while the block runs."""
        page = OpenPage(SlackWindow(self._stage.slack, person))
        self._pages.add(page)
        try:
            yield page
        finally:
            self._pages.discard(page)

    def resend_part(self, part: str) -> None:
        """Have a part sent to every page."""
        for page in self._pages:
            page.note(part)

    def check_github(self) -> None:
        """Look for changes on GitHub, because some are not reported."""
        self._github_changed.set()

    def whole(self, page: OpenPage) -> Json:
        """The full state, with which a page starts."""
        person = page.window.person
        parts = ("channels", "views", "github", "switches", "bot")
        return {
            "me": person.slack_id,
            "people": people(self._stage.slack),
            "messages": page.window.history(),
            "alerts": self.panel.alerts(),
            "github_url": self._stage.github.url,
            **{part: self._part(page, part) for part in parts},
        }

    async def changes(self, page: OpenPage) -> Json:
        """Wait for a change, collect more for a moment, and return them."""
        await page.news.wait()
        await asyncio.sleep(COLLECT_SECONDS)
        page.news.clear()
        messages, page.messages = page.messages, {}
        alerts, page.alerts = page.alerts, {}
        parts, page.parts = page.parts, set()
        changed: Json = {part: self._part(page, part) for part in parts}
        if messages:
            changed["messages"] = []
            changed["gone"] = []
            for (channel, ts), is_new in messages.items():
                found = page.window.find(channel, ts)
                if found is None:
                    changed["gone"].append({"channel": channel, "ts": ts})
                else:
                    changed["messages"].append({**page.window.message(found), "new": is_new})
        if alerts:
            changed["alerts"] = alerts
        return changed

    def _part(self, page: OpenPage, part: str) -> object:
        match part:
            case "channels":
                return page.window.channels()
            case "views":
                return page.window.views()
            case "github":
                return self.panel.overview()
            case "switches":
                on = self._stage.switches.is_on
                return [
                    {"id": s.id, "side": s.side, "name": s.name, "meaning": s.meaning, "on": on(s)}
                    for s in SWITCHES
                ]
            case "bot":
                line = self._bot.last_log_line() if self._bot.state is BotState.DOWN else ""
                return {
                    "state": self._bot_state(),
                    "starts": self._bot.starts,
                    "two_people": self._bot.two_people,
                    "last_log_line": line,
                }
        raise AssertionError(part)

    def _bot_state(self) -> BotState:
        """The bot's state; until the stage is open it is still starting, although it serves."""
        is_open = self._stage.opened.is_set()
        return BotState.STARTING if self._bot.state is BotState.UP and not is_open else self._bot.state

    def _note_bot(self) -> None:
        if self._bot_state() is BotState.STARTING:
            self._settled.clear()
        else:
            self._settled.set()
        self.resend_part("bot")

    async def _follow_opening(self) -> None:
        await self._stage.opened.wait()
        self._note_bot()

    async def _follow_slack(self, changes: AsyncIterator[SlackChange]) -> None:
        async for change in changes:
            for page in self._pages:
                self._note_slack(page, change)

    def _note_slack(self, page: OpenPage, change: SlackChange) -> None:
        if change.user not in (None, page.window.person.slack_id):
            return
        if change.channel is None or change.ts is None:
            page.note("views")
        elif page.window.sees(change.channel):
            key = (change.channel, change.ts)
            is_new = change.kind in ("message_posted", "ephemeral")
            page.messages[key] = page.messages.get(key, False) or is_new
            page.news.set()
            if is_new and self._stage.slack.workspace.channels[change.channel].is_im:
                # The first direct message brings its channel with it.
                page.note("channels")

    async def _follow_github(self) -> None:
        self._sent_alerts, self._sent_overview = self.panel.alerts(), self.panel.overview()
        while True:
            await self._github_changed.wait()
            await asyncio.sleep(COLLECT_SECONDS)
            self._github_changed.clear()
            alerts, overview = self.panel.alerts(), self.panel.overview()
            changed = {key: alert for key, alert in alerts.items() if alert != self._sent_alerts.get(key)}
            gone = {key: None for key in self._sent_alerts if key not in alerts}
            for page in self._pages if changed or gone else ():
                page.alerts |= {**changed, **gone}
                page.news.set()
            if overview != self._sent_overview:
                self.resend_part("github")
            self._sent_alerts, self._sent_overview = alerts, overview
