"""Waits, within a limit, for the effects of another process."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
CHECK_EVERY = 0.05
"""Seconds."""


@overload
async def until(condition: Callable[[], Coroutine[Any, Any, T]], what: str, *, within: float = 30.0) -> T: ...
@overload
async def until(condition: Callable[[], T], what: str, *, within: float = 30.0) -> T: ...
async def until(condition: Callable[[], object], what: str, *, within: float = 30.0) -> object:
    """Call `condition` until its result is true, and return that; AssertionError after `within` seconds.

    A condition that raises AssertionError or ValueError (`[card] = …`) does not hold yet.
    """
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            found = condition()
            seen = await found if isinstance(found, Awaitable) else found
            if seen:
                return seen
            last = seen
        except (AssertionError, ValueError) as error:
            last = error
        await asyncio.sleep(CHECK_EVERY)
    raise AssertionError(f"after {within} s: {what} ({last!r})")
