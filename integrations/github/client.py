"""GitHub's REST API through gidgethub, with our rules at its seam: credentials, limits, redirects, no secrets."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp
from gidgethub import sansio
from gidgethub.aiohttp import GitHubAPI

from integrations.github.rate_limits import is_limited, retry_time
from integrations.github.responses import RawResponse, message_of, secret_of, without_secrets
from integrations.literal import Literal

API_VERSION = "2022-11-28"
ACCEPT = "application/vnd.github+json"
_SUCCESSES = frozenset({200, 201, 202, 204})
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 307, 308})


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


@dataclass(slots=True)
class RateLimitPause:
    """Until when GitHub takes no more calls of an installation, or of the App; all its clients share one."""

    until: float = 0.0
    """Unix seconds."""

    def extend(self, until: float) -> None:
        self.until = max(self.until, until)


class ErrorResponse(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, headers: Mapping[str, str], message: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.message = message


class RedirectRefused(Exception):
    """A redirect or a page link that is not followed."""


class Paused(Exception):
    """Nothing was sent, since GitHub has said when it takes the next call."""

    def __init__(self, until: float) -> None:
        super().__init__(until)
        self.until = until


class Client(GitHubAPI):
    """Asks GitHub as somebody. Raises this module's exceptions, ValueError where an answer is not JSON.

    Never with gidgethub's cache, which would keep literals, and never with a token of its own: each request
    brings one of its `Credential`, so that a list longer than a token's life goes on with the next one.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credential: Credential,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], float],
        slots: asyncio.Semaphore,
        hold: RateLimitPause,
        timeout: float,
    ) -> None:
        """`slots` are the calls at once, over all clients; `timeout` is for one call, in seconds."""
        super().__init__(session, user_agent, base_url=api_url)
        self._credential = credential
        self._now = now
        self._slots = slots
        self._hold = hold
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal | None:
        """The `secret` of an alert, or None; nothing else of the answer is kept."""
        url = sansio.format_url(path, dict(variables), base_url=self.base_url)
        status, _, body = await self._answer("GET", url, sansio.create_headers(self.requester), b"")
        return secret_of(body) if status == 200 else None

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The seam of gidgethub, which sees successful answers alone, without secrets; raises as the class says."""
        status, answered, content = await self._answer(method, url, headers, body)
        if method == "GET" and (content.lstrip()[:1] not in (b"{", b"[") or content.strip() == b"{}"):
            # gidgethub would take it for a list without items.
            raise ValueError("the answer is neither an object nor a list")
        # gidgethub takes a body of another type for plain text.
        kept = {"content-type": "application/json"} | {
            key: answered[key] for key in ("link",) if key in answered
        }
        return status, kept, without_secrets(content)

    async def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> RawResponse:
        """Send with a token, once more where GitHub no longer knows it; raises ErrorAnswer unless it succeeds."""
        if self._hold.until > self._now():
            raise Paused(self._hold.until)
        token = await self._credential.token()
        answer = await self._follow(method, url, self._headers(headers, token), body)
        if answer[0] == 401 and self._credential.refuse(token):
            token = await self._credential.token()
            answer = await self._follow(method, url, self._headers(headers, token), body)
        status, answered, content = answer
        message = "" if status in _SUCCESSES else message_of(content)
        if answered.get("x-ratelimit-remaining") == "0" or is_limited(status, answered, message):
            self._hold.extend(retry_time(answered, self._now()))
        if status not in _SUCCESSES:
            raise ErrorResponse(status, answered, message)
        return answer

    def _headers(self, headers: Mapping[str, str], token: Literal | None) -> dict[str, str]:
        added = {"accept": ACCEPT, "x-github-api-version": API_VERSION}
        return dict(headers) | added | ({"authorization": f"Bearer {token.reveal()}"} if token else {})

    async def _follow(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> RawResponse:
        """Send, and follow redirects by hand: of reads alone, and on GitHub's origin alone."""
        for _ in range(_MOST_REDIRECTS + 1):
            if _origin(url) != _origin(self.base_url):
                raise RedirectRefused("it leads off GitHub's origin")
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
        raise RedirectRefused("it is redirected again and again")


def call_name(method: str, path: str) -> str:
    """How errors name a call: by its template, without the query."""
    return f"{method} {path.partition('?')[0]}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
