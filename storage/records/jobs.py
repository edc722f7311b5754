"""What arrived, and durable work."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from storage.records.names import JobId, StoredJson, UnixTime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived, without any secret."""

    guid: str
    event: str
    action: str | None
    body: Mapping[str, StoredJson]
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
    payload: Mapping[str, StoredJson]
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
    payload: Mapping[str, StoredJson]
    key: str | None
    state: JobState
    run_at: UnixTime
    attempts: int
    error: str | None
    created_at: UnixTime
    worker: str | None = None
    """The worker that runs it. With `attempts` it names one run: each claim counts as an attempt."""


@dataclass(frozen=True, slots=True)
class Done:
    """The job did its work."""

    job: Job


@dataclass(frozen=True, slots=True)
class Retry:
    """The job shall run again at `at`, on the database's `clock`."""

    job: Job
    at: UnixTime
    error: str | None
    counts: bool = True
    """Whether this run was one of the tries after which a job is parked."""
    holds: bool = True
    """Whether later jobs of its key wait for it meanwhile."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The job is given up until somebody retries it."""

    job: Job
    error: str


RunResult: TypeAlias = Done | Retry | Parked


class Claim(StrEnum):
    """What came of claiming an alert for an action."""

    NEW = "new"
    RESUMED = "resumed"
    """The same job claimed it before and ended in the middle: look before repeating."""
    TAKEN = "taken"
    """Another job holds it."""
