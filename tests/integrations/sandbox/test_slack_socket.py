"""Socket Mode of the stand-in Slack: envelopes, acknowledgements and connection faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import ImpossibleGesture, SlackSandbox
from tests.integrations.sandbox.conftest import SmallApp, Time
from tests.integrations.sandbox.slack_drawings import CARD, FORM, QUIET, section


@dataclass
class AppConnection:
    """The app's end of one connection: records frames, and answers as the test has set."""

    socket: aiohttp.ClientWebSocketResponse
    frames: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    silent: int = 0
    """Number of envelopes to leave unanswered."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Task[None] | None = None

    async def read(self) -> None:
        async for message in self.socket:
            frame = json.loads(message.data)
            self.frames.append(frame)
            self.arrived.set()
            if "envelope_id" not in frame:
                continue
            if self.silent:
                self.silent -= 1
                continue
            await self.socket.send_json({"envelope_id": frame["envelope_id"], **self.answer})

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if "envelope_id" in frame]

    async def wait(self, frames: int) -> None:
        """Wait for this many frames."""
        async with asyncio.timeout(5):
            while len(self.frames) < frames:
                self.arrived.clear()
                await self.arrived.wait()

    async def closed(self) -> None:
        """Wait until Slack has closed the connection."""
        assert self.reading is not None
        await asyncio.wait_for(self.reading, 5)


@dataclass
class SocketApp:
    """An app that opens connections on request."""

    slack: SlackSandbox
    session: aiohttp.ClientSession
    connections: list[AppConnection] = field(default_factory=list)

    async def new_address(self, token: str | None = None) -> str:
        client = AsyncWebClient(base_url=self.slack.api_url, retry_handlers=[])
        answer = await client.apps_connections_open(app_token=token or self.slack.app_token)
        return str(answer["url"])

    async def open(self) -> AppConnection:
        connection = AppConnection(await self.session.ws_connect(await self.new_address()))
        connection.reading = asyncio.create_task(connection.read())
        self.connections.append(connection)
        await connection.wait(frames=1)
        return connection


@pytest.fixture
async def slack(time: Time) -> AsyncIterator[SlackSandbox]:
    """A workspace with Olga in #security; the app uses Socket Mode, and has half a second to answer."""
    async with SlackSandbox(now=time, answer_timeout=0.5) as sandbox:
        sandbox.workspace.add_user("U0OLGA", name="olga")
        sandbox.workspace.add_channel("C0SEC", name="security", members=["U0OLGA"])
        sandbox.use_socket_mode()
        yield sandbox


@pytest.fixture
async def app(slack: SlackSandbox) -> AsyncIterator[SocketApp]:
    async with aiohttp.ClientSession() as session:
        app = SocketApp(slack, session)
        yield app
        for connection in app.connections:
            assert connection.reading is not None
            connection.reading.cancel()
            await asyncio.gather(connection.reading, return_exceptions=True)
            await connection.socket.close()


async def card(api: AsyncWebClient) -> str:
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=CARD, **QUIET)
    return str(posted["ts"])


async def form(slack: SlackSandbox, api: AsyncWebClient) -> str:
    """Open the form for Olga and return its id."""
    trigger = slack.world.triggers.make("U0OLGA")
    return str((await api.views_open(trigger_id=trigger, view=FORM))["view"]["id"])


FILLED: dict[str, dict[str, str | list[str] | None]] = {
    "comment": {"comment": "this"},
    "sure": {"understood": ["yes"]},
}


async def test_only_the_app_level_token_opens_a_connection(slack: SlackSandbox, app: SocketApp) -> None:
    for token, word in ((slack.bot_token, "not_allowed_token_type"), ("xapp-1", "invalid_auth")):
        with pytest.raises(SlackApiError, match=word):
            await app.new_address(token)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(slack.app_token, base_url=slack.api_url).auth_test()
    slack.world.app.app_token_scopes.clear()
    with pytest.raises(SlackApiError, match="missing_scope"):
        await app.new_address()


async def test_a_ticket_is_valid_for_one_connection(slack: SlackSandbox, app: SocketApp) -> None:
    url = await app.new_address()
    assert url.startswith("ws://127.0.0.1:")
    async with app.session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await app.session.ws_connect(url)


async def test_the_first_frame_is_hello(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    await slack.socket.read_up()
    hello = connection.frames[0]
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": slack.app_id}


async def test_the_envelope_of_a_click_accepts_no_answer(
    slack: SlackSandbox, app: SocketApp, api: AsyncWebClient
) -> None:
    connection = await app.open()
    ts = await card(api)
    result = await slack.click("U0OLGA", "C0SEC", ts, "take")
    [envelope] = connection.envelopes
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
    assert envelope["payload"] == result.payload
    assert "retry_attempt" not in envelope
    assert (result.status, result.error, result.body, result.request) == (200, None, "", None)
    connection.answer = {"payload": {"text": "hello"}}
    await slack.click("U0OLGA", "C0SEC", ts, "take")
    assert slack.violations == ["socket: a payload for an envelope that takes none"]


async def test_the_acknowledgement_of_a_command_may_hold_its_answer(
    slack: SlackSandbox, app: SocketApp
) -> None:
    connection = await app.open()
    connection.answer = {"payload": {"text": "No alerts", "blocks": [section("*No alerts*")]}}
    result = await slack.command("U0OLGA", "C0SEC", "list")
    assert result.json()["text"] == "No alerts"
    [envelope] = connection.envelopes
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert (envelope["payload"]["command"], envelope["payload"]["text"]) == ("/leaks", "list")
    assert [m.shown_text for m in slack.private_messages("U0OLGA")] == ["*No alerts*"]


async def test_a_submit_is_answered_with_errors_and_then_with_nothing(
    slack: SlackSandbox, app: SocketApp, api: AsyncWebClient
) -> None:
    connection = await app.open()
    view = await form(slack, api)
    connection.answer = {"payload": {"response_action": "errors", "errors": {"comment": "Not this"}}}
    refused = await slack.submit("U0OLGA", view, FILLED)
    assert refused.view_errors == {"comment": "Not this"}
    assert connection.envelopes[-1]["accepts_response_payload"]
    connection.answer = {}
    await slack.submit("U0OLGA", view, FILLED)
    assert slack.view("U0OLGA") is None
    assert slack.violations == []


async def test_without_acknowledgement_the_person_sees_an_error(slack: SlackSandbox, app: SocketApp) -> None:
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "dispatch_failed"
    connection = await app.open()
    connection.silent = 1
    late = await slack.command("U0OLGA", "C0SEC", "list")
    assert (late.status, late.error) == (None, "operation_timeout")
    assert 0.4 < late.elapsed < 2
    assert len(connection.envelopes) == 1


async def test_an_event_without_acknowledgement_is_retried_once(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    connection.silent = 1
    result = await slack.event({"type": "channel_shared", "channel": "C0SEC"})
    first, second = connection.envelopes
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["payload"] == second["payload"]
    assert first["envelope_id"] != second["envelope_id"]
    assert (result.status, result.error) == (200, None)


async def test_a_payload_goes_to_any_of_the_connections(slack: SlackSandbox, app: SocketApp) -> None:
    connections = [await app.open() for _ in range(10)]
    assert connections[-1].frames[0]["num_connections"] == 10
    for _ in range(20):
        await slack.event({"type": "emoji_changed"})
    assert all(len(connection.envelopes) == 2 for connection in connections)
    async with app.session.ws_connect(await app.new_address()) as one_too_many:
        assert (await one_too_many.receive_json())["reason"] == "too_many_websockets"
        assert (await one_too_many.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_leaving_connection_gets_no_new_envelopes(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    await slack.socket.disconnect("refresh_requested", closes_after=0.1)
    assert (await slack.event({"type": "emoji_changed"})).error == "dispatch_failed"
    await connection.closed()
    assert connection.frames[-1]["type"] == "disconnect"
    assert connection.frames[-1]["reason"] == "refresh_requested"


async def test_an_acknowledgement_may_come_over_the_next_connection(
    slack: SlackSandbox, app: SocketApp
) -> None:
    first = await app.open()
    first.silent = 1
    gesture = asyncio.create_task(slack.command("U0OLGA", "C0SEC", "list"))
    await first.wait(frames=2)
    second = await app.open()
    await second.socket.send_json({"envelope_id": first.envelopes[0]["envelope_id"]})
    assert (await gesture).status == 200


async def test_a_frozen_connection_is_open_and_silent(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    slack.socket.freeze()
    await connection.socket.ping(b"anybody?")
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "operation_timeout"
    assert connection.envelopes == []
    assert not connection.socket.closed


async def test_connections_can_be_cut(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    slack.socket.drop()
    await connection.closed()
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "dispatch_failed"


async def test_opening_a_connection_can_fail(slack: SlackSandbox, app: SocketApp) -> None:
    slack.rate_limit("apps.connections.open", retry_after=7)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await app.new_address()
    slack.fail("apps.connections.open", "internal_error")
    with pytest.raises(SlackApiError, match="internal_error"):
        await app.new_address()
    slack.faults.add("link", times=1, status=503)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await app.session.ws_connect(await app.new_address())
    await app.open()


async def test_http_and_socket_mode_exclude_each_other(
    slack: SlackSandbox, app: SocketApp, small_app: SmallApp
) -> None:
    slack.events_url = small_app.url
    connection = await app.open()
    await slack.command("U0OLGA", "C0SEC", "list")
    assert small_app.received == []
    with pytest.raises(ImpossibleGesture):
        await slack.verify_url()
    await slack.use_http()
    await connection.closed()
    assert connection.frames[-1]["reason"] == "link_disabled"
    await slack.command("U0OLGA", "C0SEC", "list")
    assert len(small_app.received) == len(connection.envelopes) == 1
    with pytest.raises(SlackApiError, match="forbidden_team"):
        await app.new_address()


async def test_a_frame_that_is_no_acknowledgement_is_a_violation(slack: SlackSandbox, app: SocketApp) -> None:
    connection = await app.open()
    await connection.socket.send_str("[")
    await connection.socket.send_str('{"type": "message"}')
    await connection.socket.send_json({"envelope_id": "nobody's"})
    await slack.event({"type": "emoji_changed"})
    assert slack.violations == ["socket: a frame that is no acknowledgement"] * 2


async def test_bolt_works_over_socket_mode(slack: SlackSandbox, api: AsyncWebClient) -> None:
    async def help_them(ack: Any) -> None:
        await ack(text="Ask away")

    bolt = AsyncApp(client=api, signing_secret="not used")
    bolt.command("/leaks")(help_them)
    handler = AsyncSocketModeHandler(bolt, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # The SDK has no types here.
    result = await slack.command("U0OLGA", "C0SEC", "help")
    assert (result.status, result.json()) == (200, {"text": "Ask away"})
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["Ask away"]
    await slack.socket.disconnect("warning")
    await slack.socket.connected(opened=2)
    assert (await slack.command("U0OLGA", "C0SEC", "help")).status == 200
    await handler.close_async()  # type: ignore[no-untyped-call]  # The SDK has no types here.
    assert slack.violations == []
