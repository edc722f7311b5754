"""Slack's rate limits: per method by its tier, and one message a second per channel."""

import math
from collections.abc import Callable

from integrations.sandbox.slack.methods import Method

# Slack's docs: about one message a second per channel, with short bursts above that.
CHANNEL_BURST = 4


class RateLimits:
    """One bucket per method and per channel posted to; buckets refill evenly."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, method: Method, channel: str | None) -> int:
        """Seconds until the call may be made, for `Retry-After`; 0 allows and counts it."""
        wait = self._take(method.name, method.per_minute, method.per_minute / 60)
        if not wait and channel is not None and method.name == "chat.postMessage":
            wait = self._take(f"channel {channel}", CHANNEL_BURST, 1.0)
        return wait

    def _take(self, name: str, size: float, per_second: float) -> int:
        now = self._now()
        level, at = self._buckets.get(name, (size, now))
        level = min(size, level + (now - at) * per_second)
        if level < 1:
            self._buckets[name] = (level, now)
            return math.ceil((1 - level) / per_second)
        self._buckets[name] = (level - 1, now)
        return 0
