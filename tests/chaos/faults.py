"""One fault at the k-th call that leaves the product, or after its k-th commit."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from integrations.sandbox.faults import PlannedFault

_OF_A_BROWSER = re.compile(r"\w+ /login/oauth/authorize.*")
"""A person's browser opens this page of GitHub; all other calls are the product's."""


class Mode(StrEnum):
    """What happens at a point."""

    BEFORE = "before"
    """The connection is lost before the call has its effect."""
    AFTER = "after"
    """The call has its effect, and the answer is lost."""
    HANG = "hang"
    """The server never answers, until the product gives up."""
    KILL_AT_CALL = "kill-at-call"
    """The process dies while the call is under way, which has its effect."""
    KILL_AFTER_COMMIT = "kill-after-commit"
    """The process dies after a commit of the database."""

    @property
    def kills(self) -> bool:
        return self in (Mode.KILL_AT_CALL, Mode.KILL_AFTER_COMMIT)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at the call or the commit with this number, from 1."""

    mode: Mode
    k: int

    def __str__(self) -> str:
        return f"{self.mode}/{self.k}"


class Calls(PlannedFault):
    """Counts the calls of both stand-ins together, in their order of arrival."""

    def __init__(self) -> None:
        super().__init__(re.compile(""), None)
        self.names: list[str] = []

    def applies_to(self, name: str) -> bool:
        if not _OF_A_BROWSER.fullmatch(name):
            self.names.append(name)
        return False


class FaultAtCall(PlannedFault):
    """Applies to the call that `calls` has counted as the k-th; `on_hit` is called before its effect."""

    def __init__(self, calls: Calls, fault: Fault, on_hit: Callable[[], None]) -> None:
        drop: dict[Mode, Literal["before", "after"]] = {
            Mode.BEFORE: "before",
            Mode.AFTER: "after",
            Mode.KILL_AT_CALL: "after",
        }
        super().__init__(re.compile(""), 1, hang=fault.mode is Mode.HANG, drop=drop.get(fault.mode))
        self._calls, self._k, self._on_hit = calls, fault.k, on_hit

    def applies_to(self, name: str) -> bool:
        if self.hits or len(self._calls.names) != self._k or _OF_A_BROWSER.fullmatch(name):
            return False
        self.hits = 1
        self._on_hit()
        return True


class NoCallsOfTheDead(PlannedFault):
    """Refuses the connections of a process that is dead."""

    def __init__(self, is_dead: Callable[[], bool]) -> None:
        super().__init__(re.compile(""), None, drop="before")
        self._is_dead = is_dead

    def applies_to(self, name: str) -> bool:
        return self._is_dead() and not _OF_A_BROWSER.fullmatch(name)
