"""GitHub's OAuth endpoints: tokens made, renewed and deleted; refusals with GitHub's words and without secrets."""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from integrations.github.api import GitHub
from integrations.github.errors import (
    GitHubError,
    GitHubRateLimited,
    Invalid,
    Moved,
    Unavailable,
    Unreachable,
)
from integrations.github.oauth import OAuth, OAuthRefused, UserTokens, challenge_of, new_verifier
from integrations.github.server_features import UNKNOWN_VERSION, ServerFacts
from integrations.literal import Literal
from tests.integrations.github.conftest import Time
from tests.integrations.github.odd_server import failure, full_traceback, serving

CODE, VERIFIER, SECRET = "c0de" * 5, "v3rifier" * 6, "s3cret" * 7
ACCESS, REFRESH = "ghu_" + "Access1" * 6, "ghr_" + "Refresh1" * 9
BACK = "https://stanch.example/github/callback"
ANSWER = {
    "access_token": ACCESS,
    "expires_in": 28800,
    "refresh_token": REFRESH,
    "refresh_token_expires_in": 15811200,
    "scope": "",
    "token_type": "bearer",
}


class TokenServer:
    """The token endpoints with the answer that a test sets; records the forms."""

    def __init__(self) -> None:
        self.answer: Callable[[], web.StreamResponse] = lambda: web.json_response(ANSWER)
        self.calls: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else {k: str(v) for k, v in (await request.post()).items()}
        self.calls.append(
            (
                request.method,
                request.path,
                {str(name): value for name, value in request.headers.items()},
                body,
            )
        )
        return self.answer()


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    tokens = TokenServer()
    async with serving(tokens.handle) as url:
        tokens.url = url
        yield tokens


@pytest.fixture
def oauth(server: TokenServer, session: aiohttp.ClientSession, time: Time) -> OAuth:
    return OAuth(
        session=session,
        url=server.url,
        api_url=server.url + "/api/v3",
        client_id="Iv23.client",
        client_secret=Literal(SECRET),
        user_agent="stanch/1.2.3",
        now=time,
    )


def test_the_address_to_sign_in_has_the_challenge_and_the_login_only_where_given(oauth: OAuth) -> None:
    address = oauth.authorize_url(state="st&te", redirect_uri=BACK, challenge="chall", login="octo-ana")
    assert parse_qs(urlsplit(address).query) == {
        "client_id": ["Iv23.client"],
        "redirect_uri": [BACK],
        "state": ["st&te"],
        "allow_signup": ["false"],
        "code_challenge": ["chall"],
        "code_challenge_method": ["S256"],
        "login": ["octo-ana"],
    }
    plain = parse_qs(urlsplit(oauth.authorize_url(state="s", redirect_uri=BACK)).query)
    assert set(plain) == {"client_id", "redirect_uri", "state", "allow_signup"}


def test_the_challenge_is_that_of_the_standard() -> None:
    """The example of RFC 7636, appendix B."""
    verifier = Literal("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert re.fullmatch(r"[\w-]{43}", new_verifier().reveal())
    assert new_verifier().reveal() != new_verifier().reveal()


@pytest.mark.parametrize(
    ("version", "known"),
    [(None, True), ("3.19.2", False), ("3.20.0", False), ("3.21.0", True), (UNKNOWN_VERSION, True)],
)
def test_a_server_up_to_3_20_does_not_know_pkce(version: str | None, known: bool) -> None:
    assert ServerFacts(version).supports_pkce is known


async def test_a_code_is_exchanged_with_the_verifier_and_the_client_secret(
    server: TokenServer, oauth: OAuth, time: Time
) -> None:
    tokens = await oauth.exchange(Literal(CODE), redirect_uri=BACK, verifier=Literal(VERIFIER))
    assert (tokens.access.reveal(), tokens.access_until) == (ACCESS, time() + 28800)
    assert tokens.refresh is not None
    assert (tokens.refresh.reveal(), tokens.refresh_until) == (REFRESH, time() + 15811200)
    [(method, path, headers, form)] = server.calls
    assert (method, path) == ("POST", "/login/oauth/access_token")
    assert headers["User-Agent"] == "stanch/1.2.3"
    assert form == {
        "client_id": "Iv23.client",
        "client_secret": SECRET,
        "code": CODE,
        "code_verifier": VERIFIER,
        "redirect_uri": BACK,
    }
    assert ACCESS not in repr(tokens)


async def test_without_a_verifier_none_is_sent_and_tokens_may_never_expire(
    server: TokenServer, oauth: OAuth
) -> None:
    """GitHub's docs: with the App's opt-out of expiry there is no refresh token."""
    server.answer = lambda: web.json_response({"access_token": ACCESS, "scope": "", "token_type": "bearer"})
    tokens = await oauth.exchange(Literal(CODE), redirect_uri=BACK, verifier=None)
    assert (tokens.access_until, tokens.refresh, tokens.refresh_until) == (None, None, None)
    assert "code_verifier" not in server.calls[0][3]


async def test_a_refresh_sends_the_refresh_token_alone(server: TokenServer, oauth: OAuth) -> None:
    assert isinstance(await oauth.refresh(Literal(REFRESH)), UserTokens)
    assert server.calls[0][3] == {
        "client_id": "Iv23.client",
        "client_secret": SECRET,
        "grant_type": "refresh_token",
        "refresh_token": REFRESH,
    }


async def test_a_refusal_has_githubs_word_and_sentence_although_the_status_is_200(
    server: TokenServer, oauth: OAuth
) -> None:
    refusal = {
        "error": "bad_verification_code",
        "error_description": f"The code passed ({CODE}) is incorrect.",
    }
    server.answer = lambda: web.json_response(refusal)
    error = await failure(oauth.exchange(Literal(CODE), redirect_uri=BACK, verifier=Literal(VERIFIER)))
    assert isinstance(error, OAuthRefused)
    assert error.reason == "bad_verification_code"
    assert error.detail == "bad_verification_code (The code passed ([masked]) is incorrect.)"


async def test_a_deleted_token_is_named_in_the_body_and_authorised_by_the_client_secret(
    server: TokenServer, oauth: OAuth
) -> None:
    server.answer = lambda: web.Response(status=204)
    await oauth.delete_token(Literal(ACCESS))
    [(method, path, headers, body)] = server.calls
    assert (method, path) == ("DELETE", "/api/v3/applications/Iv23.client/token")
    assert body == {"access_token": ACCESS}
    assert (
        base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == f"Iv23.client:{SECRET}"
    )


@pytest.mark.parametrize("status", [404, 422])
async def test_a_token_that_github_does_not_know_counts_as_deleted(
    server: TokenServer, oauth: OAuth, status: int
) -> None:
    server.answer = lambda: web.json_response({"message": "Validation Failed"}, status=status)
    await oauth.delete_token(Literal(ACCESS))


QUOTING = {"message": " ".join((CODE, VERIFIER, SECRET, ACCESS, REFRESH))}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: web.json_response({"error": SECRET, "error_description": QUOTING["message"]}), OAuthRefused),
        (lambda: web.json_response(QUOTING, status=401), GitHubError),
        (lambda: web.json_response(QUOTING, status=409), Invalid),
        (lambda: web.json_response(QUOTING, status=429), GitHubRateLimited),
        (lambda: web.json_response(QUOTING, status=502), Unavailable),
        (lambda: web.json_response(ANSWER | {"token_type": "mac"}), Unavailable),
        (lambda: web.json_response({"token_type": "bearer", "refresh_token": REFRESH}), Unavailable),
        (lambda: web.json_response([ACCESS]), Unavailable),
        (lambda: web.Response(text=f"access_token={ACCESS}&token_type=bearer"), Unavailable),
        (lambda: web.Response(status=302, headers={"location": f"/?t={ACCESS}"}), Moved),
    ],
    ids=range(10),
)
async def test_no_error_holds_a_code_a_verifier_a_token_or_the_client_secret(
    server: TokenServer,
    oauth: OAuth,
    answer: Callable[[], web.StreamResponse],
    kind: type[GitHubError],
) -> None:
    server.answer = answer
    calls: list[tuple[Callable[[], Awaitable[object]], tuple[str, ...]]] = [
        (
            lambda: oauth.exchange(Literal(CODE), redirect_uri=BACK, verifier=Literal(VERIFIER)),
            (CODE, VERIFIER, SECRET, ACCESS, REFRESH),
        ),
        (lambda: oauth.refresh(Literal(REFRESH)), (SECRET, ACCESS, REFRESH)),
    ]
    if answer().status >= 300:
        calls.append((lambda: oauth.delete_token(Literal(ACCESS)), (SECRET, ACCESS)))
    for call, secrets in calls:
        error = await failure(call())
        assert isinstance(error, kind)
        text = full_traceback(error)
        assert not [secret for secret in secrets if secret in text]


async def test_a_lost_answer_shows_no_secret(server: TokenServer, oauth: OAuth) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serving(cut) as url:
        lost = OAuth(
            session=oauth.session,
            url=url,
            api_url=url,
            client_id="Iv23.client",
            client_secret=Literal(SECRET),
            user_agent="stanch/1.2.3",
            now=oauth.now,
        )
        for call in (lost.refresh(Literal(REFRESH)), lost.delete_token(Literal(ACCESS))):
            error = await failure(call)
            assert isinstance(error, Unreachable)
            assert not [secret for secret in (SECRET, ACCESS, REFRESH) if secret in full_traceback(error)]


class NoAddress(AbstractResolver):
    """No host has an address: nothing leaves this machine."""

    async def resolve(self, host: str, *_args: object, **_more: object) -> list[ResolveResult]:
        raise OSError(f"{host} has no address here")

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://github.octo.example", "https://github.octo.example/api/v3"),
    ],
)
async def test_each_kind_of_server_is_asked_on_its_own_hosts(
    url: str, api_url: str, time: Time, private_key: str
) -> None:
    """github.com, GHE.com and an Enterprise Server: sign-in on the website, the rest on the API."""
    asked: list[str] = []

    async def note(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        asked.append(f"{params.method} {params.url}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    connector = aiohttp.TCPConnector(resolver=NoAddress())
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        more: Any = {"session": session, "url": url, "api_url": api_url}
        oauth = OAuth(
            client_id="Iv1", client_secret=Literal(SECRET), user_agent="stanch/1.2.3", now=time, **more
        )
        github = GitHub(app_id="1", private_key=private_key, version="1.2.3", now=time, **more)
        address = oauth.authorize_url(state="s", redirect_uri=BACK)
        for call in (
            oauth.exchange(Literal(CODE), redirect_uri=BACK, verifier=None),
            oauth.refresh(Literal(REFRESH)),
            oauth.delete_token(Literal(ACCESS)),
            github.as_person(Literal(ACCESS)).account(),
        ):
            with pytest.raises(Unreachable):
                await call
    assert address.startswith(f"{url}/login/oauth/authorize?")
    assert asked == [
        f"POST {url}/login/oauth/access_token",
        f"POST {url}/login/oauth/access_token",
        f"DELETE {api_url}/applications/Iv1/token",
        f"GET {api_url}/user",
    ]
