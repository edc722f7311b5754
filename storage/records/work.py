"""What arrived, and durable work."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storage.records.names import JobId, JsonValue, UnixTime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived, without any secret."""

    guid: str
    event: str
    action: str | None
    body: Mapping[str, JsonValue]
    received_at: UnixTime
    outcome: str | None = None


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"
    """Tried often enough; waits for `stanch jobs retry`."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be stored with the change that asks for it."""

    kind: str
    payload: Mapping[str, JsonValue]
    key: str | None = None
    """Jobs of one key run one after another, in the order they were stored."""
    dedup: str | None = None
    """A second job with the same word is not stored while the first is remembered."""
    delay: float = 0.0
    """Seconds. A delayed job does not hold up its key."""


@dataclass(frozen=True, slots=True)
class Job:
    """Durable work."""

    id: JobId
    kind: str
    payload: Mapping[str, JsonValue]
    key: str | None
    state: JobState
    run_at: UnixTime
    attempts: int
    error: str | None
    created_at: UnixTime


class Claim(StrEnum):
    """What came of claiming an alert for an action."""

    NEW = "new"
    RESUMED = "resumed"
    """The same job claimed it before and ended in the middle: look before repeating."""
    TAKEN = "taken"
    """Another job holds it."""
