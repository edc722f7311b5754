"""What Stanch remembers, as frozen records of the standard library alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

UnixTime: TypeAlias = float
"""Seconds since 1970-01-01T00:00:00Z."""

JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

RepositoryId = NewType("RepositoryId", int)
AlertNumber = NewType("AlertNumber", int)
InstallationId = NewType("InstallationId", int)
GitHubId = NewType("GitHubId", int)
"""A GitHub account's numeric id, which stays when its login changes hands."""
SlackTeamId = NewType("SlackTeamId", str)
SlackUserId = NewType("SlackUserId", str)
ChannelId = NewType("ChannelId", str)
MessageTs = NewType("MessageTs", str)
JobId = NewType("JobId", int)
MessageKey = NewType("MessageKey", str)
"""The opaque key of a message that must not be posted twice."""


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """An alert's name everywhere: the repository's numeric id and the alert's number in it."""

    repository_id: RepositoryId
    number: AlertNumber

    def __str__(self) -> str:
        return f"{self.repository_id}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "AlertKey":
        """Read `<repository_id>/<alert_number>`; raises ValueError on anything else."""
        repository, slash, number = text.partition("/")
        parts = (repository, number)
        if not slash or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
            raise ValueError("not an alert key")
        return cls(RepositoryId(int(repository)), AlertNumber(int(number)))


@dataclass(frozen=True, slots=True)
class Account:
    """A GitHub user or organization."""

    id: GitHubId
    login: str


class InstallationState(StrEnum):
    """What became of an installation of the GitHub App."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Installation:
    """The GitHub App on one account."""

    id: InstallationId
    account: Account
    account_type: str
    """GitHub's word: `Organization` or `User`."""
    state: InstallationState


class RepositoryState(StrEnum):
    """Whether Stanch can still reach a repository, as GitHub last said when asked."""

    REACHABLE = "reachable"
    DELETED = "deleted"
    REMOVED = "removed"
    """The installation was removed, suspended, or lost this repository."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that has or had alerts."""

    id: RepositoryId
    full_name: str
    owner: Account
    owner_type: str
    """GitHub's word: `Organization` or `User`."""
    visibility: str
    """GitHub's word: `public`, `private`, `internal`."""
    html_url: str
    installation_id: InstallationId | None
    state: RepositoryState = RepositoryState.REACHABLE
    delegated_dismissal: bool | None = None
    """None where GitHub does not tell us."""

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"


class AlertState(StrEnum):
    """GitHub's `state` of an alert."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Place:
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
    place: Place | None = None
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
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    once: str | None = None
    """A second event of the same alert with the same `once` is not stored."""
    id: int | None = None


class MessagePurpose(StrEnum):
    """What a channel message is there for."""

    CARD = "card"
    REPLY = "reply"
    CHECKLIST = "checklist"
    SUMMARY = "summary"


class MessageState(StrEnum):
    """How far a channel message has come."""

    PLANNED = "planned"
    POSTING = "posting"
    """Sent, and not yet known whether Slack has it."""
    POSTED = "posted"
    BLOCKED = "blocked"
    """The channel can't take it now; `problem` says why."""
    FOLDED = "folded"
    """One of many at once: a summary stands for it, and it has no message of its own."""
    DROPPED = "dropped"
    """Never to be posted: Slack forgot the channel, or it can't be told whether it was posted."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of ours in a channel, posted once and then updated in place."""

    key: MessageKey
    purpose: MessagePurpose
    channel: ChannelId
    subject: str
    """What it shows, unique by purpose and channel: `<repository_id>/<number>` for a card, `event:<id>` …"""
    alert: AlertKey | None
    state: MessageState = MessageState.PLANNED
    ts: MessageTs | None = None
    draw: int = 0
    """Counts the draws, so that each gets new block ids."""
    fingerprint: str | None = None
    """Of what was drawn last; the same again is not sent."""
    slot_at: UnixTime | None = None
    """When the channel's pace lets it go out."""
    posting_since: UnixTime | None = None
    problem: str | None = None
    folded_into: MessageKey | None = None
    """The summary that stands for it."""
    created_at: UnixTime = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a summary's alerts are in one repository, of one state and validity."""

    repository: str
    owner: str
    state: AlertState
    validity: str
    count: int


class ThreadLevel(StrEnum):
    """How much of an alert's timeline a channel wants in the card's thread."""

    ALL = "all"
    ACTIONS = "actions"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A channel and the filter of the alerts it wants."""

    channel: ChannelId
    filter: str
    thread: ThreadLevel = ThreadLevel.ACTIONS
    created_at: UnixTime = 0.0


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived, without any secret."""

    guid: str
    event: str
    action: str | None
    body: Mapping[str, JsonValue]
    received_at: UnixTime
    outcome: str | None = None


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"
    """Tried often enough; waits for `stanch jobs retry`."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be stored with the change that asks for it."""

    kind: str
    payload: Mapping[str, JsonValue]
    key: str | None = None
    """Jobs of one key run one after another, in the order they were stored."""
    dedup: str | None = None
    """A second job with the same word is not stored while the first is remembered."""
    delay: float = 0.0
    """Seconds. A delayed job does not hold up its key."""


@dataclass(frozen=True, slots=True)
class Job:
    """Durable work."""

    id: JobId
    kind: str
    payload: Mapping[str, JsonValue]
    key: str | None
    state: JobState
    run_at: UnixTime
    attempts: int
    error: str | None
    created_at: UnixTime


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


class Claim(StrEnum):
    """What came of claiming an alert for an action."""

    NEW = "new"
    RESUMED = "resumed"
    """The same job claimed it before and ended in the middle: look before repeating."""
    TAKEN = "taken"
    """Another job holds it."""
