"""Calls with a person's token: a short table of them, and nothing else can be sent."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from integrations.github.alert_calls import AlertCalls
from integrations.github.api import GitHub
from integrations.github.errors import GitHubUnauthorized, Moved
from integrations.github.person_client import CallNotInTable, PersonClient
from integrations.literal import Literal
from tests.integrations.github.conftest import Time
from tests.integrations.github.odd_server import OddServer, client_of, failure, full_traceback, serving

NAME, TOKEN = "octo/payments", "ghu_" + "Person1" * 6
ALERT = "/api/v3/repos/octo/payments/secret-scanning/alerts/7"
ANSWER = {
    "id": 1,
    "login": "octo-ana",
    "number": 7,
    "full_name": NAME,
    "owner": {"id": 2, "login": "octo", "type": "Organization"},
}


@pytest.fixture
async def odd() -> AsyncIterator[OddServer]:
    server = OddServer()
    server.answer = lambda _: web.json_response(ANSWER)
    async with serving(server.handle) as url:
        server.url = url
        yield server


@pytest.fixture
def as_ana(odd: OddServer, session: aiohttp.ClientSession, private_key: str, time: Time) -> PersonClient:
    return client_of(odd, session, private_key, time).as_person(Literal(TOKEN))


WALK: dict[str, Callable[[AlertCalls], Awaitable[object]]] = {
    "repository": lambda calls: calls.repository(NAME),
    "alert": lambda calls: calls.alert(NAME, 7),
    "close": lambda calls: calls.close(NAME, 7, "revoked", "rotated"),
    "reopen": lambda calls: calls.reopen(NAME, 7),
    "set_validity": lambda calls: calls.set_validity(NAME, 7, "active"),
    "assign": lambda calls: calls.assign(NAME, 7, "octo-ana"),
}


async def test_every_method_makes_only_calls_of_the_table(odd: OddServer, as_ana: PersonClient) -> None:
    public = {name for name, _ in inspect.getmembers(AlertCalls, callable) if not name.startswith("_")}
    assert public == set(WALK)
    assert {name for name, _ in inspect.getmembers(PersonClient, callable) if not name.startswith("_")} == {
        "account",
        "only",
    }
    assert (await as_ana.account()).login == "octo-ana"
    for call in WALK.values():
        await call(as_ana.only(1))
    assert {(request.method, request.path_qs) for request in odd.received} == {
        ("GET", "/api/v3/user"),
        ("GET", "/api/v3/repos/octo/payments"),
        ("GET", f"{ALERT}?hide_secret=true"),
        ("PATCH", ALERT),
    }
    assert {request.headers["authorization"] for request in odd.received} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/user/emails"),
        ("GET", "/repos/octo/payments/secret-scanning/alerts/7"),
        ("GET", "/repos/octo/payments/secret-scanning/alerts/7?hide_secret=false"),
        ("GET", "/repos/octo/payments/secret-scanning/alerts/7/locations"),
        ("GET", "/repos/octo/payments/secret-scanning/alerts"),
        ("GET", "/repos/octo/payments/contents"),
        ("GET", "/repos/octo/payments?page=2"),
        ("PATCH", "/repos/octo/payments"),
        ("DELETE", "/repos/octo/payments"),
        ("PATCH", "/user"),
        ("POST", "/credentials/revoke"),
        ("GET", "/user/"),
    ],
)
async def test_another_call_is_not_sent(odd: OddServer, as_ana: PersonClient, method: str, path: str) -> None:
    client = as_ana._calls.client
    with pytest.raises(CallNotInTable):
        await client._request(method, client.base_url + path, {}, b"")
    assert odd.received == []


async def test_a_secret_is_never_fetched_with_a_persons_token(odd: OddServer, as_ana: PersonClient) -> None:
    with pytest.raises(CallNotInTable):
        await as_ana._calls.literal("/user")
    assert odd.received == []


async def test_a_redirect_is_not_followed_with_a_persons_token(odd: OddServer, as_ana: PersonClient) -> None:
    odd.answer = lambda _: web.Response(status=301, headers={"location": odd.url + "/api/v3/repositories/1"})
    assert isinstance(await failure(as_ana.only(1).repository(NAME)), Moved)
    assert len(odd.received) == 1


async def test_a_refused_token_is_not_replaced_and_not_in_the_error(
    odd: OddServer, as_ana: PersonClient
) -> None:
    odd.answer = lambda _: web.json_response({"message": f"Bad credentials {TOKEN}"}, status=401)
    error = await failure(as_ana.only(1).close(NAME, 7, "revoked"))
    assert isinstance(error, GitHubUnauthorized)
    assert len(odd.received) == 1
    assert TOKEN not in full_traceback(error)


def test_the_client_for_a_person_is_made_without_a_call(github: GitHub) -> None:
    assert TOKEN not in repr(vars(github.as_person(Literal(TOKEN))))
