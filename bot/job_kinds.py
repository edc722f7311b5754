"""Every kind of job as a frozen record: its stored word, fields, key and number of attempts.

A row of the job table holds the word and the fields as JSON. Rows of every released version must stay readable: a new
field needs a default, and where the stored name differs from the field's, it is the field's alias.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field, PlainSerializer, PlainValidator

from bot.requests import ActionRequest, CommandRequest, StoredAlertKey
from integrations.slack.blocks import Content
from storage.records import (
    AlertKey,
    ChannelId,
    InstallationId,
    MessageKey,
    MessageTs,
    RepositoryId,
    SlackUserId,
    UnixTime,
)


class JobKind:
    """What all kinds have; a subclass is a frozen dataclass."""

    __slots__ = ()
    kind: ClassVar[str]
    """The stored word."""
    attempts: ClassVar[int] = 8
    """How often it is tried before it is parked."""
    inlined: ClassVar[str | None] = None
    """The name of its only field where that field's own fields are stored in its place."""

    key_pattern: ClassVar[str | None] = None

    @property
    def key(self) -> str | None:
        """Jobs of one key run one after another; None for jobs that wait for no other."""
        return self.key_pattern and self.key_pattern.format(job=self)


@dataclass(frozen=True, slots=True)
class HandleDelivery(JobKind):
    """Work a stored webhook of GitHub."""

    kind = "delivery"
    guid: str
    alert: Annotated[AlertKey | None, Field(exclude=True)] = None
    """Not stored: deliveries about one alert have one key."""

    @property
    def key(self) -> str | None:
        return f"alert:{self.alert}" if self.alert else None


@dataclass(frozen=True, slots=True)
class FetchDetails(JobKind):
    """Fetch what a delivery did not hold; `attempt` counts from 0."""

    kind = "details"
    key_pattern = "alert:{job.alert}"
    alert: StoredAlertKey
    attempt: int


@dataclass(frozen=True, slots=True)
class PublishMessage(JobKind):
    """Post or update a message in Slack."""

    kind = "message"
    key_pattern = "message:{job.message}"
    attempts = 12
    message: Annotated[MessageKey, Field(alias="key")]


@dataclass(frozen=True, slots=True)
class PerformAction(JobKind):
    """Do what a click or submit requests. A person waits: few quick tries, then an answer."""

    kind = "act"
    key_pattern = "alert:{job.request.alert}"
    attempts = 3
    inlined = "request"
    request: ActionRequest


@dataclass(frozen=True, slots=True)
class ShowDetails(JobKind):
    """Show what a line of the card's menu stands for."""

    kind = "look"
    attempts = 2
    inlined = "request"
    request: ActionRequest


@dataclass(frozen=True, slots=True)
class FillForm(JobKind):
    """Put the form into the modal that was opened as a skeleton; `hash` is the skeleton's."""

    kind = "fill_form"
    attempts = 2
    request: ActionRequest
    hash: str


@dataclass(frozen=True, slots=True)
class AnswerCommand(JobKind):
    """Answer a command."""

    kind = "command"
    attempts = 2
    inlined = "request"
    request: CommandRequest


@dataclass(frozen=True, slots=True)
class AnswerShortcut(JobKind):
    """Show the alert that a message is about."""

    kind = "shortcut"
    attempts = 2
    inlined = "request"
    request: CommandRequest


@dataclass(frozen=True, slots=True)
class AnswerButton(JobKind):
    """Answer a button of a list or a summary; with `replaces` in the place of the clicked message."""

    kind = "button"
    attempts = 2
    button: str
    request: Annotated[CommandRequest, Field(alias="asked")]
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class AnswerOutdated(JobKind):
    """Answer a control that this version does not know."""

    kind = "outdated"
    attempts = 3
    inlined = "request"
    request: ActionRequest


@dataclass(frozen=True, slots=True)
class SendAnswer(JobKind):
    """Send one person a finished answer, privately."""

    kind = "tell"
    attempts = 12
    user: SlackUserId
    content: Annotated[
        Content, Field(alias="said"), PlainValidator(Content.from_json), PlainSerializer(Content.to_json)
    ]
    channel: ChannelId | None = None
    reply_to: MessageTs | None = None
    response_url: str | None = field(default=None, repr=False)
    at: UnixTime = 0.0
    """When the person clicked or typed."""


@dataclass(frozen=True, slots=True)
class SendIdentityNotice(JobKind):
    """Tell a person that they were linked to a GitHub account, or unlinked from it."""

    kind = "tell_identity"
    attempts = 12
    user: SlackUserId
    login: str
    change: str
    """`linked` or `unlinked`."""


@dataclass(frozen=True, slots=True)
class FollowUpReport(JobKind):
    """Probe a reported secret again; `attempt` counts from 0."""

    kind = "follow_up"
    alert: StoredAlertKey
    attempt: Annotated[int, Field(alias="look")]


@dataclass(frozen=True, slots=True)
class RecheckRevoked(JobKind):
    """Check whether a secret still works whose alert was closed as revoked at `resolved_at`."""

    kind = "revoked_look"
    alert: StoredAlertKey
    resolved_at: UnixTime


@dataclass(frozen=True, slots=True)
class CorrectValidity(JobKind):
    """Correct the validity that Stanch wrote to GitHub once a probe has shown another one."""

    kind = "keep_validity"
    key_pattern = "alert:{job.alert}"
    alert: StoredAlertKey


@dataclass(frozen=True, slots=True)
class SyncAssignee(JobKind):
    """Make GitHub's assignee the person who has taken the alert."""

    kind = "assignment"
    key_pattern = "assignment:{job.alert}"
    alert: StoredAlertKey


@dataclass(frozen=True, slots=True)
class CheckHolders(JobKind):
    """Check whether those who have taken alerts of a repository may still see them."""

    kind = "holders"
    key_pattern = "holders:{job.repository}"
    repository: Annotated[RepositoryId, Field(alias="id")]


@dataclass(frozen=True, slots=True)
class RedrawChannel(JobKind):
    """Draw the cards of a channel again, after it was shared or is no longer shared."""

    kind = "channel"
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class RedrawCards(JobKind):
    """Draw all cards again that would look different now."""

    kind = "redraw_cards"


@dataclass(frozen=True, slots=True)
class SyncAll(JobKind):
    """Compare the store with GitHub, for every installation."""

    kind = "sweep"
    key_pattern = "sweep"


@dataclass(frozen=True, slots=True)
class SyncInstallation(JobKind):
    """Compare the store with GitHub, for one installation."""

    kind = "sweep_installation"
    key_pattern = "sweep:{job.installation}"
    installation: Annotated[InstallationId, Field(alias="id")]


@dataclass(frozen=True, slots=True)
class BackfillChannel(JobKind):
    """Summarize in a newly subscribed channel the alerts that were open before."""

    kind = "subscribed"
    key_pattern = "subscribed:{job.channel}"
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class AnnounceRepositoryChange(JobKind):
    """Add a repository's change to the timeline of its alerts, and redraw their cards."""

    kind = "repository"
    key_pattern = "repository:{job.repository}"
    repository: Annotated[RepositoryId, Field(alias="id")]
    change: Mapping[str, str] | None = None
    """As `timeline.repository_change` returns it."""
    what: Annotated[str | None, Field(exclude=True)] = None
    """Read only: version 0.1.0 stored a sentence instead."""

    @property
    def details(self) -> Mapping[str, str]:
        """The details of the timeline entries."""
        return self.change if self.change is not None else {"what": self.what or ""}
