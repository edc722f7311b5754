"""Turns GitHub's HTTP responses, and failures to get one, into clean JSON or a GitHubError."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import aiohttp

from integrations.github.errors import (
    FeatureOff,
    Forbidden,
    GitHubError,
    GitHubRateLimited,
    GitHubUnauthorized,
    GitHubUntrusted,
    Invalid,
    Moved,
    NotFound,
    Unavailable,
    Unreachable,
    is_write,
)
from integrations.github.rate_limits import is_limited, retry_time
from integrations.github.token_format import mask_tokens
from integrations.literal import Literal

RawResponse: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

_LONGEST_MESSAGE = 200
_LONG_WORD = re.compile(r"[\w+/=-]{20,}", re.ASCII)
_FEATURE_OFF = re.compile(
    r"secret scanning is (disabled|not enabled|not available)|(advanced security|secret protection) must be enabled",
    re.IGNORECASE,
)
"""GitHub's REST reference: the status is also 404 where secret scanning is disabled; only the message says so."""


def error_from_response(
    call: str, status: int, headers: Mapping[str, str], message: str, now: float
) -> GitHubError:
    """Return the error for a response with a status of 300 or more.

    `call` is the call's name (`client.call_name`), `message` GitHub's reason (`message_of`), `now` Unix seconds.
    """
    if is_limited(status, headers, message):
        return GitHubRateLimited(call, retry_time(headers, now), status)
    match status:
        case 401:
            return GitHubUnauthorized(call, status, message or None, _clock_ahead(headers, now))
        case 403 | 404 if _FEATURE_OFF.search(message):
            return FeatureOff(call, status, message)
        case 403:
            return Forbidden(call, status, message)
        case 404 | 410 | 451:
            return NotFound(call, status, None if message == "Not Found" else message)
        case _ if status >= 500:
            return Unavailable(call, status, message)
        case _ if status >= 400:
            return Invalid(call, status, message)
        case _:
            return Moved(call, status)


def _clock_ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds by which `now` is ahead of the response's `Date` header."""
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def error_from_exception(call: str, error: Exception) -> Unreachable:
    """Return the error for a call without a response.

    A write counts as maybe done unless no connection was made.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "verify failed"
        return GitHubUntrusted(call, reason)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | aiohttp.ConnectionTimeoutError):
        return Unreachable(call, "no connection", maybe_done=False)
    if isinstance(error, TimeoutError):
        return Unreachable(call, "no answer in time", maybe_done=is_write(call))
    return Unreachable(call, "the connection was lost", maybe_done=is_write(call))


def without_secrets(body: bytes) -> bytes:
    """Return the JSON body without any field named `secret`.

    Raises ValueError or RecursionError for a body that is not JSON. The parameter `hide_secret` would make GitHub
    leave the field out, but a PATCH does not take it (GitHub's REST description).
    """
    if b'"secret"' not in body:
        return body
    return json.dumps(json.loads(body, object_pairs_hook=_without_secret)).encode()


def _without_secret(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name != "secret"}


def message_of(body: bytes) -> str:
    """Return GitHub's reason from the body of an error: at most 200 characters, masked; empty without one."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors")
    listed = errors if isinstance(errors, list) else [errors]
    reasons = [error.get("message") if isinstance(error, dict) else error for error in listed]
    parts = [part for part in (content.get("message"), *reasons) if isinstance(part, str) and part]
    message = mask_tokens(" ".join(": ".join(parts).split()))
    return _LONG_WORD.sub(_mask_if_random, message)[:_LONGEST_MESSAGE]


def _mask_if_random(word: re.Match[str]) -> str:
    """Mask a long word with both a capital letter and a digit.

    GitHub may quote what we sent: another provider's key, or a token in Base64. No long word of GitHub's own
    messages has both.
    """
    looks_random = any(c.isupper() for c in word[0]) and any(c.isdigit() for c in word[0])
    return "[masked]" if looks_random else word[0]


def secret_of(body: bytes) -> Literal | None:
    """Return the `secret` of an alert's JSON, or None; nothing else of the body is kept."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    secret = content.get("secret") if isinstance(content, dict) else None
    return Literal(secret) if isinstance(secret, str) and secret else None
