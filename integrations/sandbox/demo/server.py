"""The page's web server: the page, its live state, and its actions."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from integrations.sandbox.demo.gestures import BadGesture, PageGestures
from integrations.sandbox.demo.live import BotControls, Live
from integrations.sandbox.demo.process import CommandFailed
from integrations.sandbox.demo.stage import Stage
from integrations.sandbox.demo.world import PEOPLE, DemoPerson, person_of
from integrations.sandbox.slack import Json

PAGE = Path(__file__).parent / "page"
HEARTBEAT_SECONDS = 15.0
CONTENT_SECURITY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"


@asynccontextmanager
async def serve_page(stage: Stage, bot: BotControls, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the block runs; yields the page's address. `OSError` where the port is taken."""
    live = Live(stage, bot)
    application = web.Application(middlewares=[_guard])
    server = PageServer(stage, bot, live)
    application.add_routes(server.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    async with live.watching():
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            shown_host = f"[{host}]" if ":" in host else host
            yield f"http://{shown_host}:{runner.addresses[0][1]}/"
        finally:
            await server.stop()
            await runner.cleanup()


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse POSTs from other sites, and allow the page to load nothing from elsewhere."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and (
        request.content_type != "application/json"
        or (origin is not None and urlsplit(origin).netloc != request.host)
    ):
        raise web.HTTPForbidden(text="This comes from another page.")
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY
        response.headers["Cache-Control"] = "no-store"
    return response


class PageServer:
    """Answers the page's requests; a failed action is a 400 with a sentence as `problem`."""

    def __init__(self, stage: Stage, bot: BotControls, live: Live) -> None:
        self._stage = stage
        self._bot = bot
        self._live = live
        self._starting: asyncio.Task[None] | None = None

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._index),
            web.get("/events", self._events),
            web.get("/audit", self._audit),
            web.post("/slack/{gesture}", self._gesture),
            web.post("/github/{action}", self._github),
            web.post("/switch", self._switch),
            web.post("/bot/{action}", self._bot_action),
            web.static("/page", PAGE),
        ]

    async def stop(self) -> None:
        """Cancel a start in progress."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "index.html")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events for one person: `whole` once, then `changes`."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        with self._live.page(_person(request.query.get("as"))) as page, contextlib.suppress(ConnectionError):
            await _send(response, "whole", self._live.whole(page))
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await page.news.wait()
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                await _send(response, "changes", await self._live.changes(page))
        return response

    async def _audit(self, request: web.Request) -> web.Response:
        try:
            return web.json_response({"rows": await self._bot.audit_log()})
        except CommandFailed as failure:
            return _problem(str(failure))

    async def _gesture(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        gestures = PageGestures(self._stage.slack, _person(fields.get("as")))
        try:
            return web.json_response(await gestures.do(request.match_info["gesture"], fields))
        except BadGesture as bad:
            return _problem(str(bad))

    async def _github(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        try:
            return web.json_response(await self._live.panel.do(request.match_info["action"], fields))
        except ValueError as problem:
            return _problem(str(problem))
        finally:
            self._live.check_github()

    async def _switch(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        try:
            self._stage.switches.turn(str(fields.get("id")), on=fields.get("on") is True)
        except KeyError:
            return _problem("There is no such switch.")
        self._live.resend_part("switches")
        return web.json_response({})

    async def _bot_action(self, request: web.Request) -> web.Response:
        if request.match_info["action"] == "kill":
            await self._bot.kill()
        elif self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start_bot())
        return web.json_response({})

    async def _start_bot(self) -> None:
        # The page shows the last log line of a bot that doesn't start.
        with contextlib.suppress(CommandFailed):
            await self._bot.start()


def _person(slack_id: object) -> DemoPerson:
    return person_of(str(slack_id)) or PEOPLE[0]


async def _fields(request: web.Request) -> Json:
    try:
        fields = await request.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise web.HTTPBadRequest(text="A JSON object is expected.")
    return fields


def _problem(text: str) -> web.Response:
    return web.json_response({"problem": text}, status=400)


async def _send(response: web.StreamResponse, event: str, data: Json) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode())
