"""Logs requests that were refused, at most one line a minute for each reason."""

import structlog

from storage.clock import Clock

log = structlog.get_logger(__name__)
ONE_LINE_EACH = 60.0
"""Seconds between two lines about the same reason."""


class RefusedRequests:
    """What one route refused lately."""

    def __init__(self, route: str, clock: Clock) -> None:
        self._route = route
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def note(self, status: int, reason: str, detail: str) -> None:
        """Log a refusal, or only count it where a line about this reason was written within the last minute.

        `reason` is one of our few short words; `detail` says what to look at, without anything of the request.
        """
        now = self._clock.monotonic()
        logged_at = self._logged_at.get(reason)
        if logged_at is not None and now - logged_at < ONE_LINE_EACH:
            self._unlogged[reason] = self._unlogged.get(reason, 0) + 1
            return
        self._logged_at[reason] = now
        more = self._unlogged.pop(reason, 0)
        log.warning(
            "request_refused", route=self._route, status=status, reason=reason, detail=detail, not_logged=more
        )
