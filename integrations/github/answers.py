"""What an HTTP answer of GitHub, or the lack of one, comes to: clean JSON or one of our errors."""

import http
import json
import re
from collections.abc import Mapping
from typing import TypeAlias

import aiohttp

from integrations.github.errors import (
    FeatureOff,
    Forbidden,
    GitHubError,
    Invalid,
    Moved,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unreachable,
    is_write,
)
from integrations.github.token_format import mask_tokens, retry_time
from integrations.literal import Literal

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

_LONGEST_MESSAGE = 200
_LONG_WORD = re.compile(r"[\w+/=-]{20,}", re.ASCII)
_FEATURE_OFF = re.compile(r"secret scanning is (disabled|not enabled|not available)", re.IGNORECASE)
"""GitHub's reference: 404 also where secret scanning is disabled for the repository; the message says so."""
_LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_KEPT_HEADERS = ("link", "retry-after")


def refusal(what: str, status: int, headers: Mapping[str, str], message: str, now: float) -> GitHubError:
    """The error that an answer of 300 or more is."""
    if status in {403, 429} and is_limited(status, headers, message):
        return RateLimited(what, retry_time(headers, now), status)
    match status:
        case 401:
            return Unauthorized(what, status)
        case 403:
            return Forbidden(what, status, message)
        case 404 if _FEATURE_OFF.search(message):
            return FeatureOff(what, status, message)
        case 404 | 410 | 451:
            return NotFound(what, status, None if message == "Not Found" else message)
        case _ if status >= 500:
            return Unavailable(what, status, message)
        case _ if status >= 400:
            return Invalid(what, status, message)
        case _:
            return Moved(what, status)


def no_answer(what: str, error: Exception) -> Unreachable:
    """The error that a lost or missing answer is; only a connection that never was leaves a write undone."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | aiohttp.ConnectionTimeoutError):
        return Unreachable(what, "no connection", maybe_done=False)
    if isinstance(error, TimeoutError):
        return Unreachable(what, "no answer in time", maybe_done=is_write(what))
    return Unreachable(what, "the connection was lost", maybe_done=is_write(what))


def is_limited(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Whether a 403 or 429 is a primary or secondary rate limit, by GitHub's docs."""
    said = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return status == 429 or said or "rate limit" in message.lower()


def presentable(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer, so that gidgethub meets no secret in it and raises nothing but its own errors."""
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    kept |= {name: headers[name] for name in _LIMIT_HEADERS if _is_small_number(headers.get(name, ""))}
    kept["content-type"] = "application/json"
    if status >= 300:
        known = status if status in {code.value for code in http.HTTPStatus} else 502
        return known, kept, _as_message(message_of(body))
    answer, readable = _json_without_secrets(body)
    if not readable:
        # A page that isn't GitHub's JSON is some proxy's, and says as little as a server error.
        return 502, kept, _as_message("the answer is not JSON")
    return status, kept, json.dumps(answer).encode() if body else b""


def _as_message(message: str) -> bytes:
    return json.dumps({"message": message}).encode()


def _is_small_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _json_without_secrets(body: bytes) -> tuple[object, bool]:
    if not body:
        return None, True
    try:
        return json.loads(body, object_pairs_hook=_without_secret), True
    except (ValueError, RecursionError):
        return None, False


def _without_secret(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name != "secret"}


def message_of(body: bytes) -> str:
    """GitHub's own words for what went wrong, cut and without anything like a token."""
    answer, _ = _json_without_secrets(body)
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
