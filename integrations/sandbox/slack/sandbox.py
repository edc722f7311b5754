"""`SlackSandbox`: workspace, gestures, deliveries and server in one object with a start and a stop."""

import re
import secrets
import time
from collections.abc import Callable, Collection
from typing import Self

from aiohttp import web

from integrations.sandbox.faults import PlannedFault
from integrations.sandbox.slack.app_events import AppEvents
from integrations.sandbox.slack.app_pages import AppPages
from integrations.sandbox.slack.calls import RecordedCall
from integrations.sandbox.slack.checks import Checker
from integrations.sandbox.slack.feed import Feed
from integrations.sandbox.slack.message_gestures import MessageGestures
from integrations.sandbox.slack.methods import DEFAULT_SCOPES
from integrations.sandbox.slack.modals import Modals
from integrations.sandbox.slack.records import App
from integrations.sandbox.slack.response_urls import ResponseUrls
from integrations.sandbox.slack.sender import Sender
from integrations.sandbox.slack.server import SlackServer
from integrations.sandbox.slack.socket_mode import SocketTransport
from integrations.sandbox.slack.tickets import Tickets
from integrations.sandbox.slack.transport import HttpTransport
from integrations.sandbox.slack.triggers import Triggers
from integrations.sandbox.slack.view_gestures import ViewGestures
from integrations.sandbox.slack.viewer import Viewer
from integrations.sandbox.slack.workspace import SlackWorkspace
from integrations.sandbox.slack.world import SlackWorld

SHUTDOWN_SECONDS = 1.0


class SlackSandbox:
    """A stand-in Slack on 127.0.0.1 or `host`; see the package's docstring for its use.

    `now` is the time in seconds since the epoch; triggers, response URLs and signatures expire by it.
    `answer_timeout` is in real seconds. `check_blocks=False` accepts every message: for benchmarks only.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        events_url: str = "",
        scopes: Collection[str] = DEFAULT_SCOPES,
        check_blocks: bool = True,
        answer_timeout: float = 3.0,
        host: str = "127.0.0.1",
    ) -> None:
        app = new_app()
        workspace = SlackWorkspace(app, now, Feed())
        tickets = Tickets(app, lambda: self.origin)
        checker = Checker(on=check_blocks)
        self.world = SlackWorld(
            app, now, set(scopes), workspace, Modals(workspace), Triggers(now), tickets, checker
        )
        self.workspace = workspace
        self.events_url = events_url
        self.origin = ""
        self._host = host
        self.hosts: dict[str, str] = {}
        """Where a public origin is reached really: `{"https://stanch.example.com": "http://127.0.0.1:3000"}`."""
        self.http = HttpTransport(
            app=app, url=lambda: self.events_url, now=now, timeout=answer_timeout, hosts=self.hosts
        )
        self.socket = SocketTransport(tickets, self.world.violations, app, timeout=answer_timeout)
        self.sender = Sender(self.http)
        self.deliveries = self.sender.results
        self.response_urls = ResponseUrls(self.world, lambda: self.origin)
        pages = AppPages(self.world, self.sender, self.socket, self._use_url)
        self.invite = pages.invite
        self._server = SlackServer(self.world, self.response_urls, self.socket, pages)
        self.faults = self._server.faults
        self.requests = self._server.requests
        self.unexpected = self._server.unexpected
        self._runner: web.AppRunner | None = None
        self._offer_message_gestures(MessageGestures(self.world, self.sender, self.response_urls))
        self._offer_view_gestures(ViewGestures(self.world, self.sender))
        self._offer_events(AppEvents(self.world, self.sender))
        self._offer_viewer(Viewer(self.world))

    # The parts' methods, offered here so that tests and the demo can write `slack.click(…)`.

    def _offer_message_gestures(self, gestures: MessageGestures) -> None:
        self.click = gestures.click
        self.select = gestures.select
        self.tick = gestures.tick
        self.command = gestures.command
        self.message_shortcut = gestures.message_shortcut
        self.global_shortcut = gestures.global_shortcut

    def _offer_view_gestures(self, gestures: ViewGestures) -> None:
        self.click_in_view = gestures.click_in_view
        self.select_in_view = gestures.select_in_view
        self.tick_in_view = gestures.tick_in_view
        self.submit = gestures.submit
        self.close_view = gestures.close_view

    def _offer_events(self, events: AppEvents) -> None:
        self.send = self.sender.send
        self.event = events.event
        self.verify_url = events.verify_url
        self.open_home = events.open_home
        self.share_channel = events.share_channel
        self.deliver = events.deliver
        self.resend = events.resend

    def _offer_viewer(self, viewer: Viewer) -> None:
        self.message = viewer.message
        self.channel_messages = viewer.channel_messages
        self.thread = viewer.thread
        self.cards = viewer.cards
        self.private_messages = viewer.private_messages
        self.push_previews = viewer.push_previews
        self.view = viewer.view
        self.views = viewer.views
        self.home = viewer.home
        self.subscribe = viewer.subscribe

    # What the app's settings need, and what it did wrong

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def bot_token(self) -> str:
        return self.world.app.bot_token

    @property
    def app_token(self) -> str:
        return self.world.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.world.app.signing_secret

    @property
    def team_id(self) -> str:
        return self.world.app.team_id

    @property
    def app_id(self) -> str:
        return self.world.app.app_id

    @property
    def bot_id(self) -> str:
        return self.world.app.bot_id

    @property
    def bot_user_id(self) -> str:
        return self.world.app.bot_user_id

    @property
    def scopes(self) -> set[str]:
        return self.world.scopes

    @property
    def violations(self) -> list[str]:
        """Calls and answers of the app that Slack refuses, each with its reason."""
        return self.world.violations

    @property
    def hygiene(self) -> list[str]:
        """What the app sent although Slack's rules allow it and ours don't; see `hygiene`."""
        return self.world.hygiene

    @property
    def complaints(self) -> list[str]:
        """All that the app must not have sent: `violations`, `hygiene` and `unexpected`."""
        return [*self.violations, *self.hygiene, *self.unexpected]

    # Behaviour

    @property
    def enforce_rate_limits(self) -> bool:
        """Whether calls beyond Slack's rate limits are answered 429; off at first."""
        return self.world.enforce_rate_limits

    @enforce_rate_limits.setter
    def enforce_rate_limits(self, on: bool) -> None:
        self.world.enforce_rate_limits = on

    def use_socket_mode(self) -> None:
        """Turn Socket Mode on: from now on deliveries go over the app's connections."""
        self.world.tickets.on = True
        self.sender.transport = self.socket

    def _use_url(self, request_url: str) -> None:
        self.events_url = request_url

    def add_app_elsewhere(self, team_id: str = "T0ELSEWHERE") -> App:
        """Another app, installed in another workspace; its tokens are good for `auth.test` and connections."""
        self.workspace.add_team(team_id, name="Another workspace")
        return self.world.add_elsewhere(team_id)

    async def use_http(self) -> None:
        """Turn Socket Mode off: its connections end, and deliveries go to `events_url`."""
        self.sender.transport = self.http
        await self.socket.disconnect("link_disabled")

    def calls(self, method: str) -> list[RecordedCall]:
        """The calls of one method, in order; `response_url` for posts to response URLs."""
        return [call for call in self.requests if call.method == method]

    def rate_limit(self, method: str, *, retry_after: int = 1, times: int | None = 1) -> PlannedFault:
        """Answer the next calls of a method with 429 and `Retry-After` (seconds); `faults.remove` ends it."""
        body = {"ok": False, "error": "ratelimited"}
        headers = {"Retry-After": str(retry_after)}
        return self.faults.add(re.escape(method), times=times, status=429, headers=headers, body=body)

    def fail(self, method: str, error: str, *, times: int | None = 1) -> PlannedFault:
        """Answer the next calls of a method with one of Slack's errors, without effect."""
        return self.faults.add(re.escape(method), times=times, status=200, body={"ok": False, "error": error})

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one."""
        self._runner = web.AppRunner(
            self._server.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, port).start()
        host, listening = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{listening}"
        await self.http.open()

    async def stop(self) -> None:
        """End hanging calls and subscriptions, close all connections, stop listening."""
        self.faults.stop()
        self.workspace.feed.close()
        await self.socket.close()
        await self.http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()


def new_app() -> App:
    """The app under test, with fresh tokens."""
    return App(
        team_id="T0STANCH",
        team_domain="stanch-sandbox",
        app_id="A0STANCH",
        bot_id="B0STANCH",
        bot_user_id="U0STANCH",
        bot_token="xoxb-" + secrets.token_hex(16),
        app_token="xapp-1-A0STANCH-" + secrets.token_hex(16),
        signing_secret=secrets.token_hex(16),
    )
