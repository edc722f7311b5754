"""GitHub's deliveries, and jobs."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from storage.records.names import JobId, StoredJson, UnixTime

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The id of the delivery or request that is being handled; jobs made meanwhile get it, and so does the log."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook of GitHub, without any secret."""

    guid: str
    event: str
    action: str | None
    body: Mapping[str, StoredJson]
    received_at: UnixTime
    outcome: str | None = None


class JobState(StrEnum):
    """The state of a job."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"
    """Failed; it waits for `stanch jobs retry`."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be stored in the transaction of the change that causes it."""

    kind: str
    payload: Mapping[str, StoredJson]
    key: str | None = None
    """Jobs with the same key run one after another, in the order in which they were stored."""
    dedup: str | None = None
    """A job is not stored while another one with the same `dedup` is."""
    delay: float = 0.0
    """Seconds until it may run. Meanwhile later jobs with its key don't wait for it."""
    urgent: bool = False
    """It comes before all others, whatever its kind."""
    in_flood: bool = False
    """It is one of very many deliveries, for which those of other repositories don't wait, unless it is urgent."""
    trace: str | None = field(default_factory=TRACE.get)
    """The id of the delivery or request that led to it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A stored job."""

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
    """The worker that runs it. With `attempts`, which each claim increases, it identifies one run."""
    priority: int = 2
    """A `priorities.Priority`; the default is that of a delivery."""
    trace: str | None = None
    """The id of the delivery or request that led to it; None for one of 0.1.0, or that nobody requested."""


@dataclass(frozen=True, slots=True)
class Done:
    """The run succeeded."""

    job: Job


@dataclass(frozen=True, slots=True)
class Retry:
    """The job runs again at `at`, by the wall clock."""

    job: Job
    at: UnixTime
    error: str | None
    counts: bool = True
    """Whether this run counts as one of the attempts after which a job is parked."""
    holds: bool = True
    """Whether later jobs with its key wait for it meanwhile."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The job is parked until an operator retries it."""

    job: Job
    error: str


RunResult: TypeAlias = Done | Retry | Parked


class Claim(StrEnum):
    """The result of claiming an alert for a job."""

    NEW = "new"
    RESUMED = "resumed"
    """An earlier run of the same job claimed it and was interrupted; check what it did before repeating it."""
    TAKEN = "taken"
    """Another job has claimed it."""
