"""Turns a job record into a row to store, and a stored row of any version back into its record."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.errors import UnusableJob
from bot.job_kinds import (
    AnnounceRepositoryChange,
    AnswerButton,
    AnswerCommand,
    AnswerOutdated,
    AnswerShortcut,
    BackfillChannel,
    CheckHolders,
    CorrectValidity,
    FetchDetails,
    FillForm,
    FollowUpReport,
    HandleDelivery,
    JobKind,
    PerformAction,
    PublishMessage,
    RecheckRevoked,
    RedrawCards,
    RedrawChannel,
    SendAnswer,
    SendIdentityNotice,
    ShowDetails,
    SyncAll,
    SyncAssignee,
    SyncInstallation,
)
from storage.records import Job, NewJob

KINDS: Mapping[str, type[JobKind]] = {
    kind.kind: kind
    for kind in (
        HandleDelivery,
        FetchDetails,
        PublishMessage,
        PerformAction,
        ShowDetails,
        FillForm,
        AnswerCommand,
        AnswerShortcut,
        AnswerButton,
        AnswerOutdated,
        SendAnswer,
        SendIdentityNotice,
        FollowUpReport,
        RecheckRevoked,
        CorrectValidity,
        SyncAssignee,
        CheckHolders,
        RedrawChannel,
        RedrawCards,
        SyncAll,
        SyncInstallation,
        BackfillChannel,
        AnnounceRepositoryChange,
    )
}
"""By stored word."""


def new_job(job: JobKind, *, delay: float = 0.0, dedup: str | None = None) -> NewJob:
    """The row to store; `delay` in seconds, `dedup` as in NewJob."""
    fields: dict[str, Any] = _adapter(job.kind).dump_python(job, mode="json", by_alias=True)
    return NewJob(job.kind, fields[job.inlined] if job.inlined else fields, job.key, dedup, delay)


def read_job(stored: Job) -> JobKind:
    """A row of any version; raises UnusableJob for a kind or a field that this version can't read."""
    kind = KINDS.get(stored.kind)
    if kind is None:
        raise UnusableJob(f"this version knows no job of the kind {stored.kind}")
    fields = {kind.inlined: stored.payload} if kind.inlined else stored.payload
    try:
        job: JobKind = _adapter(kind.kind).validate_python(fields)
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
