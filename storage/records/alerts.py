"""Alerts: GitHub's facts, what was done through Stanch, and the timeline."""

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
    """A location of a secret, usually the first one."""

    kind: str
    """GitHub's location type: `commit`, `issue_body`, …"""
    path: str | None = None
    line: int | None = None
    commit_sha: str | None = None
    url: str | None = None
    """The page on GitHub that shows it."""


@dataclass(frozen=True, slots=True)
class CommitAuthor:
    """Who made the commit that a secret was found in, as GitHub answered for it. It never holds an e-mail address."""

    sha: str
    """The commit that GitHub was asked about."""
    account: Account | None = None
    """The author's account, found by the e-mail address in the commit, which anyone with push can write."""
    committer: Account | None = None
    verified: bool = False
    """GitHub calls the commit's signature verified."""

    @property
    def is_proved(self) -> bool:
        """Whether the author's account itself made the commit: it signed it, as author and as committer."""
        if not self.verified or self.account is None or self.committer is None:
            return False
        return self.account.id == self.committer.id


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The owner and rights of a token, as far as GitHub's metadata or a probe show them."""

    owner: Account | None = None
    owner_name: str | None = None
    scopes: tuple[str, ...] = ()
    expires_at: UnixTime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A person, known by the Slack user, the GitHub account, or both."""

    slack_team: SlackTeamId | None = None
    slack_user: SlackUserId | None = None
    github: Account | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """The last probe: Stanch asked GitHub with the secret whether it works."""

    verdict: str
    """`active`, `inactive` or `unknown`."""
    reason: str
    """Why, as a `Reason` of `integrations.github.token_verdict`: `accepted`, `bad_credentials`, …"""
    at: UnixTime
    by: Person | None
    """None for a follow-up or recheck, which no person requested."""
    ever_active: bool = False
    """This or an earlier probe had the verdict `active`."""
    superseded: bool = False
    """GitHub's validity has changed since this probe."""


class ReportState(StrEnum):
    """The state of a leak report."""

    WAITING = "waiting"
    """Requested by a person; it is sent when GitHub's limit allows."""
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    """Reported, and the secret no longer works."""
    STILL_ACTIVE = "still_active"
    """Reported, but the secret still worked at the last follow-up."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """The leak report of an alert."""

    state: ReportState
    by: Person
    at: UnixTime
    next_look_at: UnixTime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a hand over means for GitHub's assignee, where it differs from what taking the alert means."""

    at: UnixTime
    """When it was; it is void once the alert's `taken_at` differs."""
    grants: bool
    """GitHub's assignment lets the receiver see and resolve the alert; otherwise Stanch assigns nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A secret scanning alert: GitHub's facts, and what was done through Stanch."""

    key: AlertKey
    html_url: str
    secret_type: str
    secret_type_name: str
    provider: str | None = None
    category: str = "default"
    """`default` or `generic`, by GitHub."""
    created_at: UnixTime
    updated_at: UnixTime
    """GitHub's `updated_at`; older facts never overwrite newer ones."""
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
    commit_author: CommitAuthor | None = None
    """Of the commit of `place`; None if GitHub was not asked."""
    assigned_to: Account | None = None
    token: TokenFacts = field(default_factory=TokenFacts)
    detailed: bool = False
    """Whether the details that webhooks lack have been fetched."""
    first_seen_at: UnixTime

    probe: Probe | None = None
    report: Report | None = None
    taken_by: Person | None = None
    taken_at: UnixTime | None = None
    acted_by: Person | None = None
    """Who closed or reopened it last; None if it was not done through Stanch."""
    validity_written: bool = False
    """Whether GitHub's `validity` is an override that Stanch wrote."""
    assigned_by_us: Account | None = None
    """Whom Stanch assigned on GitHub, or is about to; None once GitHub has another assignee or none."""
    last_hand_over: HandOver | None = None

    @property
    def is_open(self) -> bool:
        return self.state is AlertState.OPEN

    @property
    def hand_over(self) -> HandOver | None:
        """The hand over by which the person on it got the alert; None if they took it, or GitHub assigned them."""
        last = self.last_hand_over
        return last if last is not None and last.at == self.taken_at else None

    def is_granted_to(self, account: GitHubId) -> bool:
        """Whether a hand over lets this account see and resolve the alert, once it is the assignee on GitHub."""
        holder = self.taken_by.github if self.taken_by else None
        is_granted = self.hand_over is not None and self.hand_over.grants
        return is_granted and holder is not None and holder.id == account

    def is_entitled_assignee(self, account: GitHubId) -> bool:
        """Whether this account is the assignee on GitHub, by somebody else than Stanch or by a hand over."""
        if self.assigned_to is None or self.assigned_to.id != account:
            return False
        by_us = self.assigned_by_us is not None and self.assigned_by_us.id == account
        return not by_us or self.is_granted_to(account)


class EventKind(StrEnum):
    """The kinds of timeline entries."""

    FOUND = "found"
    VALIDITY_CHANGED = "validity_changed"
    PROBED = "probed"
    REPORT_WAITING = "report_waiting"
    REPORTED = "reported"
    REPORT_CONFIRMED = "report_confirmed"
    REPORT_STILL_ACTIVE = "report_still_active"
    REPORT_FAILED = "report_failed"
    APPROVAL_REQUESTED = "approval_requested"
    """Somebody wants to report, and a second person has to approve it."""
    REPORT_APPROVED = "report_approved"
    REPORT_DENIED = "report_denied"
    APPROVAL_LAPSED = "approval_lapsed"
    APPROVAL_ENDED = "approval_ended"
    """What was asked for has changed, or the approved report was refused."""
    OWNER_TOLD = "owner_told"
    OWNER_ANSWERED = "owner_answered"
    """The token's owner pressed a button of the message that told them."""
    CLOSED = "closed"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    TAKEN = "taken"
    STEPPED_BACK = "stepped_back"
    HANDED_OVER = "handed_over"
    RELEASED = "released"
    """The person on it was removed, since they may no longer see it."""
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
    """Of an alert's events with the same `once` only the first is stored."""
    id: int | None = None
