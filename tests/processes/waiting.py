"""Bounded waiting for what another process does."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
LOOK = 0.05
"""Seconds between two looks."""


@overload
async def until(look: Callable[[], Coroutine[Any, Any, T]], what: str, *, within: float = 30.0) -> T: ...
@overload
async def until(look: Callable[[], T], what: str, *, within: float = 30.0) -> T: ...
async def until(look: Callable[[], object], what: str, *, within: float = 30.0) -> object:
    """Look again and again until there is something, and return it; AssertionError after `within` seconds.

    A condition that raises AssertionError or ValueError (`[card] = …`) does not hold yet.
    """
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            found = look()
            seen = await found if isinstance(found, Awaitable) else found
            if seen:
                return seen
            last = seen
        except (AssertionError, ValueError) as error:
            last = error
        await asyncio.sleep(LOOK)
    raise AssertionError(f"after {within} s: {what} ({last!r})")
