"""The kinds of jobs about people and their links; `job_kinds` lists them with all others, and says what rows need."""

from dataclasses import dataclass, field

from bot.job_kind import JobKind
from bot.requests import StoredAlertKey
from storage.records import GitHubId, SlackTeamId, SlackUserId, UnixTime


@dataclass(frozen=True)
class SendIdentityNotice(JobKind, kind="tell_identity", attempts=12):
    """Tell a person that they were linked to a GitHub account, or unlinked from it."""

    user: SlackUserId
    login: str
    change: str
    """`linked` or `unlinked`."""


@dataclass(frozen=True)
class FinishLink(JobKind, kind="finish_link", key="link:{job.link}"):
    """Store the link of a person who typed the right code."""

    link: str
    """The hash of the link request."""
    page: str
    """The hash of the page's state."""
    view: str | None = None
    """The modal in which the code was typed."""


@dataclass(frozen=True)
class DeleteTokens(JobKind, kind="delete_tokens", attempts=12):
    """Delete a person's dropped tokens at GitHub; in the row they stay encrypted."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    account: GitHubId
    pending: bool
    key_id: str
    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    """Base64 of the ciphertexts."""
    access_until: UnixTime | None
    refresh_until: UnixTime | None


@dataclass(frozen=True)
class LapseApproval(JobKind, kind="approval_lapse", key="alert:{job.alert}"):
    """End a request for approval that nobody has decided in time."""

    alert: StoredAlertKey
    request: str
