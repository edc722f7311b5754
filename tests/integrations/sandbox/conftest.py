"""A running stand-in Slack, a client for it, and a small app that records its deliveries."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox


@dataclass
class Time:
    """The time of a test, in seconds since the epoch; only `advance` moves it."""

    seconds: float = 1_795_488_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class SmallApp:
    """An app that records each delivery and gives the answer that the test has set."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    answer: object = None
    silent: bool = False
    late: float = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append((dict(request.headers), await request.read()))
        await asyncio.sleep(self.late)
        if self.silent and request.transport is not None:
            request.transport.abort()
        if isinstance(self.answer, str):
            return web.Response(status=self.status, text=self.answer)
        if self.answer is None:
            return web.Response(status=self.status)
        return web.json_response(self.answer, status=self.status)

    @property
    def payload(self) -> dict[str, Any]:
        """The last delivery, decoded."""
        headers, body = self.received[-1]
        if headers["Content-Type"] == "application/json":
            decoded: dict[str, Any] = json.loads(body)
            return decoded
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return json.loads(form["payload"]) if "payload" in form else form


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def small_app() -> AsyncIterator[SmallApp]:
    app = SmallApp()
    server = web.Application()
    server.router.add_post("/slack/events", app.handle)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    app.url = f"http://{host}:{port}/slack/events"
    yield app
    await runner.cleanup()


@pytest.fixture
async def slack(time: Time, small_app: SmallApp) -> AsyncIterator[SlackSandbox]:
    """A workspace with Olga and Rene in #security; Xena of another organization is in C0PART."""
    async with SlackSandbox(now=time, events_url=small_app.url) as sandbox:
        workspace = sandbox.workspace
        workspace.add_user("U0OLGA", name="olga", email="olga@example.com")
        workspace.add_user("U0RENE", name="rene")
        workspace.add_team("T0OTHER", domain="other")
        workspace.add_user("U0XENA", name="xena", team_id="T0OTHER")
        workspace.add_channel("C0SEC", name="security", members=["U0OLGA", "U0RENE"])
        workspace.add_channel("C0PART", members=["U0OLGA", "U0XENA"], is_ext_shared=True)
        yield sandbox


@pytest.fixture
async def api(slack: SlackSandbox) -> AsyncWebClient:
    """Slack's Python client, without retries."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
