"""Turns GitHub's HTTP responses, and failures to get one, into clean JSON or a GitHubError."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import aiohttp

from integrations.github import errors
from integrations.github.json_fields import decode_object, json_object, text
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
) -> errors.GitHubError:
    """Return the error for a response with a status of 300 or more.

    `call` is the call's name (`client.call_name`), `message` GitHub's reason (`message_of`), `now` Unix seconds.
    """
    if is_limited(status, headers, message):
        return errors.GitHubRateLimited(call, retry_time(headers, now), status)
    match status:
        case 401:
            return errors.GitHubUnauthorized(call, status, message or None, clock_ahead(headers, now))
        case 403 | 404 if _FEATURE_OFF.search(message):
            return errors.FeatureOff(call, status, message)
        case 403:
            return errors.Forbidden(call, status, message)
        case 404 | 410 | 451:
            return errors.NotFound(call, status, None if message == "Not Found" else message)
        case _ if status >= 500:
            return errors.Unavailable(call, status, message)
        case _ if status >= 400:
            return errors.Invalid(call, status, message)
        case _:
            return errors.Moved(call, status)


def clock_ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds by which `now` is ahead of the response's `Date` header."""
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def error_from_exception(call: str, error: Exception) -> errors.Unreachable:
    """Return the error for a call without a response.

    A write counts as maybe done unless no connection was made.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "verify failed"
        return errors.GitHubUntrusted(call, reason)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | aiohttp.ConnectionTimeoutError):
        return errors.Unreachable(call, "no connection", maybe_done=False)
    if isinstance(error, TimeoutError):
        return errors.Unreachable(call, "no answer in time", maybe_done=errors.is_write(call))
    return errors.Unreachable(call, "the connection was lost", maybe_done=errors.is_write(call))


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
    content = decode_object(body) or {}
    reasons = content.get("errors")
    listed = reasons if isinstance(reasons, list) else [reasons]
    parts = (content.get("message"), *((json_object(item) or {}).get("message", item) for item in listed))
    return clean_message(": ".join(filter(None, map(text, parts))))


def clean_message(reason: str) -> str:
    """Return GitHub's text in one line of at most 200 characters, masked."""
    message = mask_tokens(" ".join(reason.split()))
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
    secret = text((decode_object(body) or {}).get("secret"))
    return Literal(secret) if secret else None
