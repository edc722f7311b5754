"""`GET /github/link` and `GET /github/callback`: from the private button to GitHub's sign-in, and back to the code.

Nothing of a request is logged: its query string holds the secrets of a link.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web

from bot.context import Context
from bot.flows.people.link_secrets import cookie_name
from bot.flows.people.linking import KeptVerifiers, open_page
from bot.flows.people.sign_in_page import answer_callback
from bot.inbound.post_requests import RefusedRequests
from bot.views import link_pages as pages
from bot.views.link_pages import Page, headers, html
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
LONGEST = 512
"""Characters of a parameter that are read; GitHub's codes have 20, our own values 43 to 87."""
REFUSED: Mapping[Page, str] = {
    pages.UNKNOWN: "unknown_address",
    pages.OTHER_BROWSER: "other_browser",
    pages.USED: "used_state",
}
"""By page: the reason in the log."""


class SignInRoutes:
    """Both routes; one per process, since it keeps the PKCE verifiers where there are no encryption keys."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept = KeptVerifiers()
        self._refused = RefusedRequests("/github/link and /github/callback", context.clock)

    async def link(self, request: web.Request) -> web.Response:
        """Send the browser to GitHub with a fresh state and cookie; 404 for an address without a request."""
        return await self._answer(self._link, request)

    async def callback(self, request: web.Request) -> web.Response:
        """Show the code, or why there is none."""
        return await self._answer(self._callback, request)

    async def _link(self, request: web.Request) -> web.Response:
        opened = await open_page(self._context, _parameter(request, "request"), self._kept)
        if opened is None:
            return self._page(pages.UNKNOWN)
        response = web.Response(status=302, headers={**headers(), "Location": opened.address})
        _set_cookie(response, opened.cookie_name, opened.cookie, opened.seconds)
        return response

    async def _callback(self, request: web.Request) -> web.Response:
        state = _parameter(request, "state")
        name = cookie_name(state)
        page = await answer_callback(
            self._context,
            state=state,
            cookie=request.cookies.get(name),
            code=_parameter(request, "code"),
            error=_parameter(request, "error"),
            kept=self._kept,
        )
        response = self._page(page)
        if name in request.cookies:
            _set_cookie(response, name, "", 0)
        return response

    def _page(self, page: Page) -> web.Response:
        """A page; pages for a foreign or used address leave a log line, at most one a minute."""
        if page in REFUSED:
            self._refused.note(page.status, REFUSED[page], page.title)
        return _response(page)

    async def _answer(
        self, handler: Callable[[web.Request], Awaitable[web.Response]], request: web.Request
    ) -> web.Response:
        """The one error place of these routes."""
        try:
            return await handler(request)
        except StorageUnavailable as error:
            log.error("request_not_stored", reason=str(error))
            return _response(pages.NOT_STORED)
        except Exception as error:
            # A fault of ours: the person gets a short id instead of a bare 500, and the log the traceback.
            incident = secrets.token_hex(4)
            log.error("sign_in_page_failed", incident=incident, exc_info=error)
            return _response(pages.failed_page(incident))


def _parameter(request: web.Request, name: str) -> str:
    """The only parameter of that name; empty if it is missing, given twice, or longer than any of ours."""
    found = request.query.getall(name, [])
    return found[0] if len(found) == 1 and len(found[0]) <= LONGEST else ""


def _response(page: Page) -> web.Response:
    return web.Response(
        status=page.status, text=html(page), content_type="text/html", charset="utf-8", headers=headers()
    )


def _set_cookie(response: web.Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")
