"""One alert: what GitHub says of it, what was done about it, and what happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from storage.records.github import Account
from storage.records.names import AlertKey, GitHubId, SlackTeamId, SlackUserId, StoredJson, UnixTime


class AlertState(StrEnum):
    """GitHub's `state` of an alert."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class SecretLocation:
    """Where a secret was found first."""

    kind: str
    """GitHub's location type: `commit`, `issue_body`, …"""
    path: str | None = None
    line: int | None = None
    commit_sha: str | None = None
    url: str | None = None
    """A page for people on GitHub's origin."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Whose token the secret is, as far as GitHub's metadata or a probe told."""

    owner: Account | None = None
    owner_name: str | None = None
    scopes: tuple[str, ...] = ()
    expires_at: UnixTime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who did something: by Slack, by GitHub, or both."""

    slack_team: SlackTeamId | None = None
    slack_user: SlackUserId | None = None
    github: Account | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """The last time that Stanch itself asked whether the secret works."""

    verdict: str
    """`active`, `inactive` or `unknown`."""
    reason: str
    """Why, as one of our short codes (`accepted`, `bad_credentials`, `rate_limited`, …)."""
    at: UnixTime
    by: Person | None
    """None for a follow-up that nobody clicked."""
    ever_active: bool = False
    """This host accepted the secret at some earlier probe."""
    superseded: bool = False
    """GitHub has changed its own word since."""


class ReportState(StrEnum):
    """How far a report of the leak has come."""

    WAITING = "waiting"
    """Accepted by a person, to be sent when GitHub's quota allows."""
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    """Reported, and the secret no longer works."""
    STILL_ACTIVE = "still_active"
    """Reported, yet the secret works after the last follow-up."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """A leak report of one alert."""

    state: ReportState
    by: Person
    at: UnixTime
    next_look_at: UnixTime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One secret scanning alert: what GitHub says of it, and what was done about it here."""

    key: AlertKey
    html_url: str
    secret_type: str
    secret_type_name: str
    provider: str | None = None
    category: str = "default"
    """GitHub's word: `default` or `generic`."""
    created_at: UnixTime
    updated_at: UnixTime
    """GitHub's own `updated_at`; an older one never overwrites a newer one."""
    state: AlertState = AlertState.OPEN
    resolution: str | None = None
    resolution_comment: str | None = None
    resolved_by: Account | None = None
    resolved_at: UnixTime | None = None
    validity: str = "unknown"
    publicly_leaked: bool = False
    multi_repo: bool = False
    base64_encoded: bool = False
    bypassed: bool = False
    bypassed_by: str | None = None
    bypassed_at: UnixTime | None = None
    bypass_comment: str | None = None
    place: SecretLocation | None = None
    has_more_places: bool = False
    assigned_to: Account | None = None
    token: TokenFacts = field(default_factory=TokenFacts)
    detailed: bool = False
    """Whether the details that no webhook carries have been fetched."""
    first_seen_at: UnixTime

    probe: Probe | None = None
    report: Report | None = None
    taken_by: Person | None = None
    taken_at: UnixTime | None = None
    acted_by: Person | None = None
    """Who closed or reopened it last through Stanch; None when it was done elsewhere."""
    validity_written: bool = False
    """GitHub's `validity` is an override that Stanch wrote."""
    assigned_by_us: Account | None = None
    """Whom Stanch assigned on GitHub, or is about to; None once GitHub names somebody else, or nobody."""

    @property
    def is_open(self) -> bool:
        return self.state is AlertState.OPEN

    def is_assigned_by_others(self, account: GitHubId) -> bool:
        """Whether this account is GitHub's assignee, and not because Stanch assigned it."""
        if self.assigned_to is None or self.assigned_to.id != account:
            return False
        return self.assigned_by_us is None or self.assigned_by_us.id != account


class EventKind(StrEnum):
    """What can happen to an alert: the timeline's words."""

    FOUND = "found"
    VALIDITY_CHANGED = "validity_changed"
    PROBED = "probed"
    REPORT_WAITING = "report_waiting"
    REPORTED = "reported"
    REPORT_CONFIRMED = "report_confirmed"
    REPORT_STILL_ACTIVE = "report_still_active"
    REPORT_FAILED = "report_failed"
    OWNER_TOLD = "owner_told"
    CLOSED = "closed"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    TAKEN = "taken"
    STEPPED_BACK = "stepped_back"
    RELEASED = "released"
    """Whoever was on it may no longer see it."""
    STEPS_CHANGED = "steps_changed"
    PUBLICLY_LEAKED = "publicly_leaked"
    MULTI_REPO = "multi_repo"
    PLACE_ADDED = "place_added"
    RAISED_AGAIN = "raised_again"
    REPOSITORY_CHANGED = "repository_changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an alert's timeline."""

    alert: AlertKey
    kind: EventKind
    at: UnixTime
    by: Person | None = None
    details: Mapping[str, StoredJson] = field(default_factory=dict)
    once: str | None = None
    """A second event of the same alert with the same `once` is not stored."""
    id: int | None = None
