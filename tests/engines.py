"""Keeps the engines of a worker's databases: compiling every statement anew takes a quarter of a flow test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.engines import Engines, open_engines

_IDLE: dict[str, Engines] = {}
_MOST = 4
"""Most tests use the same two databases."""


@asynccontextmanager
async def kept_engines(url: str) -> AsyncIterator[Engines]:
    """Engines of a database that nobody else uses at the same time; its user closes their connections."""
    engines = _IDLE.pop(url, None) or open_engines(url)
    yield engines
    if len(_IDLE) < _MOST:
        _IDLE[url] = engines
