"""Faults of a stand-in, switched on by tests: errors, hanging calls, dropped connections, gates."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

Effect = Callable[[], Awaitable[web.StreamResponse]]
POLL_SECONDS = 0.02


@dataclass(slots=True, eq=False)
class PlannedFault:
    """One fault: the calls that it applies to, how often, and its effect."""

    pattern: re.Pattern[str]
    times: int | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    hang: bool = False
    drop: Literal["before", "after"] | None = None
    slow: float = 0.0
    garbage: bool = False
    skip: int = 0
    hits: int = 0

    def applies_to(self, name: str) -> bool:
        """Whether the fault applies to the call `name` now; counts the hit."""
        if self.times is not None and self.hits >= self.times:
            return False
        if not self.pattern.fullmatch(name):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True


@dataclass(slots=True, eq=False)
class Gate:
    """Holds matching calls until the test opens the gate or drops the connection."""

    pattern: re.Pattern[str]
    at: Literal["before", "after"]
    times: int | None
    hits: int = 0
    _reached: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _dropping: bool = False

    async def reached(self, timeout: float = 5.0) -> None:
        """Wait until a call is held; `TimeoutError` after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            await self._reached.wait()

    def open(self) -> None:
        """Let the held call and all later ones pass."""
        self._released.set()

    def drop(self) -> None:
        """Close the held call's connection: instead of its effect, or instead of its answer."""
        self._dropping = True
        self._released.set()

    async def hold(self, at: str, name: str) -> bool:
        """Hold the call `name` if the gate applies to it; returns whether to drop its connection."""
        spent = self.times is not None and self.hits >= self.times
        if self.at != at or spent or not self.pattern.fullmatch(name):
            return False
        self.hits += 1
        self._reached.set()
        await self._released.wait()
        return self._dropping


class FaultPlan:
    """The faults of one stand-in.

    A pattern is a regex for the whole name of a call: `"PATCH /repos/octo/payments/…"` for GitHub,
    `"chat.postMessage"` for Slack. Gates come first, then all matching faults in the order they were added:
    delays add up, and the first other fault decides.
    """

    def __init__(self) -> None:
        self.rules: list[PlannedFault] = []
        self.gates: list[Gate] = []
        self._stopped = False

    def add(
        self,
        pattern: str,
        *,
        times: int | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        hang: bool = False,
        drop: Literal["before", "after"] | None = None,
        slow: float = 0.0,
        garbage: bool = False,
        skip: int = 0,
    ) -> PlannedFault:
        """Add a fault and return it.

        It passes the first `skip` matching calls and applies to the next `times` (`None`: until removed).

        - `status` answers with `headers` and `body` (JSON, or text unchanged) and without effect.
        - `hang` never answers.
        - `drop` closes the connection before or after the effect.
        - `slow` first waits that many seconds.
        - `garbage` answers 200 with an HTML page.
        """
        rule = PlannedFault(
            re.compile(pattern), times, status, headers or {}, body, hang, drop, slow, garbage, skip
        )
        self.rules.append(rule)
        return rule

    def gate(self, pattern: str, *, at: Literal["before", "after"], times: int | None = 1) -> Gate:
        """Hold matching calls before or after their effect; see `Gate`."""
        gate = Gate(re.compile(pattern), at, times)
        self.gates.append(gate)
        return gate

    def remove(self, rule: PlannedFault) -> None:
        """Turn one fault off."""
        self.rules.remove(rule)

    def clear(self) -> None:
        """Turn every fault off and open every gate."""
        self.rules.clear()
        for gate in self.gates:
            gate.open()
        self.gates.clear()

    def stop(self) -> None:
        """End all hanging and held calls, because the server stops."""
        self._stopped = True
        for gate in self.gates:
            gate.drop()

    async def guard(self, request: web.Request, name: str, effect: Effect) -> web.StreamResponse:
        """Answer one call: apply the gates and faults that match `name` before and after `effect`."""
        if await self._held("before", name):
            return drop_connection(request)
        rules = [rule for rule in self.rules if rule.applies_to(name)]
        for rule in rules:
            if rule.slow:
                await asyncio.sleep(rule.slow)
            if rule.hang:
                await self._hang(request)
                return drop_connection(request)
            if rule.drop == "before":
                return drop_connection(request)
            if rule.garbage:
                return web.Response(text="<html><body>Whoa there!</body></html>", content_type="text/html")
            if rule.status is not None:
                return _failure(rule.status, rule.headers, rule.body)
        response = await effect()
        if await self._held("after", name) or any(rule.drop == "after" for rule in rules):
            return drop_connection(request)
        return response

    async def _held(self, at: str, name: str) -> bool:
        for gate in self.gates:
            if await gate.hold(at, name):
                return True
        return False

    async def _hang(self, request: web.Request) -> None:
        while not (self._stopped or is_dropped(request)):  # noqa: ASYNC110 # aiohttp has no event for it.
            await asyncio.sleep(POLL_SECONDS)


def is_dropped(request: web.Request) -> bool:
    """Whether the request's connection is closed or closing."""
    return request.transport is None or request.transport.is_closing()


def drop_connection(request: web.Request) -> web.Response:
    """Close the request's connection; the returned response is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _failure(status: int, headers: Mapping[str, str], body: object) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, headers=headers, text=body)
    payload = {"message": "A fault is switched on in the stand-in."} if body is None else body
    return web.Response(
        status=status, headers=headers, text=json.dumps(payload), content_type="application/json"
    )
