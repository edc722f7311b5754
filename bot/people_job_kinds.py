"""The kinds of jobs about people and their identities; see `job_kinds` for the rules of their fields."""

from dataclasses import dataclass, field

from bot.job_kind import JobKind
from bot.requests import StoredAlertKey
from storage.records import GitHubId, SlackTeamId, SlackUserId, UnixTime


@dataclass(frozen=True)
class IdentityChange:
    """That a link was made, removed or suspended."""

    kind: str
    """`linked`, `unlinked`, `suspended`, or `not_linked`: a new sign-in that gives nothing."""
    user: SlackUserId
    account: GitHubId
    login: str
    source: str
    """The IdentitySource on which the link rests, or rested."""
    reason: str | None = None
    """For a suspended link a `Suspension`; for others what made the change: `cli`, `unlink`."""
    others: tuple[SlackUserId, ...] = ()
    """Other Slack users whom some source joins to that account."""


@dataclass(frozen=True)
class AnnounceIdentities(JobKind, kind="announce_identities", key="announce_identities", attempts=12):
    """Tell the default channel of changed links, and the operators of suspended ones."""

    changes: tuple[IdentityChange, ...]
    """The first of them."""
    at: UnixTime
    more: int = 0
    """How many others there were."""


@dataclass(frozen=True)
class TellOperators(JobKind, kind="tell_operators", attempts=12):
    """Tell an operator of suspended links."""

    operator: SlackUserId
    changes: tuple[IdentityChange, ...]
    more: int = 0


@dataclass(frozen=True)
class SendIdentityNotice(JobKind, kind="tell_identity", attempts=12):
    """Tell a person that a link to a GitHub account was made, removed or suspended."""

    user: SlackUserId
    login: str
    change: str
    """The kind of an `IdentityChange`; 0.1.0 knew `linked` and `unlinked`."""
    about: SlackUserId | None = None
    """Whose link it is, if the person is another one whom some source joins to that account; None: their own."""
    source: str | None = None
    reason: str | None = None
    """As in an `IdentityChange`."""


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


@dataclass(frozen=True)
class SyncDirectory(JobKind, kind="sync_directory", key="sync_directory"):
    """Read the organization's directory, and link, suspend or unlink people by it."""
