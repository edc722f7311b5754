"""Identities and their sources, started sign-ins, and entries of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from storage.records.github import Account
from storage.records.names import (
    AlertNumber,
    ChannelId,
    GitHubId,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
    StoredJson,
    UnixTime,
)


class IdentitySource(StrEnum):
    """Where a link of a Slack user to a GitHub account comes from. The value is the stored word."""

    SIGN_IN = "sign_in"
    OPERATOR = "mapping"
    DIRECTORY = "directory"


class Suspension(StrEnum):
    """Why a link gives no rights."""

    SOURCES_DISAGREE = "sources_disagree"
    """About the Slack user's account, or the account's Slack user; an operator decides."""
    SIGNED_IN_ELSEWHERE = "signed_in_elsewhere"
    """Two Slack users signed in to one account; an operator decides."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105  # A word, not a token.
    """GitHub does not accept the person's token any more, or does not refresh it."""
    AUTHORIZATION_REVOKED = "authorization_revoked"
    """The person, or their organization, took the GitHub App's authorization back."""
    UNDECRYPTABLE = "undecryptable"
    """The stored token can't be decrypted."""
    LAPSED = "lapsed"
    """The sign-in is older than `link.lasts`."""
    DIRECTORY_CHANGED = "directory_changed"
    """The pair's address belongs to somebody else now, or is another one; an operator decides."""
    AMBIGUOUS = "ambiguous"
    """The directory has a second candidate for one side of the pair; an operator decides."""
    LEFT = "left"
    """The directory does not show the pair any more."""
    UNLINKED = "unlinked"
    """The person or an operator unlinked a pair of the directory, which would come back otherwise."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A Slack user and their GitHub account."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    proof: str
    """An IdentitySource's word; `mapping` means that an operator entered it."""
    linked_at: UnixTime
    linked_by: str
    """`cli`, `directory`, or the id of the Slack user who linked it."""
    slack_name: str | None = None
    """Their name in Slack as it was last seen; None if Slack was not asked."""
    suspended_at: UnixTime | None = None
    suspension: str | None = None
    """Why the link gives no rights now, a `Suspension`'s word; None if it does."""

    @property
    def source(self) -> IdentitySource | None:
        """The source that the link rests on; None for a word of another version, which gives no rights."""
        return next((source for source in IdentitySource if source == self.proof), None)


@dataclass(frozen=True, slots=True)
class OperatorLink:
    """A link that an operator made."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    linked_at: UnixTime
    linked_by: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext, and the id of the key that made it."""

    key_id: str
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """A person's GitHub tokens as they are stored, both encrypted with one key."""

    key_id: str
    access: bytes = field(repr=False)
    refresh: bytes | None = field(repr=False)
    """None if the GitHub App's tokens don't expire."""
    access_until: UnixTime | None
    refresh_until: UnixTime | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """That a Slack user signed in to a GitHub account."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    signed_in_at: UnixTime
    lapses_at: UnixTime
    tokens: StoredTokens | None = None
    """None without encryption keys, and once GitHub has stopped accepting them."""
    version: int = 1
    """Counted up by each change of the tokens, so that of two changes of one version only the first happens."""
    refreshing_by: str | None = None
    refreshing_until: UnixTime | None = None
    """Which process is refreshing the tokens, and when another one may."""
    suspended_at: UnixTime | None = None
    suspension: str | None = None
    """Why it counts no more until the person signs in again: a `Suspension`'s word."""


@dataclass(frozen=True, slots=True)
class DirectoryPair:
    """A Slack user and a GitHub account with one confirmed address, as the directory showed them first."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    kind: str
    """`saml` or `verified_domains`."""
    address_hash: str
    """Tells whether the address has changed; the address itself is not stored."""
    first_seen_at: UnixTime
    seen_at: UnixTime
    suspended_at: UnixTime | None = None
    suspension: str | None = None


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A sign-in that a Slack user started."""

    hash: str
    """SHA-256 of its id, which only the button's address holds; no hash where it ended and the tries are kept."""
    slack_team: SlackTeamId
    slack_user: SlackUserId
    channel: ChannelId | None
    view_id: str | None
    continuation: Mapping[str, StoredJson] | None
    """What goes on once the person is linked."""
    created_at: UnixTime
    expires_at: UnixTime
    tries: int = 0
    """Wrong codes that were submitted."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """One opening of the address of a LinkRequest, on its way over GitHub and back."""

    state_hash: str
    request: str
    """The hash of its LinkRequest."""
    created_at: UnixTime
    expires_at: UnixTime
    verifier: bytes | None = field(default=None, repr=False)
    """PKCE's code_verifier, encrypted; None if the process that serves the page keeps it."""
    used_at: UnixTime | None = None
    code_hash: str | None = None
    github: Account | None = None
    """Who signed in."""
    tokens: StoredTokens | None = None


class AuditOutcome(StrEnum):
    """How an action ended; `INTENDED` before it begins."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did, tried or was refused what."""

    action: str
    outcome: AuditOutcome
    slack_team: SlackTeamId | None = None
    slack_user: SlackUserId | None = None
    github_login: str | None = None
    github_id: GitHubId | None = None
    repository_id: RepositoryId | None = None
    repository: str | None = None
    alert_number: AlertNumber | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit log, chained to the previous row by `previous`, its hash."""

    seq: int
    at: UnixTime
    entry: AuditEntry
    previous: str
    hash: str
