"""Recognises GitHub's rate limits in a response and reads when they end."""

from collections.abc import Mapping


def retry_time(headers: Mapping[str, str], now: float) -> float:
    """Return the Unix seconds from which GitHub takes calls again, at most a day from `now`.

    GitHub's docs, "Rate limits for the REST API": `retry-after` comes first, then `x-ratelimit-reset` where
    `x-ratelimit-remaining` is 0, else wait at least 60 seconds.
    """
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isascii() and wait.isdigit():
        return now + min(max(int(wait[:9]), 1), 86_400)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return min(max(float(reset[:12]), now + 1), now + 86_400)
    return now + 60


def is_limited(status: int, headers: Mapping[str, str], message: str) -> bool:
    """Whether a response reports a primary or secondary rate limit. GitHub's docs: the status is 403 or 429."""
    has_limit_header = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return status == 429 or (status == 403 and (has_limit_header or "rate limit" in message.lower()))
