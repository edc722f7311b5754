"""Who somebody is, and who did what."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.github import Account
from storage.records.names import AlertNumber, GitHubId, RepositoryId, SlackTeamId, SlackUserId, UnixTime


@dataclass(frozen=True, slots=True)
class Identity:
    """A Slack user and the GitHub account that is theirs."""

    slack_team: SlackTeamId
    slack_user: SlackUserId
    github: Account
    proof: str
    """How it is known: `mapping` (kept by administrators), later `device_flow`, …"""
    linked_at: UnixTime
    linked_by: str
    """`cli`, or the Slack user who did it."""


class AuditOutcome(StrEnum):
    """How something that a person wanted ended."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did, tried or was refused what; the chain's own columns are in `AuditRow`."""

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
    """One row of the audit log, chained to the one before it."""

    seq: int
    at: UnixTime
    entry: AuditEntry
    previous: str
    hash: str
