"""Socket Mode: connections that the app opens, deliveries as envelopes over them, and their troubles on request."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import WSMessage, WSMsgType, web

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import JSON_TYPE
from integrations.sandbox.slack.tickets import Tickets
from integrations.sandbox.slack.transport import DeliveryResult, SlackDelivery

# Slack's docs: an app has at most ten connections, and a payload goes to any one of them.
WAIT_SECONDS = 5.0
MOST_LINKS = 10
HOST = "applink-sandbox"
PING = b"Ping from " + HOST.encode()
Reason = Literal["warning", "refresh_requested", "link_disabled"]


@dataclass(slots=True, eq=False)
class Link:
    """One connection. `frozen`: open, and silent for ever; `leaving`: told to go, it gets nothing new."""

    request: web.Request
    socket: web.WebSocketResponse
    frozen: bool = False
    leaving: bool = False
    pong: asyncio.Event = field(default_factory=asyncio.Event)
    """The last ping is answered."""

    async def tell(self, frame: Json) -> None:
        if not self.frozen:
            await self.socket.send_str(json.dumps(frame))


@dataclass(slots=True, eq=False)
class _Waiting:
    """An envelope on its way: whether it takes a payload, and the acknowledgement to come."""

    takes_payload: bool
    answer: asyncio.Future[Json]


class SocketTransport:
    """Sends envelopes over the app's connections.

    An acknowledgement counts over whichever connection it comes: Slack's own SDK sends it over the next one
    where the first is gone. `timeout` is in real seconds.
    """

    def __init__(self, tickets: Tickets, violations: list[str], *, app_id: str, timeout: float) -> None:
        self.links: list[Link] = []
        self.opened = 0
        """How many connections there ever were."""
        self._tickets = tickets
        self._violations = violations
        self._app_id = app_id
        self._timeout = timeout
        self._turn = 0
        self._waiting: dict[str, _Waiting] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def usable(self) -> list[Link]:
        """The connections that are neither frozen nor told to go."""
        return [link for link in self.links if not (link.frozen or link.leaving)]

    @property
    def underway(self) -> int:
        """How many envelopes wait for their acknowledgement."""
        return len(self._waiting)

    async def connected(self, opened: int = 1) -> None:
        """Wait until one can be used, and so many were opened in all; `TimeoutError` after five seconds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.usable or self.opened < opened:
                self._changed.clear()
                await self._changed.wait()

    async def read_up(self) -> None:
        """Wait until the app has read what was sent so far: pings come after it."""
        async with asyncio.timeout(WAIT_SECONDS):
            for link in self.usable:
                link.pong.clear()
                await link.socket.ping(PING)
                await link.pong.wait()

    # Troubles

    def drop(self) -> None:
        """Cut all connections, without a word."""
        for link in self.links:
            if link.request.transport is not None:
                link.request.transport.abort()

    def freeze(self) -> None:
        """Leave all connections open and hear and say nothing over them any more, not even pongs."""
        for link in self.links:
            link.frozen = True

    async def disconnect(self, reason: Reason = "refresh_requested", *, closes_after: float = 10.0) -> None:
        """Tell all connections to go, and close them some seconds later.

        `link_disabled` is what comes when somebody turns Socket Mode off: they are closed at once.
        """
        if reason == "link_disabled":
            self._tickets.on, closes_after = False, 0.0
        for link in self.links:
            link.leaving = True
            with contextlib.suppress(ConnectionError):
                await link.tell({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}})
            closing = asyncio.create_task(self._close_later(link, closes_after))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """The stand-in is going down."""
        for closing in self._closing:
            closing.cancel()
        self.drop()

    # Connections

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`GET /link/`: one connection, from its ticket to its end."""
        if not self._tickets.redeem(request.query.get("ticket", "")):
            return web.Response(status=400, text="no such ticket")
        # Pings are answered below, since a frozen connection must not.
        socket = web.WebSocketResponse(timeout=1.0, autoping=False)
        await socket.prepare(request)
        link = Link(request, socket)
        if len(self.links) >= MOST_LINKS:
            await link.tell({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.links.append(link)
        self.opened += 1
        try:
            await link.tell(self._hello())
            await socket.ping(PING)
            self._changed.set()
            async for message in socket:
                if not link.frozen:
                    await self._hear(link, message)
        except ConnectionError:
            pass
        finally:
            self.links.remove(link)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.links),
            "debug_info": {"host": HOST, "approximate_connection_time": 3600},
            "connection_info": {"app_id": self._app_id},
        }

    async def _hear(self, link: Link, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await link.socket.pong(message.data)
        elif message.type is WSMsgType.PONG:
            link.pong.set()
        elif message.type is WSMsgType.TEXT:
            self._acknowledge(message.data)

    async def _close_later(self, link: Link, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await link.socket.close()

    # Envelopes

    async def send(self, delivery: SlackDelivery) -> DeliveryResult:
        """Send one envelope and wait for its acknowledgement.

        Slack's docs: an event without one is sent again, and says so; a person sees an error instead. Of the
        repeats only the first is sent here, which comes at once.
        """
        result = await self._send(delivery, delivery.retry)
        if delivery.kind == "events_api" and delivery.retry is None and result.error == "operation_timeout":
            result = await self._send(delivery, (1, "timeout"))
        return result

    async def _send(self, delivery: SlackDelivery, retry: tuple[int, str] | None) -> DeliveryResult:
        links = [link for link in self.links if not link.leaving]
        if not links:
            return DeliveryResult(error="dispatch_failed", payload=delivery.payload)
        self._turn += 1
        link = links[self._turn % len(links)]
        frame = envelope(delivery, retry)
        waiting = _Waiting(frame["accepts_response_payload"], asyncio.get_running_loop().create_future())
        self._waiting[frame["envelope_id"]] = waiting
        begun = time.perf_counter()
        answer: Json | None = None
        try:
            async with asyncio.timeout(self._timeout):
                with contextlib.suppress(ConnectionError):
                    await link.tell(frame)
                answer = await waiting.answer
        except TimeoutError:
            pass
        finally:
            del self._waiting[frame["envelope_id"]]
        elapsed = time.perf_counter() - begun
        return _result(delivery, frame, answer, elapsed)

    def _acknowledge(self, text: str) -> None:
        """Take an acknowledgement; one that comes too late, or twice, is nobody's."""
        try:
            answer = json.loads(text)
            waiting = self._waiting.get(answer["envelope_id"])
        except (ValueError, KeyError, TypeError):
            self._violations.append("socket: a frame that is no acknowledgement")
            return
        payload = answer.get("payload", {})
        if not isinstance(payload, dict):
            self._violations.append("socket: a payload that is no object")
        elif waiting is not None and not waiting.answer.done():
            if payload and not waiting.takes_payload:
                self._violations.append("socket: a payload for an envelope that takes none")
            waiting.answer.set_result(payload)


def envelope(delivery: SlackDelivery, retry: tuple[int, str] | None = None) -> Json:
    """A delivery as Socket Mode has it.

    Slack's docs: commands and submits take their answer with the acknowledgement; events alone are repeated.
    """
    kind = delivery.payload.get("type")
    frame: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": delivery.kind,
        "accepts_response_payload": delivery.kind == "slash_commands" or kind == "view_submission",
        "payload": delivery.payload,
    }
    if delivery.kind == "events_api":
        number, reason = retry or (0, "")
        frame |= {"retry_attempt": number, "retry_reason": reason}
    return frame


def _result(delivery: SlackDelivery, frame: Json, answer: Json | None, elapsed: float) -> DeliveryResult:
    """The result in HTTP's terms, so that gestures need not know how they went out."""
    if answer is None:
        return DeliveryResult(
            elapsed=elapsed, error="operation_timeout", payload=delivery.payload, envelope=frame
        )
    headers: Mapping[str, str] = {"Content-Type": JSON_TYPE} if answer else {}
    body = json.dumps(answer) if answer else ""
    return DeliveryResult(None, 200, headers, body, elapsed, payload=delivery.payload, envelope=frame)
