"""Socket Mode: keeps a connection open to Slack, over which its requests come."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from yarl import URL

from bot.context import Context
from bot.errors import StartRefused
from bot.inbound.slack_app import SlackApp
from bot.platforms import PlatformState
from integrations.proxies import proxy_for
from integrations.slack.app_level_client import METHOD, AppLevelClient
from integrations.slack.errors import SlackError, SlackRateLimited, SlackUnauthorized, SlackUncertain

log = structlog.get_logger(__name__)
PING = 10.0
"""Seconds between two pings. The SDK takes a connection for dead after one and a half times that without a pong."""
FIRST_CONNECTION = 10.0
"""Seconds that the start waits for the first connection."""
CHECK_EVERY = 2.0
"""Seconds between two checks of ours: the SDK notices a broken connection only at its next ping."""
LINGER = 2.0
"""Seconds for which a replaced connection still takes requests that Slack had sent over it."""
ANSWER_WITHIN = 2.0
"""Seconds, of the ten for the whole stop, to wait until the requests taken are stored and acknowledged."""
CLOSE_WITHIN = 1.0
"""Seconds to wait for Slack's side of the closing handshake."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""Seconds between two tries to connect; doubled after each failure."""
Answer: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[BoltResponse]]


class _Client(SocketModeClient):
    """The SDK's client without its reconnect.

    The SDK closes the old connection before it opens the next, retries an expired address for ever, and gives no
    task to wait for. So each of our connections has its own client, which only reports its end.
    """

    def __init__(self, slack: AppLevelClient, url: str, ping: float) -> None:
        # Below this level the SDK logs frames, and errors that quote the address with its ticket.
        logger = logging.getLogger("bot.inbound.socket_mode.sdk")
        logger.setLevel(logging.CRITICAL)
        super().__init__(slack.token, logger=logger, web_client=slack.client, ping_interval=ping)
        self.wss_uri = url
        # The SDK's own choice ignores NO_PROXY.
        proxy = proxy_for(URL(url))
        self.proxy = None if proxy is None else str(proxy)
        self.over = asyncio.Event()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Called by the SDK when Slack announces the end, closes the connection or stops answering pings."""
        self.over.set()


class SocketConnection:
    """One connection, from its opening to its end."""

    def __init__(self, answer: Answer, slack: AppLevelClient, url: str, ping: float) -> None:
        self._answer = answer
        self._ping = ping
        self._client = _Client(slack, url, ping)
        self._client.socket_mode_request_listeners.append(self._take)
        self._running: set[asyncio.Task[None]] = set()
        self._draining = False

    async def open(self) -> None:
        """Connect; raises SlackUncertain. An address that failed once is not tried again."""
        try:
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that comes just when the connection is there.
            async with asyncio.timeout(self._ping):
                await self._client.connect()  # type: ignore[no-untyped-call]  # The SDK gives it no types.
        except TimeoutError:
            raise SlackUncertain(METHOD, "no_connection") from None

    async def wait_for_end(self, context: Context) -> None:
        """Return when the connection has to be replaced."""
        while await self.is_alive() and not self._client.over.is_set():
            await context.clock.wait_for(self._client.over.wait(), CHECK_EVERY)

    async def is_alive(self) -> bool:
        """Whether it is open and Slack answers pings."""
        return not self._client.aiohttp_client_session.closed and await self._client.is_connected()

    async def close(self) -> None:
        """Take no more requests, answer those taken, close, and end all tasks."""
        self._draining = True
        if self._running:
            await asyncio.wait(self._running, timeout=ANSWER_WITHIN)
        client = self._client
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await client.close()  # type: ignore[no-untyped-call]  # The SDK gives it no types.
        except TimeoutError:
            log.info("socket_not_closed", reason="Slack did not close its side in time")
        started = (client.message_processor, client.current_session_monitor, client.message_receiver)
        tasks = [task for task in started if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aiohttp_client_session.close()

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Answer one envelope. The SDK would log an exception with the payload, so all are handled here."""
        if self._draining:
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            response = await self._answer(request.payload)
            # The start time is used for a log line of the SDK alone, which is switched off.
            await send_async_response(client, request, response, 0.0)
        except ConnectionError:
            log.warning("acknowledgement_lost", reason="the connection broke")
        except Exception as error:
            # The one error place of Socket Mode: without an acknowledgement Slack shows the person that it failed.
            log.error("envelope_failed", kind=request.type, exc_info=error)
        finally:
            self._running.discard(task)


class SocketMode:
    """Keeps one connection to Slack open until it is stopped."""

    def __init__(
        self, context: Context, slack_app: SlackApp, slack: AppLevelClient, *, ping: float = PING
    ) -> None:
        self._context = context
        self._slack_app = slack_app
        self._slack = slack
        self._ping = ping
        self._connections: list[SocketConnection] = []
        """All that are not closed: the one in use, and while it is replaced the next or the former one."""
        self._used: SocketConnection | None = None
        self._disconnected_since = context.clock.now()
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect; raises StartRefused if Slack refuses the token. Without an answer it goes on trying."""
        try:
            async with asyncio.timeout(FIRST_CONNECTION):
                await self._connect()
        except SlackUnauthorized as error:
            raise StartRefused(
                f"Slack refuses SLACK_APP_TOKEN ({error.code}): make an app-level token (xapp-…) with the "
                "scope connections:write on your Slack app's page Basic Information."
            ) from None
        except SlackError as error:
            self._note_disconnect(error.code)
        except TimeoutError:
            self._note_disconnect("timeout")
        self._keeping = asyncio.create_task(self._keep_connected(), name="socket mode")

    async def stop(self) -> None:
        """Take no more requests, answer those taken, and close."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _answer(self, payload: Mapping[str, Any]) -> BoltResponse:
        """Answer the payload of one envelope; the SDK acknowledges it only where the status is 200.

        Slack's docs: the connection itself proves that it is Slack, so nothing is signed. An envelope that is
        delivered again has the same payload.
        """
        body = json.dumps(payload, sort_keys=True).encode()
        response = await self._slack_app.dispatch(payload, hashlib.sha256(body).hexdigest())
        self._context.metrics.slack_requests.labels(f"socket_{response.status}").inc()
        return response

    async def _keep_connected(self) -> None:
        """Replace each connection at its end; after a failure wait longer each time."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._wait_for_end()
                await self._connect()
            except Exception as error:
                # If an unexpected error ended this loop, no request would come in until the restart.
                if isinstance(error, SlackError):
                    self._note_disconnect(error.code)
                else:
                    log.error("socket_stumbled", exc_info=error)
                    self._note_disconnect(type(error).__name__)
                least = error.retry_after if isinstance(error, SlackRateLimited) else 0.0
                await self._context.clock.sleep(max(pause, least))
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE

    async def _wait_for_end(self) -> None:
        """Wait for the end of the connection in use, if there is one."""
        if self._used is None:
            return
        used, self._used = self._used, None
        await used.wait_for_end(self._context)
        self._disconnected_since = self._context.clock.now()
        self._note_disconnect("the connection ended")

    async def _connect(self) -> None:
        """Open a connection, then close the former ones; raises SlackError."""
        new = SocketConnection(self._answer, self._slack, await self._slack.open_connection(), self._ping)
        self._connections.append(new)
        try:
            await new.open()
        except SlackError:
            await self._close(new)
            raise
        self._used = new
        self._context.platforms.socket = PlatformState(ok=True, reason="connected by Socket Mode")
        log.info("socket_connected")
        for old in self._connections[:-1]:
            if await old.is_alive():
                await self._context.clock.sleep(LINGER)
            await self._close(old)

    async def _close(self, connection: SocketConnection) -> None:
        await connection.close()
        self._connections.remove(connection)

    def _note_disconnect(self, reason: str) -> None:
        since = datetime.fromtimestamp(self._disconnected_since, UTC).isoformat(timespec="seconds")
        self._context.platforms.socket = PlatformState(
            ok=False, reason=f"reconnecting by Socket Mode since {since}: {reason}"
        )
        log.warning("socket_not_connected", since=since, reason=reason)
