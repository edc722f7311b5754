"""Sends GitHub REST calls by gidgethub, with our own credentials, rate limit pauses and redirects.

Fields named `secret` are removed from every response.
"""

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
_REDIRECTS = frozenset({301, 307, 308})


class Credential(Protocol):
    """What authorises a call: the App's key, or an installation's token."""

    async def token(self) -> Literal | None:
        """Return the token to send now, None for a call without one. Raises GitHubError where GitHub gives none."""

    def on_unauthorized(self, token: Literal | None) -> bool:
        """Note that GitHub answered 401 to this token; return whether a second try with a new one makes sense."""


class Anonymous:
    """No credential, for calls that GitHub takes without one."""

    async def token(self) -> None:
        return None

    def on_unauthorized(self, token: Literal | None) -> bool:
        return False


@dataclass(slots=True)
class RateLimitPause:
    """When GitHub takes calls of one installation, or of the App, again; all clients of it share this object."""

    until: float = 0.0
    """Unix seconds."""

    def extend(self, until: float) -> None:
        self.until = max(self.until, until)


class ErrorResponse(Exception):
    """A response that is not a success; `message` is GitHub's reason."""

    def __init__(self, status: int, headers: Mapping[str, str], message: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.message = message


class RedirectRefused(Exception):
    """A redirect or a page link that is not followed."""


class Paused(Exception):
    """Nothing was sent, because a rate limit lasts until `until` (Unix seconds)."""

    def __init__(self, until: float) -> None:
        super().__init__(until)
        self.until = until


class Client(GitHubAPI):
    """A gidgethub client for one credential.

    Calls raise this module's exceptions, ValueError for a response that is not JSON, and aiohttp's errors.
    gidgethub's cache is not used, since it would keep literals. Each request asks the `Credential` for a token, so
    a long list can outlast a token.
    """

    most_redirects = 3

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credential: Credential,
        *,
        api_url: str,
        user_agent: str,
        now: Callable[[], float],
        slots: asyncio.Semaphore,
        pause: RateLimitPause,
        timeout: float,
    ) -> None:
        """`slots` limits the simultaneous calls of all clients; `timeout` is for one call, in seconds."""
        super().__init__(session, user_agent, base_url=api_url)
        self._credential = credential
        self._now = now
        self._slots = slots
        self._pause = pause
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal | None:
        """GET an alert and return its `secret`, or None; nothing else of the response is kept."""
        url = sansio.format_url(path, dict(variables), base_url=self.base_url)
        status, _, body = await self._send_authorized("GET", url, sansio.create_headers(self.requester), b"")
        return secret_of(body) if status == 200 else None

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Gidgethub's hook for sending: return a successful response without secrets. Raises as the class says."""
        status, response_headers, content = await self._send_authorized(method, url, headers, body)
        if method == "GET" and (content.lstrip()[:1] not in (b"{", b"[") or content.strip() == b"{}"):
            # gidgethub would read it as an empty list.
            raise ValueError("the response is neither an object nor a list")
        # gidgethub decodes no other content type.
        kept = {"content-type": "application/json"} | {
            key: response_headers[key] for key in ("link",) if key in response_headers
        }
        return status, kept, without_secrets(content)

    async def _send_authorized(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> RawResponse:
        """Send with a token, and after a 401 once more with a new one. Raises ErrorResponse for any failure."""
        if self._pause.until > self._now():
            raise Paused(self._pause.until)
        token = await self._credential.token()
        response = await self._send(method, url, self._headers(headers, token), body)
        if response[0] == 401 and self._credential.on_unauthorized(token):
            token = await self._credential.token()
            response = await self._send(method, url, self._headers(headers, token), body)
        status, response_headers, content = response
        message = "" if status in _SUCCESSES else message_of(content)
        if response_headers.get("x-ratelimit-remaining") == "0" or is_limited(
            status, response_headers, message
        ):
            self._pause.extend(retry_time(response_headers, self._now()))
        if status not in _SUCCESSES:
            raise ErrorResponse(status, response_headers, message)
        return response

    def _headers(self, headers: Mapping[str, str], token: Literal | None) -> dict[str, str]:
        added = {"accept": ACCEPT, "x-github-api-version": API_VERSION}
        return dict(headers) | added | ({"authorization": f"Bearer {token.reveal()}"} if token else {})

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> RawResponse:
        """Send, and follow redirects of GET requests that stay on GitHub's origin."""
        for _ in range(self.most_redirects + 1):
            if _origin(url) != _origin(self.base_url):
                raise RedirectRefused("it leads off GitHub's origin")
            async with (
                self._slots,
                self._session.request(
                    method, url, headers=headers, data=body, allow_redirects=False, timeout=self._timeout
                ) as response,
            ):
                status, response_headers, content = response.status, response.headers, await response.read()
            if method != "GET" or status not in _REDIRECTS or "location" not in response_headers:
                return status, response_headers, content
            url = urljoin(url, response_headers["location"])
        raise RedirectRefused("it is redirected" + " again and again" * (self.most_redirects > 0))


async def send_alone(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    user_agent: str,
    *,
    timeout: float,
    token: Literal | None = None,
    json: object = None,
) -> RawResponse:
    """Send one request without a credential of ours, and follow no redirect; `timeout` is in seconds."""
    headers = {"User-Agent": user_agent, "Accept": ACCEPT, "X-GitHub-Api-Version": API_VERSION}
    async with session.request(
        method,
        url,
        headers=headers | ({"Authorization": f"Bearer {token.reveal()}"} if token else {}),
        json=json,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=timeout),
    ) as response:
        return response.status, response.headers, await response.read()


def call_name(method: str, path: str) -> str:
    """Return a call's name for errors and logs: method and path template, without the query."""
    return f"{method} {path.partition('?')[0]}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
