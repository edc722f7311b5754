"""Delivers to the app by signed HTTP requests, exactly as Slack sends them."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

from integrations.sandbox.hosts import real_address
from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import FORM, JSON_TYPE
from integrations.sandbox.slack.records import App

Kind = Literal["interactive", "slash_commands", "events_api"]


@dataclass(frozen=True, slots=True)
class SlackDelivery:
    """A payload for the app, not encoded yet. `kind` is Socket Mode's name for it."""

    kind: Kind
    payload: Json
    retry: tuple[int, str] | None = None
    """For an event: number (1 to 3) and reason of the retry."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A POST as it was sent; it can be repeated byte for byte."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of a gesture or event.

    `status` is None if nothing was sent or no answer came. `error` is the error that Slack shows:
    `operation_timeout` after three seconds, `dispatch_failed` for no connection or a status other than 200.
    `view_errors` are the errors under a modal's fields, from the app or from Slack's client.
    """

    request: SignedRequest | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    elapsed: float = 0.0
    error: str | None = None
    view_errors: Mapping[str, str] = field(default_factory=dict)
    payload: Json = field(default_factory=dict)
    envelope: Json | None = None
    """The envelope in Socket Mode, where status 200 means acknowledged."""

    @property
    def trigger_id(self) -> str:
        return str(self.payload.get("trigger_id", ""))

    @property
    def response_url(self) -> str:
        return str(self.payload.get("response_url", ""))

    def json(self) -> Any:
        return json.loads(self.body)


class Transport(Protocol):
    """Sends deliveries to the app, over HTTP or Socket Mode."""

    async def send(self, delivery: SlackDelivery) -> DeliveryResult:
        """Deliver, and wait for the acknowledgement."""
        ...


def signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Slack's docs: `v0=` and the hex HMAC-SHA256 of `v0:{timestamp}:{body}` under the signing secret."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


class HttpTransport:
    """Posts all kinds of deliveries to the app's request URL."""

    def __init__(
        self,
        *,
        app: App,
        url: Callable[[], str],
        now: Callable[[], float],
        timeout: float,
        hosts: Mapping[str, str],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._url = url
        self._now = now
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, delivery: SlackDelivery) -> DeliveryResult:
        body, content_type = encode(delivery)
        headers = {}
        if delivery.retry is not None:
            number, reason = delivery.retry
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        request = self.request(body, content_type=content_type, headers=headers)
        return await self.post(request, delivery.payload)

    def request(
        self,
        body: bytes,
        *,
        content_type: str,
        timestamp: str | None = None,
        signed: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SignedRequest:
        """A request with Slack's headers; `timestamp` and `signed` replace the correct values, "" omits one."""
        at = str(int(self._now())) if timestamp is None else timestamp
        signed_as = signature(self._app.signing_secret, at, body) if signed is None else signed
        ours = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signed_as,
        }
        return SignedRequest(self._url(), {k: v for k, v in ours.items() if v} | dict(headers or {}), body)

    async def post(self, request: SignedRequest, payload: Json) -> DeliveryResult:
        """Send a request and read the answer within Slack's three seconds."""
        if self._session is None:
            raise RuntimeError("The stand-in is not started")
        begun = time.perf_counter()
        try:
            address = real_address(request.url, self._hosts)
            if address is None:
                raise aiohttp.ClientConnectionError("not on this machine")
            async with self._session.post(
                address, data=request.body, headers=request.headers, allow_redirects=False
            ) as response:
                body = (await response.read()).decode("utf-8", "replace")
        except (TimeoutError, aiohttp.ClientError) as error:
            late = isinstance(error, asyncio.TimeoutError)
            word = "operation_timeout" if late else "dispatch_failed"
            elapsed = time.perf_counter() - begun
            return DeliveryResult(request, elapsed=elapsed, error=word, payload=payload)
        return DeliveryResult(
            request,
            response.status,
            response.headers.copy(),
            body,
            time.perf_counter() - begun,
            None if response.status == 200 else "dispatch_failed",
            payload=payload,
        )


def encode(delivery: SlackDelivery) -> tuple[bytes, str]:
    """Body and content type: interactions in a form's `payload`, commands as a flat form, events as JSON."""
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), FORM
    text = json.dumps(delivery.payload, separators=(",", ":"))
    if delivery.kind == "interactive":
        return urlencode({"payload": text}).encode(), FORM
    return text.encode(), JSON_TYPE
