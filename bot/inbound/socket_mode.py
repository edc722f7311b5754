"""Socket Mode: a connection that we open to Slack, over which its requests come; watched and replaced."""

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
"""Seconds between two pings. The SDK calls a connection dead after one and a half without an answer."""
FIRST_CONNECTION = 10.0
"""Seconds that the start waits for the first connection."""
LOOK = 2.0
"""Seconds between two looks of our own: that a connection broke the SDK itself sees only at its next ping."""
LINGER = 2.0
"""Seconds in which a replaced connection still takes what Slack sent it before it knew of the new one."""
ANSWER_WITHIN = 2.0
"""Seconds, of the ten for the whole stop, that it waits for what was taken to be stored and acknowledged."""
CLOSE_WITHIN = 1.0
"""Seconds that it waits for Slack to take leave."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
Answer: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[BoltResponse]]


class _Client(SocketModeClient):
    """The SDK's client without its way to reconnect.

    The SDK closes the old connection before it opens the next, tries a used-up address again for ever, and
    leaves no task to wait for. So each connection has a client of its own, which only says that it is over.
    """

    def __init__(self, slack: AppLevelClient, url: str, ping: float) -> None:
        # At every lower level the SDK prints frames, or errors that quote the address with its ticket.
        logger = logging.getLogger("bot.inbound.socket_mode.sdk")
        logger.setLevel(logging.CRITICAL)
        super().__init__(slack.token, logger=logger, web_client=slack.client, ping_interval=ping)
        self.wss_uri = url
        # The SDK's own choice ignores NO_PROXY.
        proxy = proxy_for(URL(url))
        self.proxy = None if proxy is None else str(proxy)
        self.over = asyncio.Event()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Called where Slack announces the end, closes the connection, or no longer answers pings."""
        self.over.set()


class SocketConnection:
    """One connection, from its opening until it is retired."""

    def __init__(self, answer: Answer, slack: AppLevelClient, url: str, ping: float) -> None:
        self._answer = answer
        self._ping = ping
        self._client = _Client(slack, url, ping)
        self._client.socket_mode_request_listeners.append(self._take)
        self._running: set[asyncio.Task[None]] = set()
        self._draining = False

    async def open(self) -> None:
        """Connect, or raise `SlackUncertain`: an address that failed once is not tried again."""
        try:
            connecting = self._client.connect()  # type: ignore[no-untyped-call]  # As the SDK has it.
            await asyncio.wait_for(connecting, self._ping)
        except TimeoutError:
            raise SlackUncertain(METHOD, "no_connection") from None

    async def over(self, context: Context) -> None:
        """Wait until it has to be replaced."""
        while await self.is_alive() and not self._client.over.is_set():
            told = asyncio.create_task(self._client.over.wait())
            look = asyncio.create_task(context.clock.sleep(LOOK))
            try:
                await asyncio.wait({told, look}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                told.cancel()
                look.cancel()

    async def is_alive(self) -> bool:
        """Whether it is open and Slack answers pings."""
        return not self._client.aiohttp_client_session.closed and await self._client.is_connected()

    async def retire(self) -> None:
        """Take nothing more, answer what was taken, close, and leave no task behind."""
        self._draining = True
        if self._running:
            await asyncio.wait(self._running, timeout=ANSWER_WITHIN)
        client = self._client
        try:
            closing = client.close()  # type: ignore[no-untyped-call]  # As the SDK has it.
            await asyncio.wait_for(closing, CLOSE_WITHIN)
        except TimeoutError:
            log.info("socket_not_closed", reason="Slack did not take leave")
        tasks = [
            task
            for task in (client.message_processor, client.current_session_monitor, client.message_receiver)
            if task is not None
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aiohttp_client_session.close()

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Answer one envelope. Here everything unexpected ends: the SDK itself would quote it in its log."""
        if self._draining:
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            response = await self._answer(request.payload)
            # The time of the start is only for a line of the SDK's log that is never written.
            await send_async_response(client, request, response, 0.0)
        except ConnectionError:
            log.warning("acknowledgement_lost", reason="the connection broke")
        except Exception as error:
            # The one error place of Socket Mode: without an acknowledgement Slack shows the person that it failed.
            log.error("envelope_failed", kind=request.type, exc_info=error)
        finally:
            self._running.discard(task)


class SocketMode:
    """Keeps one connection to Slack until it is stopped."""

    def __init__(
        self, context: Context, slack_app: SlackApp, slack: AppLevelClient, *, ping: float = PING
    ) -> None:
        self._context = context
        self._slack_app = slack_app
        self._slack = slack
        self._ping = ping
        self._connections: list[SocketConnection] = []
        """All that are not retired yet: the one in use, and one that was or will be."""
        self._used: SocketConnection | None = None
        self._absent_since = context.clock.now()
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect; raises StartRefused where Slack refuses the token. Silence does not end the start."""
        try:
            async with asyncio.timeout(FIRST_CONNECTION):
                await self._connect()
        except SlackUnauthorized as error:
            raise StartRefused(
                f"Slack refuses SLACK_APP_TOKEN ({error.code}): make an app-level token (xapp-…) with the "
                "scope connections:write on your Slack app's page Basic Information."
            ) from None
        except SlackError as error:
            self._note_absence(error.code)
        except TimeoutError:
            self._note_absence("timeout")
        self._keeping = asyncio.create_task(self._keep_connected(), name="socket mode")

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, and close."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await asyncio.gather(*(connection.retire() for connection in self._connections))

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
        """Make the next connection when one is over; the longer that fails, the rarer."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._outlast()
                await self._connect()
            except SlackError as error:
                self._note_absence(error.code)
                await self._context.clock.sleep(
                    max(pause, error.retry_after) if isinstance(error, SlackRateLimited) else pause
                )
                pause = min(2 * pause, LONGEST_PAUSE)
            except Exception as error:
                # Whatever the SDK or the network comes up with: without this loop Slack would stay silent for ever.
                log.error("socket_stumbled", exc_info=error)
                self._note_absence(type(error).__name__)
                await self._context.clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE

    async def _outlast(self) -> None:
        """Wait until the connection in use is over, where there is one."""
        if self._used is None:
            return
        used, self._used = self._used, None
        await used.over(self._context)
        self._absent_since = self._context.clock.now()
        self._note_absence("the connection ended")

    async def _connect(self) -> None:
        """Open a connection, and only then retire those before it; raises SlackError."""
        new = SocketConnection(self._answer, self._slack, await self._slack.open_connection(), self._ping)
        self._connections.append(new)
        try:
            await new.open()
        except SlackError:
            await self._retire(new)
            raise
        self._used = new
        self._context.platforms.socket = PlatformState(ok=True, reason="connected by Socket Mode")
        log.info("socket_connected")
        for old in self._connections[:-1]:
            if await old.is_alive():
                await self._context.clock.sleep(LINGER)
            await self._retire(old)

    async def _retire(self, connection: SocketConnection) -> None:
        await connection.retire()
        self._connections.remove(connection)

    def _note_absence(self, reason: str) -> None:
        since = datetime.fromtimestamp(self._absent_since, UTC).isoformat(timespec="seconds")
        self._context.platforms.socket = PlatformState(
            ok=False, reason=f"reconnecting by Socket Mode since {since}: {reason}"
        )
        log.warning("socket_not_connected", since=since, reason=reason)
