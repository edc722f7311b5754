"""A server with responses that GitHub should never give, and helpers to inspect the resulting errors."""

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from integrations.github.api import GitHub
from integrations.github.errors import GitHubError
from tests.integrations.github.conftest import Time


def full_traceback(error: BaseException) -> str:
    """The traceback with local variables, attributes and all contexts."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        parts += traceback.TracebackException.from_exception(seen, capture_locals=True).format()
        parts.append(repr(vars(seen)))
        seen = seen.__context__
    return "".join(parts)


async def failure(call: Awaitable[object]) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        await call
    return caught.value


class OddServer:
    """A server that gives every path the response that a test sets, and records the requests."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request], web.StreamResponse] = lambda _: web.json_response({})
        self.received: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/access_tokens"):
            end = "2030-01-01T00:00:00Z"
            return web.json_response({"token": "ghs_" + "t" * 36, "expires_at": end}, status=201)
        if "/app/installations/" in request.path:
            return web.json_response({"permissions": {"metadata": "read"}})
        self.received.append(request)
        return self.answer(request)


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serve every path on the loopback interface by one function; yields the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def client_of(odd: OddServer, session: aiohttp.ClientSession, private_key: str, time: Time) -> GitHub:
    return GitHub(
        session,
        api_url=odd.url + "/api/v3",
        url=odd.url,
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
    )
