"""Reads the body of a request within a size and a time: whoever sends it is not known yet."""

import asyncio

from aiohttp import web

from storage.clock import Clock

READ_WITHIN = 10.0
"""Seconds for a whole body. GitHub itself ends a delivery after 10 seconds, Slack a request after 3."""


class BodyRefused(Exception):
    """The body is not read to its end; `status` and `outcome` are the answer and its short name."""

    def __init__(self, status: int, outcome: str) -> None:
        super().__init__(outcome)
        self.status = status
        self.outcome = outcome


async def read_body(request: web.Request, clock: Clock, *, largest: int) -> bytes:
    """The body, of at most `largest` bytes; raises BodyRefused for a larger one and for one that takes too long."""
    if (request.content_length or 0) > largest:
        raise BodyRefused(413, "too_large")
    reading = asyncio.create_task(_read(request, largest))
    limit = asyncio.create_task(clock.sleep(READ_WITHIN))
    try:
        await asyncio.wait({reading, limit}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise BodyRefused(408, "too_slow")
        return reading.result()
    finally:
        reading.cancel()
        limit.cancel()


async def _read(request: web.Request, largest: int) -> bytes:
    """As `request.read()`, which would first buffer as much as the whole application takes."""
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > largest:
            raise BodyRefused(413, "too_large")
    return bytes(body)
