"""What an HTTP answer of GitHub, or the lack of one, comes to: clean JSON or one of our errors."""

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
"""GitHub's reference: 404 also where secret scanning is disabled for the repository; the message says so."""


def error_from_response(
    what: str, status: int, headers: Mapping[str, str], message: str, now: float
) -> GitHubError:
    """The error that an answer of 300 or more is."""
    if is_limited(status, headers, message):
        return GitHubRateLimited(what, retry_time(headers, now), status)
    match status:
        case 401:
            return GitHubUnauthorized(what, status, message or None, _clock_ahead(headers, now))
        case 403 | 404 if _FEATURE_OFF.search(message):
            return FeatureOff(what, status, message)
        case 403:
            return Forbidden(what, status, message)
        case 404 | 410 | 451:
            return NotFound(what, status, None if message == "Not Found" else message)
        case _ if status >= 500:
            return Unavailable(what, status, message)
        case _ if status >= 400:
            return Invalid(what, status, message)
        case _:
            return Moved(what, status)


def _clock_ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds between our time and the `Date` of an answer."""
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def error_from_exception(what: str, error: Exception) -> Unreachable:
    """The error that a lost or missing answer is; only a connection that never was leaves a write undone."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return GitHubUntrusted(
            what, getattr(error.certificate_error, "verify_message", "") or "verify failed"
        )
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | aiohttp.ConnectionTimeoutError):
        return Unreachable(what, "no connection", maybe_done=False)
    if isinstance(error, TimeoutError):
        return Unreachable(what, "no answer in time", maybe_done=is_write(what))
    return Unreachable(what, "the connection was lost", maybe_done=is_write(what))


def without_secrets(body: bytes) -> bytes:
    """The JSON of an answer without any field named `secret`; raises ValueError or RecursionError if it is none.

    GitHub leaves the field out where `hide_secret` is sent, which a PATCH does not take.
    """
    if b'"secret"' not in body:
        return body
    return json.dumps(json.loads(body, object_pairs_hook=_without_secret)).encode()


def _without_secret(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name != "secret"}


def message_of(body: bytes) -> str:
    """GitHub's own words for what went wrong, cut and without anything like a token."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors")
    listed = errors if isinstance(errors, list) else [errors]
    reasons = [error.get("message") if isinstance(error, dict) else error for error in listed]
    parts = [part for part in (answer.get("message"), *reasons) if isinstance(part, str) and part]
    said = mask_tokens(" ".join(": ".join(parts).split()))
    return _LONG_WORD.sub(_unless_a_word, said)[:_LONGEST_MESSAGE]


def _unless_a_word(found: re.Match[str]) -> str:
    """`[masked]` for what GitHub may repeat of what it was sent: keys of others, or a token in Base64.

    It holds a capital letter and a digit, which no long word of GitHub's own does.
    """
    made_up = any(c.isupper() for c in found[0]) and any(c.isdigit() for c in found[0])
    return "[masked]" if made_up else found[0]


def secret_of(body: bytes) -> Literal | None:
    """The `secret` of an alert, or None; the rest of the answer is forgotten."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    secret = answer.get("secret") if isinstance(answer, dict) else None
    return Literal(secret) if isinstance(secret, str) and secret else None
