"""Every kind of job as a frozen record: its stored word, fields, key and number of attempts.

A row of the job table holds the word and the fields as JSON. Rows of every released version must stay readable: a new
field needs a default, and where the stored name differs from the field's, it is the field's alias.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, PlainSerializer, PlainValidator

from bot.job_kind import JobKind
from bot.people_job_kinds import (
    AnnounceIdentities,
    DeleteTokens,
    FinishLink,
    LapseApproval,
    SendIdentityNotice,
    SyncDirectory,
    TellOperators,
)
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


def shown_key(what: str) -> str:
    """The key of answers that are sent only if a message or form, named by `what`, does not show the result."""
    return f"shown:{what}"


@dataclass(frozen=True)
class HandleDelivery(JobKind, kind="delivery"):
    """Work a stored webhook of GitHub."""

    guid: str
    alert: Annotated[AlertKey | None, Field(exclude=True)] = None
    """Not stored: deliveries about one alert have one key."""

    @property
    def key(self) -> str | None:
        return f"alert:{self.alert}" if self.alert else None


@dataclass(frozen=True)
class FetchDetails(JobKind, kind="details", key="alert:{job.alert}"):
    """Fetch what a delivery did not hold; `attempt` counts from 0."""

    alert: StoredAlertKey
    attempt: int


@dataclass(frozen=True)
class PublishMessage(JobKind, kind="message", key="message:{job.message}", attempts=12):
    """Post or update a message in Slack."""

    message: Annotated[MessageKey, Field(alias="key")]


@dataclass(frozen=True)
class PerformAction(JobKind, kind="act", key="alert:{job.request.alert}", attempts=3, inlined="request"):
    """Do what a click or submit requests. A person waits: few quick tries, then an answer."""

    request: ActionRequest


@dataclass(frozen=True)
class ShowDetails(JobKind, kind="look", attempts=2, inlined="request"):
    """Show what a line of the card's menu stands for."""

    request: ActionRequest


@dataclass(frozen=True)
class FillForm(JobKind, kind="fill_form", key="form:{job.request.view_id}", attempts=2):
    """Put the form into the modal that was opened as a skeleton, and again after each pick of a person in it."""

    request: ActionRequest
    hash: str | None = None
    """The skeleton's; None to replace a form in any state."""


@dataclass(frozen=True)
class AnswerCommand(JobKind, kind="command", attempts=2, inlined="request"):
    """Answer a command."""

    request: CommandRequest


@dataclass(frozen=True)
class AnswerShortcut(JobKind, kind="shortcut", attempts=2, inlined="request"):
    """Show the alert that a message is about."""

    request: CommandRequest


@dataclass(frozen=True)
class AnswerButton(JobKind, kind="button", attempts=2):
    """Answer a button of a list or a summary; with `replaces` in the place of the clicked message."""

    button: str
    request: Annotated[CommandRequest, Field(alias="asked")]
    replaces: bool = False


@dataclass(frozen=True)
class AnswerOutdated(JobKind, kind="outdated", attempts=3, inlined="request"):
    """Answer a control that this version does not know."""

    request: ActionRequest


@dataclass(frozen=True)
class RecordOwnerAnswer(
    JobKind, kind="owner_answer", key="alert:{job.request.alert}", attempts=3, inlined="request"
):
    """Record what the token's owner answered to the message about the leak."""

    request: ActionRequest


@dataclass(frozen=True)
class UpdateOwnerMessage(JobKind, kind="owner_message", key="owner_message:{job.alert}"):
    """Update the direct message that told the token's owner of the leak."""

    alert: StoredAlertKey


@dataclass(frozen=True)
class SendAnswer(JobKind, kind="tell", attempts=12):
    """Send one person a finished answer, privately."""

    user: SlackUserId
    content: Annotated[
        Content, Field(alias="said"), PlainValidator(Content.from_json), PlainSerializer(Content.to_json)
    ]
    channel: ChannelId | None = None
    reply_to: MessageTs | None = None
    response_url: str | None = field(default=None, repr=False)
    at: UnixTime = 0.0
    """When the person clicked or typed."""
    unless_shown: str | None = None
    """What shows the result by itself, as in `shown_key`; once it does, this job is deleted."""

    @property
    def key(self) -> str | None:
        return shown_key(self.unless_shown) if self.unless_shown else None


@dataclass(frozen=True)
class TellReceiver(JobKind, kind="tell_receiver", attempts=12):
    """Tell a person that an alert was handed over to them."""

    alert: StoredAlertKey
    receiver: SlackUserId
    at: UnixTime
    """When it was handed over."""
    may_view: bool
    """They may view the alert, as far as is known."""
    channel: ChannelId | None = None
    """Where the giver clicked; the message links to the card there."""


@dataclass(frozen=True)
class FollowUpReport(JobKind, kind="follow_up"):
    """Probe a reported secret again; `attempt` counts from 0."""

    alert: StoredAlertKey
    attempt: Annotated[int, Field(alias="look")]


@dataclass(frozen=True)
class RecheckRevoked(JobKind, kind="revoked_look"):
    """Check whether a secret still works whose alert was closed as revoked at `resolved_at`."""

    alert: StoredAlertKey
    resolved_at: UnixTime


@dataclass(frozen=True)
class CheckOnArrival(JobKind, kind="arrival_check", key="arrival_check"):
    """Check without a click whether a new alert's token works. One at a time, over all processes."""

    alert: StoredAlertKey


@dataclass(frozen=True)
class CorrectValidity(JobKind, kind="keep_validity", key="alert:{job.alert}"):
    """Correct the validity that Stanch wrote to GitHub once a probe has shown another one."""

    alert: StoredAlertKey


@dataclass(frozen=True)
class SyncAssignee(JobKind, kind="assignment", key="assignment:{job.alert}"):
    """Make GitHub's assignee the person who has taken the alert."""

    alert: StoredAlertKey
    by: SlackUserId | None = None
    """Whose click it follows, so that it goes out in their name; None for what Stanch does by itself."""


@dataclass(frozen=True)
class CheckHolders(JobKind, kind="holders", key="holders:{job.repository}"):
    """Check whether those who have taken alerts of a repository may still see them."""

    repository: Annotated[RepositoryId, Field(alias="id")]


@dataclass(frozen=True)
class RedrawChannel(JobKind, kind="channel"):
    """Draw the cards of a channel again, after it was shared or is no longer shared."""

    channel: ChannelId


@dataclass(frozen=True)
class RedrawCards(JobKind, kind="redraw_cards"):
    """Draw all cards again that would look different now."""


@dataclass(frozen=True)
class SyncAll(JobKind, kind="sweep", key="sweep"):
    """Compare the store with GitHub, for every installation."""


@dataclass(frozen=True)
class SyncInstallation(JobKind, kind="sweep_installation", key="sweep:{job.installation}"):
    """Compare the store with GitHub, for one installation."""

    installation: Annotated[InstallationId, Field(alias="id")]


@dataclass(frozen=True)
class BackfillChannel(JobKind, kind="subscribed", key="subscribed:{job.channel}"):
    """Summarize in a newly subscribed channel the alerts that were open before."""

    channel: ChannelId


@dataclass(frozen=True)
class CheckSubscription(JobKind, kind="subscription_check", key="subscription:{job.channel}"):
    """Check whether the author of a channel's subscription still has the right, and who reads the channel."""

    channel: ChannelId


@dataclass(frozen=True)
class AnnounceRepositoryChange(JobKind, kind="repository", key="repository:{job.repository}"):
    """Add a repository's change to the timeline of its alerts, and redraw their cards."""

    repository: Annotated[RepositoryId, Field(alias="id")]
    change: Mapping[str, str] | None = None
    """As `timeline.repository_change` returns it."""
    what: Annotated[str | None, Field(exclude=True)] = None
    """Read only: version 0.1.0 stored a sentence instead."""

    @property
    def details(self) -> Mapping[str, str]:
        """The details of the timeline entries."""
        return self.change if self.change is not None else {"what": self.what or ""}


KINDS: Mapping[str, type[JobKind]] = {
    kind.kind: kind
    for kind in (
        *(HandleDelivery, FetchDetails, PublishMessage, PerformAction, ShowDetails, FillForm),
        *(AnswerCommand, AnswerShortcut, AnswerButton, AnswerOutdated, SendAnswer),
        *(SendIdentityNotice, AnnounceIdentities, TellOperators, FinishLink, DeleteTokens, LapseApproval),
        *(RecordOwnerAnswer, UpdateOwnerMessage, TellReceiver),
        *(FollowUpReport, RecheckRevoked, CheckOnArrival, CorrectValidity, SyncAssignee, CheckHolders),
        *(RedrawChannel, RedrawCards, SyncAll, SyncInstallation, BackfillChannel, CheckSubscription),
        *(AnnounceRepositoryChange, SyncDirectory),
    )
}
"""By stored word."""
