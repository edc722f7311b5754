"""Shared by the two POST routes: reads a body within a size and a time, and logs refused requests.

Until the signature is checked, anybody on the network may have sent the request.
"""

import structlog
from aiohttp import web

from storage.clock import Clock

log = structlog.get_logger(__name__)
READ_WITHIN = 10.0
"""Seconds for a whole body. GitHub itself ends a delivery after 10 seconds, Slack a request after 3."""
LOG_EVERY = 60.0
"""Seconds between two log lines with the same reason."""


class BodyRefused(Exception):
    """The body was not read to its end; `status` is the answer and `outcome` its short name."""

    def __init__(self, status: int, outcome: str) -> None:
        super().__init__(outcome)
        self.status = status
        self.outcome = outcome


async def read_body(request: web.Request, clock: Clock, *, largest: int) -> bytes:
    """The body; raises BodyRefused if it has more than `largest` bytes, takes too long or can't be unpacked."""
    if (request.content_length or 0) > largest:
        raise BodyRefused(413, "too_large")
    body = await clock.wait_for(_read(request, largest), READ_WITHIN)
    if body is None:
        raise BodyRefused(408, "too_slow")
    return body


async def _read(request: web.Request, largest: int) -> bytes:
    """Like `request.read()`, which would buffer up to the limit of the whole application."""
    body = bytearray()
    try:
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > largest:
                raise BodyRefused(413, "too_large")
    except web.RequestPayloadError:
        raise BodyRefused(400, "broken_body") from None
    return bytes(body)


class RefusedRequests:
    """Logs what one route refuses, at most one line a minute for each reason."""

    def __init__(self, route: str, clock: Clock) -> None:
        self._route = route
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def note(self, status: int, reason: str, detail: str) -> None:
        """Log a refusal, or only count it if one with this reason was logged within the last minute.

        `reason` is one of a few fixed words; `detail` says what to check, and quotes nothing of the request.
        """
        now = self._clock.monotonic()
        logged_at = self._logged_at.get(reason)
        if logged_at is not None and now - logged_at < LOG_EVERY:
            self._unlogged[reason] = self._unlogged.get(reason, 0) + 1
            return
        self._logged_at[reason] = now
        more = self._unlogged.pop(reason, 0)
        log.warning(
            "request_refused", route=self._route, status=status, reason=reason, detail=detail, not_logged=more
        )
