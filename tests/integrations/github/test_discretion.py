"""Credentials are sent only to GitHub's origin, and errors hold no part of a response with a secret."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from integrations.github.errors import Moved
from integrations.github.installation import InstallationClient
from integrations.sandbox.github import GitHubAlert, GitHubSandbox
from tests.integrations.github.conftest import Time
from tests.integrations.github.odd_server import OddServer, client_of, failure, full_traceback, serving

NAME = "octo/payments"
MARK = "ghp_" + "Marked0" * 5 + "1"
ALERT = r"/repos/octo/payments/secret-scanning/alerts/1"


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[], Awaitable[OddServer]]]:
    async with AsyncExitStack() as stack:

        async def start() -> OddServer:
            odd = OddServer()
            odd.url = await stack.enter_async_context(serving(odd.handle))
            return odd

        yield start


@pytest.mark.parametrize("field", ["secret", "first_location_detected"])
async def test_the_secret_in_the_response_to_a_patch_is_removed(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert, field: str
) -> None:
    """GitHub's description: the response to a PATCH has the literal, and no parameter leaves it out."""
    access = installation.only(leaked.repository.id)
    closed = await access.close(NAME, 1, "revoked", "rotated")
    assert leaked.literal == MARK
    assert MARK not in repr(closed)
    answer = await access._calls.client.patch(
        "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}",
        {"owner": "octo", "repo": "payments", "alert_number": "1"},
        data={"state": "open"},
    )
    assert isinstance(answer, dict)
    assert (field in answer) == (field != "secret")


async def test_a_redirect_off_githubs_origin_is_not_followed(
    serve: Callable[[], Awaitable[OddServer]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near, elsewhere = await serve(), await serve()
    near.answer = lambda _: web.Response(status=301, headers={"location": elsewhere.url + "/api/v3/app"})
    error = await failure(client_of(near, session, private_key, time).app())
    assert isinstance(error, Moved)
    assert str(error) == "GET /app failed: it leads off GitHub's origin"
    assert elsewhere.received == []


async def test_a_page_link_off_githubs_origin_is_not_followed(
    serve: Callable[[], Awaitable[OddServer]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near, elsewhere = await serve(), await serve()
    link = f'<{elsewhere.url}/api/v3/app/installations?page=2>; rel="next"'
    near.answer = lambda _: web.json_response([], headers={"link": link})
    with pytest.raises(Moved):
        _ = [found async for found in client_of(near, session, private_key, time).installations()]
    assert elsewhere.received == []


async def test_an_endless_redirect_raises_moved(
    serve: Callable[[], Awaitable[OddServer]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near = await serve()
    near.answer = lambda request: web.Response(status=307, headers={"location": request.path})
    assert isinstance(await failure(client_of(near, session, private_key, time).app()), Moved)
    assert len(near.received) == 4


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
async def test_no_response_puts_a_literal_into_an_error(
    serve: Callable[[], Awaitable[OddServer]],
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
        text = full_traceback(await failure(call()))
        assert MARK not in text
        assert "t" * 36 not in text


async def test_a_lost_response_with_a_literal_leaves_it_in_no_error(
    sandbox: GitHubSandbox, installation: InstallationClient, leaked: GitHubAlert
) -> None:
    sandbox.faults.add(f"GET {ALERT}", drop="after")
    assert MARK not in full_traceback(await failure(installation.only(leaked.repository.id).literal(NAME, 1)))


async def test_a_redirect_on_githubs_origin_is_followed_with_the_credential(
    serve: Callable[[], Awaitable[OddServer]], session: aiohttp.ClientSession, private_key: str, time: Time
) -> None:
    near = await serve()
    owner = {"id": 2, "login": "octo", "type": "Organization"}
    repository = {"id": 1, "full_name": "octo/billing", "owner": owner}

    def moved(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/api/v3/repositories/"):
            return web.json_response(repository)
        return web.Response(status=301, headers={"location": near.url + "/api/v3/repositories/1"})

    near.answer = moved
    facts = await client_of(near, session, private_key, time).of(1).only(1).repository(NAME)
    assert facts.id == 1
    assert [request.headers["authorization"] for request in near.received] == ["Bearer ghs_" + "t" * 36] * 2
