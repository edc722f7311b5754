"""Messages in channels, and which channel gets what."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records.alerts import AlertState
from storage.records.names import AlertKey, ChannelId, MessageKey, MessageTs, UnixTime


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
    """Given up: Slack has it no more, or it can't be told whether it was posted."""


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
    """Slack's word for why its channel can't have it now, or can't have it redrawn; for a dropped one, why."""
    folded_into: MessageKey | None = None
    """The summary that stands for it."""
    urgency: str | None = None
    """Of a card: how urgent the alert was when the card was planned."""
    raised_at: UnixTime | None = None
    """When its alert was raised again, until Slack shows that; a message that is gone by then is posted anew."""
    stands_for: ChannelId | None = None
    """The blocked channel for which this card is shown in the default channel."""
    created_at: UnixTime = 0.0

    @property
    def is_blocked(self) -> bool:
        """Its channel can't have it, or can't have it redrawn; a posted message keeps its place and state."""
        waiting = (MessageState.BLOCKED, MessageState.POSTING, MessageState.POSTED)
        return self.problem is not None and self.state in waiting


@dataclass(frozen=True, slots=True)
class SummaryGroup:
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
