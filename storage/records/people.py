"""Identities, and entries of the audit log."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.github import Account
from storage.records.names import AlertNumber, GitHubId, RepositoryId, SlackTeamId, SlackUserId, UnixTime


@dataclass(frozen=True, slots=True)
class Identity:
    """A Slack user and their GitHub account."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    proof: str
    """How it was proved; `mapping` means that an operator entered it."""
    linked_at: UnixTime
    linked_by: str
    """`cli`, or the id of the Slack user who linked it."""
    slack_name: str | None = None
    """Their name in Slack as it was last seen; None if Slack was not asked."""


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
