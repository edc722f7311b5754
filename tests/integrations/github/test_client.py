"""How the client behaves when GitHub is slow, moved, limited, broken, or answers what it never should."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Literal as OneOf

import aiohttp
import pytest
from aiohttp import web

from integrations.github.api import GitHub
from integrations.github.errors import (
    Forbidden,
    GitHubError,
    Invalid,
    Moved,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from integrations.github.installation import Installation
from integrations.literal import Literal
from integrations.sandbox.github import Alert, GitHubSandbox, Repository
from tests.integrations.github.conftest import Time

NAME = "octo/payments"
MARK = "ghp_" + "Marked0" * 5 + "1"
ALERT = r"/repos/octo/payments/secret-scanning/alerts/1"


@pytest.fixture
def installation(far: GitHubSandbox, github: GitHub, payments: Repository) -> Installation:
    return github.of(far.install(far.app_owner).id)


@pytest.fixture
def leaked(far: GitHubSandbox, payments: Repository) -> Alert:
    return far.leak(payments, literal=MARK)


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


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (400, {}, Invalid),
        (401, {}, Unauthorized),
        (403, {}, Forbidden),
        (404, {}, NotFound),
        (409, {}, Invalid),
        (410, {}, Invalid),
        (422, {}, Invalid),
        (429, {}, RateLimited),
        (403, {"retry-after": "7"}, RateLimited),
        (403, {"x-ratelimit-remaining": "0"}, RateLimited),
        (500, {}, Unavailable),
        (503, {}, Unavailable),
        (302, {"location": "/elsewhere"}, Moved),
    ],
)
async def test_each_refusal_is_an_error_of_its_own(
    far: GitHubSandbox,
    installation: Installation,
    status: int,
    headers: dict[str, str],
    expected: type[GitHubError],
) -> None:
    far.faults.add(r"GET /repos/octo/payments", status=status, headers=headers)
    error = await failure(installation.repository(NAME))
    assert type(error) is expected
    assert error.what == "GET /repos/{owner}/{repo}"
    assert str(error).startswith(f"GitHub answered {status} to GET /repos/{{owner}}/{{repo}}")


async def test_githubs_reason_is_told_in_short(
    far: GitHubSandbox, installation: Installation, leaked: Alert
) -> None:
    far.add_user("reader")
    error = await failure(installation.only(leaked.repository.id).assign(NAME, 1, "reader"))
    assert isinstance(error, Invalid)
    assert error.detail is not None
    assert "write access" in error.detail
    assert len(error.detail) <= 200


async def test_a_page_that_is_not_json_is_no_answer(far: GitHubSandbox, installation: Installation) -> None:
    far.faults.add(r"GET /repos/octo/payments", garbage=True, times=1)
    error = await failure(installation.repository(NAME))
    assert isinstance(error, Unavailable)
    assert "not JSON" in str(error)
    assert "html" not in rendered(error)


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_lost_answer_to_a_write_may_have_been_carried_out(
    far: GitHubSandbox, installation: Installation, leaked: Alert, drop: OneOf["before", "after"]
) -> None:
    far.faults.add(f"PATCH {ALERT}", drop=drop, times=1)
    error = await failure(installation.only(leaked.repository.id).close(NAME, 1, "revoked"))
    assert isinstance(error, Unreachable)
    assert error.maybe_done
    assert leaked.state == ("resolved" if drop == "after" else "open")


async def test_a_lost_answer_to_a_read_has_done_nothing(
    far: GitHubSandbox, installation: Installation, leaked: Alert
) -> None:
    far.faults.add(f"GET {ALERT}", drop="after")
    error = await failure(installation.only(leaked.repository.id).alert(NAME, 1))
    assert isinstance(error, Unreachable)
    assert not error.maybe_done


async def test_no_answer_in_time_is_unreachable(
    far: GitHubSandbox, session: aiohttp.ClientSession, time: Time, payments: Repository
) -> None:
    hasty = GitHub(
        session,
        api_url=far.api_url,
        url=far.url,
        app_id=str(far.app_id),
        private_key=far.private_key,
        version="1.2.3",
        now=time,
        timeout=0.3,
    )
    installation = hasty.of(far.install(far.app_owner).id)
    await installation.repository(NAME)
    far.faults.add(r"GET /repos/octo/payments", hang=True)
    error = await failure(installation.repository(NAME))
    assert isinstance(error, Unreachable)
    assert str(error) == "GET /repos/{owner}/{repo} failed: no answer in time"


async def test_a_server_that_is_not_there_has_done_nothing(
    session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    github = GitHub(
        session,
        api_url="http://127.0.0.1:1",
        url="http://127.0.0.1:1",
        app_id="1",
        private_key=private_key,
        version="1.2.3",
        now=time,
    )
    error = await failure(github.app())
    assert isinstance(error, Unreachable)
    assert not error.maybe_done
    lost = await failure(github.revoke(Literal(MARK)))
    assert isinstance(lost, Unreachable)
    assert not lost.maybe_done


async def test_an_exhausted_installation_is_not_asked_again_before_the_reset(
    far: GitHubSandbox, installation: Installation, time: Time
) -> None:
    far.core_limit = 3
    for _ in range(3):
        await installation.account("octo")
    asked = len(far.calls())
    error = await failure(installation.account("octo"))
    assert isinstance(error, RateLimited)
    assert error.retry_at > time()
    assert error.status is None
    assert len(far.calls()) == asked
    time.seconds = error.retry_at + 1
    await installation.account("octo")


async def test_each_installation_has_a_limit_of_its_own(
    far: GitHubSandbox, github: GitHub, installation: Installation
) -> None:
    other = github.of(far.install(far.add_organization("acme")).id)
    far.core_limit = 2
    await installation.account("octo")
    await installation.account("octo")
    assert isinstance(await failure(installation.account("octo")), RateLimited)
    await other.account("octo")


@pytest.mark.parametrize(
    ("headers", "wait"), [({"retry-after": "30"}, 30), ({"x-ratelimit-remaining": "0"}, 60), ({}, 60)]
)
async def test_a_limit_says_when_to_come_back(
    far: GitHubSandbox, installation: Installation, time: Time, headers: dict[str, str], wait: float
) -> None:
    far.faults.add(r"GET /users/octo", status=429, headers=headers)
    error = await failure(installation.account("octo"))
    assert isinstance(error, RateLimited)
    assert error.retry_at == time() + wait


@pytest.mark.parametrize("field", ["secret", "first_location_detected"])
async def test_the_secret_that_a_patch_answers_is_nowhere(
    far: GitHubSandbox, installation: Installation, leaked: Alert, field: str
) -> None:
    """GitHub's description gives the answer to a PATCH the literal, and no way to leave it out."""
    access = installation.only(leaked.repository.id)
    closed = await access.close(NAME, 1, "revoked", "rotated")
    assert leaked.literal == MARK
    assert MARK not in repr(closed)
    answer = await access._connection.client.call(
        access._connection.credential,
        "PATCH",
        "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}",
        {"owner": "octo", "repo": "payments", "alert_number": "1"},
        {"state": "open"},
    )
    assert isinstance(answer, dict)
    assert (field in answer) == (field != "secret")


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


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[], Awaitable[Strange]]]:
    async with AsyncExitStack() as stack:

        async def start() -> Strange:
            strange = Strange()
            strange.url = await stack.enter_async_context(serving(strange.handle))
            return strange

        yield start


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


async def test_a_redirect_off_githubs_origin_is_not_followed(
    serve: Callable[[], Awaitable[Strange]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near, elsewhere = await serve(), await serve()
    near.answer = lambda _: web.Response(status=301, headers={"location": elsewhere.url + "/api/v3/app"})
    error = await failure(client_of(near, session, private_key, time).app())
    assert isinstance(error, Moved)
    assert str(error) == "GET /app failed: it leads off GitHub's origin"
    assert elsewhere.asked == []


async def test_a_page_link_off_githubs_origin_is_not_followed(
    serve: Callable[[], Awaitable[Strange]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near, elsewhere = await serve(), await serve()
    link = f'<{elsewhere.url}/api/v3/app/installations?page=2>; rel="next"'
    near.answer = lambda _: web.json_response([], headers={"link": link})
    with pytest.raises(Moved):
        _ = [found async for found in client_of(near, session, private_key, time).installations()]
    assert elsewhere.asked == []


async def test_an_endless_redirect_is_given_up(
    serve: Callable[[], Awaitable[Strange]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near = await serve()
    near.answer = lambda request: web.Response(status=307, headers={"location": request.path})
    assert isinstance(await failure(client_of(near, session, private_key, time).app()), Moved)
    assert len(near.asked) == 4


BODIES = [
    b'{"secret": "' + MARK.encode() + b'", "number"',
    b'["' + MARK.encode() + b'"]',
    b'{"secret": ["' + MARK.encode() + b'"]}',
    b'{"message": "no ' + MARK.encode() + b'", "secret": "' + MARK.encode() + b'"}',
    MARK.encode(),
    b"\xff" + MARK.encode(),
]


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 418, 422, 500, 520, 599])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_no_answer_whatsoever_puts_a_literal_into_an_error(
    serve: Callable[[], Awaitable[Strange]],
    session: aiohttp.ClientSession,
    private_key: str,
    time: Time,
    status: int,
    body: bytes,
) -> None:
    near = await serve()
    near.answer = lambda _: web.Response(status=status, body=body, content_type="application/json")
    access = client_of(near, session, private_key, time).of(1).only(2)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: access.alert(NAME, 1),
        lambda: access.close(NAME, 1, "revoked"),
        lambda: access.repository(NAME),
    ]
    if status != 200 or not body.startswith(b'{"message"'):
        calls.append(lambda: access.literal(NAME, 1))
    for call in calls:
        text = rendered(await failure(call()))
        assert MARK not in text
        assert "t" * 36 not in text


async def test_a_literal_whose_answer_breaks_off_is_in_no_error(
    far: GitHubSandbox, installation: Installation, leaked: Alert
) -> None:
    far.faults.add(f"GET {ALERT}", drop="after")
    assert MARK not in rendered(await failure(installation.only(leaked.repository.id).literal(NAME, 1)))


async def test_a_credential_goes_to_githubs_origin_and_its_redirects_there(
    serve: Callable[[], Awaitable[Strange]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near = await serve()
    owner = {"id": 2, "login": "octo", "type": "Organization"}
    repository = {"id": 1, "full_name": "octo/billing", "owner": owner}

    def moved(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/api/v3/repositories/"):
            return web.json_response(repository)
        return web.Response(status=301, headers={"location": near.url + "/api/v3/repositories/1"})

    near.answer = moved
    facts = await client_of(near, session, private_key, time).of(1).repository(NAME)
    assert facts.id == 1
    assert [request.headers["authorization"] for request in near.asked] == ["Bearer ghs_" + "t" * 36] * 2


async def test_no_more_than_twenty_calls_are_under_way_at_once(
    session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    """Forty calls meet a server that answers at once when a twenty-first is there, and else after a while."""
    under_way = 0
    too_many = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal under_way
        under_way += 1
        if under_way > 20:
            too_many.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(too_many.wait(), 0.1)
        under_way -= 1
        return web.json_response({"slug": "stanch", "owner": {"id": 1, "login": "octo"}})

    async with serving(handle) as url:
        github = GitHub(
            session,
            api_url=url,
            url=url,
            app_id="1",
            private_key=private_key,
            version="1.2.3",
            now=time,
        )
        await asyncio.gather(*(github.app() for _ in range(40)))
    assert not too_many.is_set()
