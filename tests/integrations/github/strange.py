"""A far side that answers what GitHub never should, and how a test looks into the errors it gets."""

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from integrations.github.api import GitHub
from integrations.github.errors import GitHubError
from tests.integrations.github.conftest import Time


def rendered(error: BaseException) -> str:
    """A traceback as the most talkative renderer prints it: with local variables and every context."""
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


class Strange:
    """A server that says of any GitHub path whatever a test wants, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[web.Request], web.StreamResponse] = lambda _: web.json_response({})
        self.asked: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/access_tokens"):
            end = "2030-01-01T00:00:00Z"
            return web.json_response({"token": "ghs_" + "t" * 36, "expires_at": end}, status=201)
        self.asked.append(request)
        return self.answer(request)


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server on the loopback interface whose every path is one function; gives its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def client_of(strange: Strange, session: aiohttp.ClientSession, private_key: str, time: Time) -> GitHub:
    return GitHub(
        session,
        api_url=strange.url + "/api/v3",
        url=strange.url,
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
    )
