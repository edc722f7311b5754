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
    urgency: str | None = None
    """Of a card: how urgent the alert was when the card was planned."""
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
