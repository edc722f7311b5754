"""Requests that a second person approves or denies."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.alerts import Person
from storage.records.names import AlertKey, ChannelId, GitHubId, MessageTs, SlackUserId, UnixTime


class ApprovalState(StrEnum):
    """The state of a request for approval. Only an open one can be approved or denied, once."""

    OPEN = "open"
    APPROVED = "approved"
    DENIED = "denied"
    LAPSED = "lapsed"
    """Nobody decided in time."""
    ENDED = "ended"
    """What it was about has changed, or the approved report was refused."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What a person asked for, as it was at the request; a change of any of these ends the request."""

    validity: str
    visibility: str
    token_owner: str | None
    """The id of the token owner's account, or the owner's name where no account is known."""
    role: str
    """The role of the person who asks, in GitHub's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request for approval of a report."""

    id: str
    """Random: the buttons carry it."""
    alert: AlertKey
    requested_by: Person
    requested_at: UnixTime
    expires_at: UnixTime
    facts: ReportFacts
    channel: ChannelId | None = None
    """Where the person asked, so that the answer gets there."""
    thread: MessageTs | None = None
    state: ApprovalState = ApprovalState.OPEN
    decided_by: Person | None = None
    decided_at: UnixTime | None = None

    def is_by_user(self, user: SlackUserId) -> bool:
        """Whether this Slack user asked."""
        return self.requested_by.slack_user == user

    def is_by_account(self, account: GitHubId) -> bool:
        """Whether the person who asked had this GitHub account."""
        return self.requested_by.github is not None and self.requested_by.github.id == account
