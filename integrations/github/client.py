"""The gidgethub client with our rules on it: headers, timeouts, redirects, limits, errors in one place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import gidgethub
from gidgethub import sansio
from gidgethub.aiohttp import GitHubAPI

from integrations.github.answers import Answer, no_answer, presentable, refusal, secret_of
from integrations.github.errors import GitHubError, Moved, RateLimited, Unauthorized, Unavailable
from integrations.github.json_values import JsonObject, json_objects
from integrations.literal import Literal

API_VERSION = "2022-11-28"
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 307, 308})

T = TypeVar("T")


class Credential(Protocol):
    """What a call is authorised with: the App itself, or one of its installations."""

    async def token(self) -> Literal | None:
        """The token to send now, or None for a call that takes none; raises GitHubError without one."""

    def refuse(self, token: Literal | None) -> bool:
        """GitHub answered 401 to this token; says whether a new one is worth a second try."""


class Anonymous:
    """No credential at all, for calls that GitHub wants without one."""

    async def token(self) -> None:
        return None

    def refuse(self, token: Literal | None) -> bool:
        return False


class _StrayedError(Exception):
    """A redirect or a page link that is not followed."""


class _LimitReachedError(Exception):
    """GitHub has said that nothing is left until later."""

    def __init__(self, retry_at: float) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


class Client(GitHubAPI):
    """Calls GitHub's REST API; one instance per installation, because the rate limit is.

    Never with gidgethub's cache, which would keep literals, and never with credentials of its own: each call
    brings its `Credential`.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], float],
        slots: asyncio.Semaphore,
        timeout: float,
    ) -> None:
        """`slots` are the calls at once, over all clients; `timeout` is for one call, in seconds."""
        super().__init__(session, user_agent, base_url=api_url)
        self._now = now
        self._slots = slots
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def call(
        self,
        credential: Credential,
        method: str,
        path: str,
        variables: Mapping[str, str] | None = None,
        data: Mapping[str, object] | None = None,
    ) -> object:
        """Send one request and return the answer's JSON, without any field named `secret`.

        `path` is a URI template, `variables` its text values, which it escapes. Raises GitHubError.
        """
        answer, _ = await self._page(credential, method, path, path, variables, data)
        return answer

    async def pages(
        self,
        credential: Credential,
        path: str,
        variables: Mapping[str, str] | None = None,
        key: str = "items",
    ) -> AsyncIterator[JsonObject]:
        """Go through all objects of a list, page by page; `key` names the list where it is wrapped."""
        address: str | None = path
        while address:
            listed, address = await self._list(credential, path, address, variables, key)
            if listed is None:
                raise Unavailable(call_name("GET", path), 200, "the answer is not a list")
            for item in listed:
                yield item

    async def _list(
        self, credential: Credential, path: str, address: str, variables: Mapping[str, str] | None, key: str
    ) -> tuple[tuple[JsonObject, ...] | None, str | None]:
        answer, following = await self._page(credential, "GET", path, address, variables, None)
        listed = answer.get(key) if isinstance(answer, dict) else answer
        return json_objects(listed) if isinstance(listed, list) else None, following

    async def literal(self, credential: Credential, path: str, variables: Mapping[str, str]) -> Literal:
        """Fetch an alert for its `secret` alone; nothing else of the answer is kept. Raises GitHubError."""
        what = call_name("GET", path)
        address = sansio.format_url(path, dict(variables), base_url=self.base_url)

        async def fetch(headers: Mapping[str, str]) -> Literal | None:
            if self.rate_limit is not None:
                self.rate_limit.remaining -= 1
            await self.manage_rate_limit(method="GET", url=address)
            status, answered, body = await self._exchange("GET", address, headers, b"")
            if status == 200:
                return secret_of(body)
            sansio.decipher_response(*presentable(status, answered, body))
            return None

        found = await self._authorised(what, credential, fetch)
        if found is None:
            raise Unavailable(what, 200, "the answer holds no secret")
        return found

    async def _page(
        self,
        credential: Credential,
        method: str,
        path: str,
        address: str,
        variables: Mapping[str, str] | None,
        data: Mapping[str, object] | None,
    ) -> tuple[object, str | None]:
        async def send(headers: dict[str, str]) -> tuple[object, str | None]:
            body: object = b"" if data is None else data
            accept = sansio.accept_format()
            answer, following, _ = await self._make_request(
                method, address, variables or {}, body, accept, extra_headers=headers
            )
            return answer, following

        return await self._authorised(call_name(method, path), credential, send)

    async def _authorised(
        self, what: str, credential: Credential, send: Callable[[dict[str, str]], Awaitable[T]]
    ) -> T:
        token = await credential.token()
        try:
            return await self._translated(what, send(self._headers(token)))
        except Unauthorized:
            if not credential.refuse(token):
                raise
        return await self._translated(what, send(self._headers(await credential.token())))

    def _headers(self, token: Literal | None) -> dict[str, str]:
        headers = {
            "x-github-api-version": API_VERSION,
            "user-agent": self.requester,
            "accept": sansio.accept_format(),
        }
        return headers | {"authorization": f"Bearer {token.reveal()}"} if token else headers

    async def _translated(self, what: str, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except (
            gidgethub.HTTPException,
            _StrayedError,
            _LimitReachedError,
            aiohttp.ClientError,
            OSError,
        ) as error:
            failure = self._failure(what, error)
        # Raised outside the handler, so that no context leads to frames that hold a token or a body.
        raise failure

    def _failure(self, what: str, error: Exception) -> GitHubError:
        match error:
            case _LimitReachedError():
                return RateLimited(what, error.retry_at)
            case _StrayedError():
                return Moved(what, detail=str(error))
            case gidgethub.HTTPException():
                return refusal(what, int(error.status_code), error.headers, str(error), self._now())
            case _:
                return no_answer(what, error)

    async def manage_rate_limit(self, *, method: str, url: str) -> None:
        """Ask nothing while GitHub's last answer says that nothing is left."""
        limit = self.rate_limit
        # gidgethub has taken this very request off the remaining ones already.
        if limit is not None and limit.remaining < 0 and limit.reset_datetime.timestamp() > self._now():
            raise _LimitReachedError(limit.reset_datetime.timestamp())

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = presentable(*await self._exchange(method, url, headers, body))
        self.rate_limit = sansio.RateLimit.from_http(answer[1]) or self.rate_limit
        return answer

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send, and follow redirects by hand: of reads alone, and on GitHub's origin alone."""
        for _ in range(_MOST_REDIRECTS + 1):
            if _origin(url) != _origin(self.base_url):
                raise _StrayedError("it leads off GitHub's origin")
            async with (
                self._slots,
                self._session.request(
                    method, url, headers=headers, data=body, allow_redirects=False, timeout=self._timeout
                ) as response,
            ):
                answer = response.status, response.headers, await response.read()
            if method != "GET" or answer[0] not in _REDIRECTS or "location" not in answer[1]:
                return answer
            url = urljoin(url, answer[1]["location"])
        raise _StrayedError("it is redirected again and again")


def call_name(method: str, path: str) -> str:
    """How errors name a call: by its template, without the query."""
    return f"{method} {path.partition('?')[0]}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
