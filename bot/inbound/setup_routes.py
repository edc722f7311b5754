"""The local page of `stanch setup`: who may use it, and which step a form belongs to.

Other users and web pages of this machine reach the port too. So every request has to name exactly our address as its
host, and a form has to come from our own page. The page first asks for a code that only the terminal shows. There is
no cookie, since other ports of this machine would get it too: a hidden field of the forms identifies a tab. Nothing
of a request is logged.
"""

import asyncio
import hmac
import re
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot.flows.setup.github_app import CREATED, convert
from bot.flows.setup.progress import Overview, SetupProgress, step_lines
from bot.flows.setup.step import SetupContext
from bot.rules.setup_code import TRIES, same_code
from bot.rules.slack_addresses import apps_site
from bot.views import setup_pages as pages
from bot.views.setup_pages import SetupPage

log = structlog.get_logger(__name__)
LARGEST = 65_536
"""Bytes of a form."""
IDLE = 1800.0
"""Seconds without a request of the person after which the run ends."""
MOST_STATES = 50
"""Forms for GitHub that wait for its answer; beyond that the oldest one is dropped."""
FORM = "application/x-www-form-urlencoded"
GITHUB_CODE = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(frozen=True, slots=True)
class SetupEnd:
    """How the run ended, with a sentence for the terminal."""

    done: bool
    sentence: str


class SetupRoutes:
    """The pages of one run."""

    def __init__(self, progress: SetupProgress, context: SetupContext, code: str) -> None:
        """`context.page` is our address, `code` what the terminal shows."""
        assert context.page is not None
        self._progress = progress
        self._clock = context.clock
        self._context = context
        self._origin = context.page
        self._code = code
        self._tries = TRIES
        self._session = secrets.token_urlsafe(32)
        self._states: dict[str, None] = {}
        self._one_at_a_time = asyncio.Lock()
        self._used_at = self._clock.monotonic()
        self._end: asyncio.Future[SetupEnd] = asyncio.get_running_loop().create_future()

    async def wait(self) -> SetupEnd:
        """Wait for the end of the run, which is also that nobody has used the page for half an hour."""
        while not self._end.done():
            left = self._used_at + IDLE - self._clock.monotonic()
            if left <= 0:
                self._finish(SetupEnd(False, pages.IDLE_END))
                break
            await self._clock.wait_for(_done(self._end), left)
        return self._end.result()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer any request; the one error place of these pages."""
        try:
            page = await self._route(request)
        except web.HTTPException as error:
            page = pages.message_page(error.status, "That can't be read", pages.AGAIN)
        except web.RequestPayloadError:
            page = pages.message_page(400, "That can't be read", pages.AGAIN)
        except Exception as error:
            # A fault of ours: the person gets a short id instead of a bare 500, and the terminal the traceback.
            incident = secrets.token_hex(4)
            log.error("setup_page_failed", incident=incident, exc_info=error)
            page = pages.failed_page(incident)
        return web.Response(
            status=page.status,
            text=pages.document(page),
            content_type="text/html",
            charset="utf-8",
            headers=pages.setup_headers(_origin_of(self._progress.known.github_url)),
        )

    async def _route(self, request: web.Request) -> SetupPage:
        if request.headers.getall("Host", []) != [urlsplit(self._origin).netloc]:
            return pages.OTHER_HOST
        match request.method, request.path:
            case _ if self._end.done():
                return pages.ENDED
            case "GET", "/":
                return pages.code_page()
            case "GET", path if path == CREATED:
                return await self._created(request)
            case "POST", "/":
                if request.headers.getall("Origin", []) != [self._origin]:
                    return pages.OTHER_ORIGIN
                if request.content_type != FORM:
                    return pages.OTHER_ORIGIN
                try:
                    posted = await request.post()
                except (LookupError, UnicodeError):
                    raise web.HTTPBadRequest from None  # An unknown charset, or bytes that are none of its text.
                async with self._one_at_a_time:
                    return await self._posted({k: v for k, v in posted.items() if isinstance(v, str)})
        return pages.NO_PAGE

    async def _posted(self, form: dict[str, str]) -> SetupPage:
        if self._end.done():
            return pages.ENDED  # The last try was another request's, while this one waited.
        session = form.pop("session", "")
        if not hmac.compare_digest(session.encode(errors="replace"), self._session.encode()):
            return await self._open(form.get("code", ""))
        self._used_at = self._clock.monotonic()
        match form.pop("do", "submit"), form.pop("step", ""):
            case "repeat", step:
                return self._page(await self._progress.repeat(step))
            case "show", _:
                return self._page(await self._progress.overview())
            case "finish", _:
                overview = await self._progress.overview()
                return self._page(overview, ends=overview.current is None)
            case _, step:
                return self._after(await self._progress.submit(step, form))

    async def _open(self, typed: str) -> SetupPage:
        """Check the code from the terminal; the last wrong one ends the run."""
        if not typed.strip():
            return pages.code_page(pages.CODE_NEEDED, status=403)
        if same_code(self._code, typed):
            self._used_at = self._clock.monotonic()
            return self._page(await self._progress.overview())
        self._tries -= 1
        if self._tries > 0:
            return pages.code_page(pages.wrong_code(self._tries), status=403)
        self._finish(SetupEnd(False, pages.TRIES_END))
        return pages.ended_page(pages.TRIES_END, status=403)

    async def _created(self, request: web.Request) -> SetupPage:
        """GitHub's redirect: the state is taken before anything else is done."""
        state, code = _parameter(request, "state"), _parameter(request, "code")
        if state not in self._states:
            return pages.UNKNOWN_STATE
        del self._states[state]
        self._used_at = self._clock.monotonic()
        if not GITHUB_CODE.fullmatch(code):
            return pages.UNKNOWN_STATE
        async with self._one_at_a_time:
            return self._after(await self._progress.change(lambda known: convert(self._context, known, code)))

    def _after(self, overview: Overview) -> SetupPage:
        """The page after a change: with the last step the run ends."""
        return self._page(overview, ends=overview.current is None)

    def _page(self, overview: Overview, *, ends: bool = False) -> SetupPage:
        hidden = {} if ends else {"session": self._session}
        lines = step_lines(overview)
        if ends:
            self._finish(SetupEnd(True, pages.done_end(self._context.command)))
        if overview.current is None:
            return pages.finished_page(lines, hidden, self._context.command)
        problem = overview.problem
        return pages.step_page(
            lines,
            overview.current.title,
            overview.panel,
            {**hidden, "step": overview.current.name},
            state=self._new_state(overview),
            fault=str(problem) if problem else "",
            fault_field=problem.field if problem else None,
            entered=overview.entered,
            sites=(_origin_of(overview.known.github_url), apps_site(overview.known.slack_api_url)),
        )

    def _new_state(self, overview: Overview) -> str:
        """A state for the forms of this page that go to GitHub; empty without any."""
        if overview.panel is None or not any(form.to for form in overview.panel.forms):
            return ""
        state = secrets.token_urlsafe(32)
        self._states[state] = None
        while len(self._states) > MOST_STATES:
            del self._states[next(iter(self._states))]
        return state

    def _finish(self, end: SetupEnd) -> None:
        if not self._end.done():
            self._end.set_result(end)


@asynccontextmanager
async def serving(routes: SetupRoutes, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the pages on a socket that listens already, until the end of the block."""
    application = web.Application(client_max_size=LARGEST)
    application.router.add_route("*", "/{path:.*}", routes.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()


async def _done(end: "asyncio.Future[SetupEnd]") -> bool:
    await asyncio.wait([end])
    return True


def _parameter(request: web.Request, name: str) -> str:
    """The only parameter of that name; empty if it is missing or given twice."""
    found = request.query.getall(name, [])
    return found[0] if len(found) == 1 else ""


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
