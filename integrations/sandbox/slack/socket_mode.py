"""Socket Mode: connections that the app opens, envelopes sent over them, and connection faults."""

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
from integrations.sandbox.slack.records import App
from integrations.sandbox.slack.tickets import Tickets
from integrations.sandbox.slack.transport import DeliveryResult, SlackDelivery

WAIT_SECONDS = 5.0
# Slack's docs: an app has at most ten connections, and a payload goes to any one of them.
MOST_LINKS = 10
HOST = "applink-sandbox"
PING = b"Ping from " + HOST.encode()
Reason = Literal["warning", "refresh_requested", "link_disabled"]


@dataclass(slots=True, eq=False)
class Link:
    """One connection. `frozen`: open, but nothing is sent or read. `leaving`: it gets no new envelopes."""

    request: web.Request
    socket: web.WebSocketResponse
    frozen: bool = False
    leaving: bool = False
    pong: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last ping was answered."""

    async def send(self, frame: Json) -> None:
        if not self.frozen:
            await self.socket.send_str(json.dumps(frame))


@dataclass(slots=True, eq=False)
class _Unacknowledged:
    """A sent envelope: whether its acknowledgement may have a payload, and the acknowledgement to come."""

    takes_payload: bool
    answer: asyncio.Future[Json]


class SocketTransport:
    """Sends envelopes over the app's connections.

    An acknowledgement is accepted over any connection, because Slack's SDK sends it over the next one if the
    first is closed. `timeout` is in real seconds.
    """

    def __init__(self, tickets: Tickets, violations: list[str], app: App, *, timeout: float) -> None:
        self.links: list[Link] = []
        self.opened = 0
        """Number of connections opened so far."""
        self._tickets = tickets
        self._violations = violations
        self._app = app
        self._timeout = timeout
        self._next_link = 0
        self._waiting: dict[str, _Unacknowledged] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def usable(self) -> list[Link]:
        """The connections that are neither frozen nor leaving."""
        return [link for link in self.links if not (link.frozen or link.leaving)]

    @property
    def underway(self) -> int:
        """Number of envelopes without acknowledgement."""
        return len(self._waiting)

    async def connected(self, opened: int = 1) -> None:
        """Wait until one is usable and `opened` were opened in all; `TimeoutError` after five seconds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self.usable or self.opened < opened:
                self._changed.clear()
                await self._changed.wait()

    async def read_up(self) -> None:
        """Wait until the app has read everything sent so far, by a ping on each connection."""
        async with asyncio.timeout(WAIT_SECONDS):
            for link in self.usable:
                link.pong.clear()
                await link.socket.ping(PING)
                await link.pong.wait()

    # Faults

    def drop(self) -> None:
        """Cut all connections without a disconnect message."""
        for link in self.links:
            if link.request.transport is not None:
                link.request.transport.abort()

    def freeze(self) -> None:
        """Keep all connections open, but neither send nor read on them, pongs included."""
        for link in self.links:
            link.frozen = True

    async def disconnect(self, reason: Reason = "refresh_requested", *, closes_after: float = 10.0) -> None:
        """Send `disconnect` over all connections, and close them after `closes_after` seconds.

        Turning Socket Mode off sends `link_disabled`, which closes them at once.
        """
        if reason == "link_disabled":
            self._tickets.on, closes_after = False, 0.0
        for link in self.links:
            link.leaving = True
            with contextlib.suppress(ConnectionError):
                await link.send({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}})
            closing = asyncio.create_task(self._close_later(link, closes_after))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Cut all connections, because the stand-in stops."""
        for closing in self._closing:
            closing.cancel()
        self.drop()

    # Connections

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`GET /link/`: one connection, from its ticket to its end."""
        if not self._tickets.redeem(request.query.get("ticket", "")):
            return web.Response(status=400, text="no such ticket")
        # `_receive` answers pings, because a frozen connection must not.
        socket = web.WebSocketResponse(timeout=1.0, autoping=False)
        await socket.prepare(request)
        link = Link(request, socket)
        if len(self.links) >= MOST_LINKS:
            await link.send({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.links.append(link)
        self.opened += 1
        try:
            await link.send(self._hello())
            await socket.ping(PING)
            self._changed.set()
            async for message in socket:
                if not link.frozen:
                    await self._receive(link, message)
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
            "connection_info": {"app_id": self._app.app_id},
        }

    async def _receive(self, link: Link, message: WSMessage) -> None:
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

        Slack's docs: an event without acknowledgement is sent again, marked as a retry; after a gesture the
        person sees an error. The stand-in sends only the first retry, which comes at once.
        """
        result = await self._send(delivery, delivery.retry)
        if delivery.kind == "events_api" and delivery.retry is None and result.error == "operation_timeout":
            result = await self._send(delivery, (1, "timeout"))
        return result

    async def _send(self, delivery: SlackDelivery, retry: tuple[int, str] | None) -> DeliveryResult:
        links = [link for link in self.links if not link.leaving]
        if not links:
            return DeliveryResult(error="dispatch_failed", payload=delivery.payload)
        self._next_link += 1
        link = links[self._next_link % len(links)]
        frame = envelope(delivery, retry)
        waiting = _Unacknowledged(
            frame["accepts_response_payload"], asyncio.get_running_loop().create_future()
        )
        self._waiting[frame["envelope_id"]] = waiting
        begun = time.perf_counter()
        answer: Json | None = None
        try:
            async with asyncio.timeout(self._timeout):
                with contextlib.suppress(ConnectionError):
                    await link.send(frame)
                answer = await waiting.answer
        except TimeoutError:
            pass
        finally:
            del self._waiting[frame["envelope_id"]]
        elapsed = time.perf_counter() - begun
        return _result(delivery, frame, answer, elapsed)

    def _acknowledge(self, text: str) -> None:
        """Accept an acknowledgement; ignore one that is late or repeated."""
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
    """A delivery as a Socket Mode envelope.

    Slack's docs: acknowledgements of commands and submits may hold the answer; only events are retried.
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
    """The result in HTTP's terms, so that gestures do not depend on the transport."""
    if answer is None:
        return DeliveryResult(
            elapsed=elapsed, error="operation_timeout", payload=delivery.payload, envelope=frame
        )
    headers: Mapping[str, str] = {"Content-Type": JSON_TYPE} if answer else {}
    body = json.dumps(answer) if answer else ""
    return DeliveryResult(None, 200, headers, body, elapsed, payload=delivery.payload, envelope=frame)
