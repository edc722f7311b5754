"""What the app gets over Socket Mode from the stand-in Slack, and what comes of its acknowledgements."""

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
class Line:
    """The app's end of one connection: keeps what comes, and answers what the test says."""

    socket: aiohttp.ClientWebSocketResponse
    frames: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    silent: int = 0
    """How many envelopes it leaves unanswered."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Task[None] | None = None

    async def read(self) -> None:
        async for message in self.socket:
            frame = json.loads(message.data)
            self.frames.append(frame)
            self.came.set()
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
        """Wait until so many frames have come."""
        async with asyncio.timeout(5):
            while len(self.frames) < frames:
                self.came.clear()
                await self.came.wait()

    async def end(self) -> None:
        """Wait until the other side has ended it."""
        assert self.reading is not None
        await asyncio.wait_for(self.reading, 5)


@dataclass
class Lines:
    """An app that opens connections when it is told to."""

    slack: SlackSandbox
    session: aiohttp.ClientSession
    lines: list[Line] = field(default_factory=list)

    async def ask(self, token: str | None = None) -> str:
        client = AsyncWebClient(base_url=self.slack.api_url, retry_handlers=[])
        answer = await client.apps_connections_open(app_token=token or self.slack.app_token)
        return str(answer["url"])

    async def open(self) -> Line:
        line = Line(await self.session.ws_connect(await self.ask()))
        line.reading = asyncio.create_task(line.read())
        self.lines.append(line)
        await line.wait(frames=1)
        return line


@pytest.fixture
async def slack(time: Time) -> AsyncIterator[SlackSandbox]:
    """A workspace with Olga in #security; the app uses Socket Mode, and has half a second to answer."""
    async with SlackSandbox(now=time, answer_timeout=0.5) as sandbox:
        sandbox.workspace.add_user("U0OLGA", name="olga")
        sandbox.workspace.add_channel("C0SEC", name="security", members=["U0OLGA"])
        sandbox.use_socket_mode()
        yield sandbox


@pytest.fixture
async def app(slack: SlackSandbox) -> AsyncIterator[Lines]:
    async with aiohttp.ClientSession() as session:
        lines = Lines(slack, session)
        yield lines
        for line in lines.lines:
            assert line.reading is not None
            line.reading.cancel()
            await asyncio.gather(line.reading, return_exceptions=True)
            await line.socket.close()


async def card(api: AsyncWebClient) -> str:
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=CARD, **QUIET)
    return str(posted["ts"])


async def form(slack: SlackSandbox, api: AsyncWebClient) -> str:
    """Open the form in front of Olga, and return its id."""
    trigger = slack.world.triggers.make("U0OLGA")
    return str((await api.views_open(trigger_id=trigger, view=FORM))["view"]["id"])


FILLED: dict[str, dict[str, str | list[str] | None]] = {
    "comment": {"comment": "this"},
    "sure": {"understood": ["yes"]},
}


async def test_only_the_app_level_token_opens_a_connection(slack: SlackSandbox, app: Lines) -> None:
    for token, word in ((slack.bot_token, "not_allowed_token_type"), ("xapp-1", "invalid_auth")):
        with pytest.raises(SlackApiError, match=word):
            await app.ask(token)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(slack.app_token, base_url=slack.api_url).auth_test()
    slack.world.tickets.scopes.clear()
    with pytest.raises(SlackApiError, match="missing_scope"):
        await app.ask()


async def test_a_ticket_is_good_for_one_connection(slack: SlackSandbox, app: Lines) -> None:
    url = await app.ask()
    assert url.startswith("ws://127.0.0.1:")
    async with app.session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await app.session.ws_connect(url)


async def test_slack_says_hello_first(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    await slack.socket.read_up()
    hello = line.frames[0]
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": slack.app_id}


async def test_a_click_comes_in_an_envelope_that_takes_no_answer(
    slack: SlackSandbox, app: Lines, api: AsyncWebClient
) -> None:
    line = await app.open()
    ts = await card(api)
    result = await slack.click("U0OLGA", "C0SEC", ts, "take")
    [envelope] = line.envelopes
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", False)
    assert envelope["payload"] == result.payload
    assert "retry_attempt" not in envelope
    assert (result.status, result.error, result.body, result.request) == (200, None, "", None)
    line.answer = {"payload": {"text": "hello"}}
    await slack.click("U0OLGA", "C0SEC", ts, "take")
    assert slack.violations == ["socket: a payload for an envelope that takes none"]


async def test_a_command_takes_its_answer_with_the_acknowledgement(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    line.answer = {"payload": {"text": "No alerts", "blocks": [section("*No alerts*")]}}
    result = await slack.command("U0OLGA", "C0SEC", "list")
    assert result.json()["text"] == "No alerts"
    [envelope] = line.envelopes
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert (envelope["payload"]["command"], envelope["payload"]["text"]) == ("/leaks", "list")
    assert [m.shown_text for m in slack.private_messages("U0OLGA")] == ["*No alerts*"]


async def test_a_submit_is_answered_with_errors_and_then_with_nothing(
    slack: SlackSandbox, app: Lines, api: AsyncWebClient
) -> None:
    line = await app.open()
    view = await form(slack, api)
    line.answer = {"payload": {"response_action": "errors", "errors": {"comment": "Not this"}}}
    refused = await slack.submit("U0OLGA", view, FILLED)
    assert refused.view_errors == {"comment": "Not this"}
    assert line.envelopes[-1]["accepts_response_payload"]
    line.answer = {}
    await slack.submit("U0OLGA", view, FILLED)
    assert slack.view("U0OLGA") is None
    assert slack.violations == []


async def test_a_person_sees_an_error_where_no_acknowledgement_comes(slack: SlackSandbox, app: Lines) -> None:
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "dispatch_failed"
    line = await app.open()
    line.silent = 1
    late = await slack.command("U0OLGA", "C0SEC", "list")
    assert (late.status, late.error) == (None, "operation_timeout")
    assert 0.4 < late.elapsed < 2
    assert len(line.envelopes) == 1


async def test_an_event_without_acknowledgement_comes_again_and_says_so(
    slack: SlackSandbox, app: Lines
) -> None:
    line = await app.open()
    line.silent = 1
    result = await slack.event({"type": "channel_shared", "channel": "C0SEC"})
    first, second = line.envelopes
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["payload"] == second["payload"]
    assert first["envelope_id"] != second["envelope_id"]
    assert (result.status, result.error) == (200, None)


async def test_a_payload_goes_to_any_of_ten_connections(slack: SlackSandbox, app: Lines) -> None:
    lines = [await app.open() for _ in range(10)]
    assert lines[-1].frames[0]["num_connections"] == 10
    for _ in range(20):
        await slack.event({"type": "emoji_changed"})
    assert all(len(line.envelopes) == 2 for line in lines)
    async with app.session.ws_connect(await app.ask()) as one_too_many:
        assert (await one_too_many.receive_json())["reason"] == "too_many_websockets"
        assert (await one_too_many.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_connection_that_is_told_to_go_gets_nothing_new(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    await slack.socket.disconnect("refresh_requested", closes_after=0.1)
    assert (await slack.event({"type": "emoji_changed"})).error == "dispatch_failed"
    await line.end()
    assert line.frames[-1]["type"] == "disconnect"
    assert line.frames[-1]["reason"] == "refresh_requested"


async def test_an_acknowledgement_counts_over_the_next_connection_too(
    slack: SlackSandbox, app: Lines
) -> None:
    first = await app.open()
    first.silent = 1
    gesture = asyncio.create_task(slack.command("U0OLGA", "C0SEC", "list"))
    await first.wait(frames=2)
    second = await app.open()
    await second.socket.send_json({"envelope_id": first.envelopes[0]["envelope_id"]})
    assert (await gesture).status == 200


async def test_a_frozen_connection_is_open_and_silent(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    slack.socket.freeze()
    await line.socket.ping(b"anybody?")
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "operation_timeout"
    assert line.envelopes == []
    assert not line.socket.closed


async def test_a_connection_can_break_in_the_middle(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    slack.socket.drop()
    await line.end()
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "dispatch_failed"


async def test_asking_for_an_address_can_fail(slack: SlackSandbox, app: Lines) -> None:
    slack.rate_limit("apps.connections.open", retry_after=7)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await app.ask()
    slack.fail("apps.connections.open", "internal_error")
    with pytest.raises(SlackApiError, match="internal_error"):
        await app.ask()
    slack.faults.add("link", times=1, status=503)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await app.session.ws_connect(await app.ask())
    await app.open()


async def test_http_and_socket_mode_exclude_each_other(
    slack: SlackSandbox, app: Lines, small_app: SmallApp
) -> None:
    slack.events_url = small_app.url
    line = await app.open()
    await slack.command("U0OLGA", "C0SEC", "list")
    assert small_app.received == []
    with pytest.raises(ImpossibleGesture):
        await slack.verify_url()
    await slack.use_http()
    await line.end()
    assert line.frames[-1]["reason"] == "link_disabled"
    await slack.command("U0OLGA", "C0SEC", "list")
    assert len(small_app.received) == len(line.envelopes) == 1
    with pytest.raises(SlackApiError, match="forbidden_team"):
        await app.ask()


async def test_a_frame_that_is_no_acknowledgement_is_a_violation(slack: SlackSandbox, app: Lines) -> None:
    line = await app.open()
    await line.socket.send_str("[")
    await line.socket.send_str('{"type": "message"}')
    await line.socket.send_json({"envelope_id": "nobody's"})
    await slack.event({"type": "emoji_changed"})
    assert slack.violations == ["socket: a frame that is no acknowledgement"] * 2


async def test_slacks_own_framework_takes_it_for_slack(slack: SlackSandbox, api: AsyncWebClient) -> None:
    async def help_them(ack: Any) -> None:
        await ack(text="Ask away")

    bolt = AsyncApp(client=api, signing_secret="not used")
    bolt.command("/leaks")(help_them)
    handler = AsyncSocketModeHandler(bolt, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # As the SDK has it.
    result = await slack.command("U0OLGA", "C0SEC", "help")
    assert (result.status, result.json()) == (200, {"text": "Ask away"})
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["Ask away"]
    await slack.socket.disconnect("warning")
    await slack.socket.connected(opened=2)
    assert (await slack.command("U0OLGA", "C0SEC", "help")).status == 200
    await handler.close_async()  # type: ignore[no-untyped-call]  # As the SDK has it.
    assert slack.violations == []
