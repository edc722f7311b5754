"""The page's web server: the page, its live state, and its actions."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from integrations.sandbox.demo.gestures import BadGesture, PageGestures
from integrations.sandbox.demo.live import Live, OpenPage, RunningDemo
from integrations.sandbox.demo.process import CommandFailed
from integrations.sandbox.demo.world import PEOPLE, DemoPerson, person_of
from integrations.sandbox.slack import Json

PAGE = Path(__file__).parent / "page"
HEARTBEAT_SECONDS = 15.0
READY_SECONDS = 180.0
"""How long a click waits for a bot that starts."""
ASKS_THE_BOT = frozenset({"click", "select", "tick", "submit", "command", "shortcut"})
FOR_A_YEAR = "max-age=31536000, immutable"
CONTENT_SECURITY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"


@asynccontextmanager
async def serve_page(demo: RunningDemo, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the block runs; yields the page's address. `OSError` where the port is taken."""
    application = web.Application(middlewares=[_guard])
    server = PageServer(demo)
    application.add_routes(server.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await server.open()
        await web.TCPSite(runner, host, port).start()
        shown_host = f"[{host}]" if ":" in host else host
        yield f"http://{shown_host}:{runner.addresses[0][1]}/"
    finally:
        await server.close()
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
        response.headers.setdefault("Cache-Control", "no-store")
    return response


class PageServer:
    """Answers the page's requests; a failed action is a 400 with a sentence as `problem`."""

    def __init__(self, demo: RunningDemo) -> None:
        self._demo = demo
        self._live = Live(demo.stage, demo.bot)
        self._watching = AsyncExitStack()
        self._open = asyncio.Event()
        self._starting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Watch the current stand-ins and bot, and let requests through."""
        self._live = Live(self._demo.stage, self._demo.bot)
        await self._watching.enter_async_context(self._live.watching())
        self._open.set()

    async def close(self) -> None:
        """Hold requests, stop watching, and cancel a start in progress."""
        self._open.clear()
        await self._watching.aclose()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._index),
            web.get("/events", self._events),
            web.get("/audit", self._audit),
            web.post("/slack/{gesture}", self._gesture),
            web.post("/github/{action}", self._github),
            web.post("/switch", self._switch),
            web.post("/bot/{action}", self._bot_action),
            web.post("/two-people", self._two_people),
            web.post("/start-over", self._start_over),
            web.get("/page/{version}/{name}", self._page_file),
        ]

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=_index(), content_type="text/html")

    async def _page_file(self, request: web.Request) -> web.StreamResponse:
        """A file that the browser keeps: its address changes with the files."""
        path = PAGE / request.match_info["name"]
        if path not in _files():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": FOR_A_YEAR})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events for one person: `whole` once, then `changes`; `over` when the demo starts over."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await self._open.wait()
        live = self._live
        with live.page(_person(request.query.get("as"))) as page, contextlib.suppress(ConnectionError):
            await _send(response, "whole", live.whole(page))
            while not page.over:
                await self._send_changes(response, live, page)
            await _send(response, "over", {})
        return response

    async def _send_changes(self, response: web.StreamResponse, live: Live, page: OpenPage) -> None:
        """Wait for news and send them, or a comment where there are none for a while."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await page.news.wait()
        except TimeoutError:
            await response.write(b": still here\n\n")
            return
        if not page.over:
            await _send(response, "changes", await live.changes(page))

    async def _audit(self, request: web.Request) -> web.Response:
        try:
            return web.json_response({"rows": await self._demo.bot.audit_log()})
        except CommandFailed as failure:
            return _problem(str(failure))

    async def _gesture(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        kind = request.match_info["gesture"]
        if kind in ASKS_THE_BOT:
            await self._until_ready()
        gestures = PageGestures(self._demo.stage.slack, _person(fields.get("as")))
        try:
            return web.json_response(await gestures.do(kind, fields))
        except BadGesture as bad:
            return _problem(str(bad))

    async def _github(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        await self._until_ready()
        try:
            return web.json_response(await self._live.panel.do(request.match_info["action"], fields))
        except ValueError as problem:
            return _problem(str(problem))
        finally:
            self._live.check_github()

    async def _switch(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        try:
            self._demo.stage.switches.turn(str(fields.get("id")), on=fields.get("on") is True)
        except KeyError:
            return _problem("There is no such switch.")
        self._live.resend_part("switches")
        return web.json_response({})

    async def _bot_action(self, request: web.Request) -> web.Response:
        if request.match_info["action"] == "kill":
            await self._demo.bot.kill()
        elif self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start_bot())
        return web.json_response({})

    async def _two_people(self, request: web.Request) -> web.Response:
        """Turn on or off that a report needs two people, which restarts the bot."""
        fields = await _fields(request)
        await self._until_ready()
        try:
            await self._demo.set_two_people(on=fields.get("on") is True)
        except CommandFailed as failure:
            return _problem(str(failure))
        return web.json_response({})

    async def _start_over(self, request: web.Request) -> web.Response:
        if self._open.is_set():
            await self.close()
            self._live.end_pages()
            await self._demo.start_over()
            await self.open()
        return web.json_response({})

    async def _until_ready(self) -> None:
        await self._open.wait()
        await self._live.until_settled(READY_SECONDS)

    async def _start_bot(self) -> None:
        # The page shows the last log line of a bot that doesn't start.
        with contextlib.suppress(CommandFailed):
            await self._demo.bot.start()


def version_of(files: Iterable[Path]) -> str:
    """Changes with the content of any of the files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _files() -> list[Path]:
    return sorted(PAGE.iterdir())


def _index() -> str:
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    return page.replace('"/page/', f'"/page/{version_of(_files())}/')


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
