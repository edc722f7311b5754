"""Turns a job record into a row to store, and a stored row of any version back into its record."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.errors import UnusableJob
from bot.job_kind import JobKind
from bot.job_kinds import KINDS
from storage.records import Job, NewJob

NOT_OF_THIS_VERSION = "this version"
"""In the reason of a job with a kind or a field that the version which parked it does not know, 0.1.0 too."""


def new_job(
    job: JobKind,
    *,
    delay: float = 0.0,
    dedup: str | None = None,
    urgent: bool = False,
    in_flood: bool = False,
) -> NewJob:
    """The row to store; `delay` in seconds, the others as in NewJob."""
    fields: dict[str, Any] = _adapter(job.kind).dump_python(job, mode="json", by_alias=True)
    payload = fields[job.inlined] if job.inlined else fields
    return NewJob(job.kind, payload, job.key, dedup, delay, urgent, in_flood)


def read_job(stored: Job) -> JobKind:
    """A row of any version; raises UnusableJob for a kind or a field that this version can't read."""
    return _read(stored.kind, stored.payload)


def job_text(job: JobKind) -> str:
    """A job as the text that a button carries, to be done later."""
    fields = _adapter(job.kind).dump_python(job, mode="json", by_alias=True, exclude_defaults=True)
    payload = fields[job.inlined] if job.inlined else fields
    return json.dumps({"kind": job.kind, "payload": payload}, separators=(",", ":"))


def read_job_text(text: str) -> JobKind | None:
    """The job in a text of `job_text`; None for anything else. What comes back from Slack is untrusted."""
    try:
        match json.loads(text):
            case {"kind": str(kind), "payload": dict(payload)}:
                return _read(kind, payload)
    except (ValueError, RecursionError, UnusableJob):
        pass
    return None


def _read(word: str, payload: Mapping[str, Any]) -> JobKind:
    kind = KINDS.get(word)
    if kind is None:
        raise UnusableJob(f"this version knows no job of the kind {word}")
    fields = {kind.inlined: payload} if kind.inlined else payload
    try:
        job: JobKind = _adapter(word).validate_python(fields)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(map(str, fault["loc"][1:] if kind.inlined else fault["loc"]))
        if fault["type"] == "unexpected_keyword_argument":
            raise UnusableJob(
                f"a job {kind.kind} with a field {name} that this version does not know"
            ) from None
        raise UnusableJob(f"a job {kind.kind} without a usable {name}") from None
    return job


@cache
def _adapter(word: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[word])
