"""Stanch's messages in channels, and subscriptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storage.records.alerts import AlertState, Person
from storage.records.names import (
    AlertKey,
    ChannelId,
    MessageKey,
    MessageTs,
    SlackUserId,
    UnixTime,
)


class MessagePurpose(StrEnum):
    """The purpose of a channel message."""

    CARD = "card"
    REPLY = "reply"
    CHECKLIST = "checklist"
    SUMMARY = "summary"
    NOTICE = "notice"
    """A message about no single alert; `facts` holds its content."""


class MessageState(StrEnum):
    """The state of a channel message."""

    PLANNED = "planned"
    POSTING = "posting"
    """Sent, but it is not known yet whether Slack has it."""
    POSTED = "posted"
    BLOCKED = "blocked"
    """It can't be posted in the channel now; `problem` says why."""
    FOLDED = "folded"
    """It is not posted, since a summary stands for it."""
    DROPPED = "dropped"
    """Given up: Slack no longer has it, or it is not known whether it was posted."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of Stanch in a channel, posted once and then updated in place."""

    key: MessageKey
    purpose: MessagePurpose
    channel: ChannelId
    subject: str
    """What it shows, as `<repository_id>/<number>` for a card; unique for a purpose and channel."""
    alert: AlertKey | None
    state: MessageState = MessageState.PLANNED
    ts: MessageTs | None = None
    draw: int = 0
    """The number of draws; each draw has new block ids."""
    fingerprint: str | None = None
    """The fingerprint of the last draw; an equal draw is not sent."""
    slot_at: UnixTime | None = None
    """When it may be posted, by the pace of the channel."""
    posting_since: UnixTime | None = None
    problem: str | None = None
    """Slack's error code for why it can't be posted or updated, or why it was dropped."""
    folded_into: MessageKey | None = None
    """The summary that stands for it."""
    urgency: str | None = None
    """For a card, the urgency of its alert when the card was planned."""
    raised_at: UnixTime | None = None
    """When its alert was raised again, until the message shows it; if it is deleted by then, a new one is posted."""
    stands_for: ChannelId | None = None
    """For a stand-in in the default channel, the blocked channel."""
    created_at: UnixTime = 0.0
    facts: Mapping[str, Any] | None = None
    """For a notice, its content: its kind and the fields of that kind."""

    @property
    def is_blocked(self) -> bool:
        """Whether it can't be posted or updated; a posted message then stays as it is."""
        waiting = (MessageState.BLOCKED, MessageState.POSTING, MessageState.POSTED)
        return self.problem is not None and self.state in waiting


@dataclass(frozen=True, slots=True)
class SummaryGroup:
    """The number of a summary's alerts with the same repository, state and validity."""

    repository: str
    owner: str
    state: AlertState
    validity: str
    count: int


class ThreadLevel(StrEnum):
    """Which timeline entries a channel gets as replies to the card."""

    ALL = "all"
    ACTIONS = "actions"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who can read a channel besides its ordinary members."""

    is_public: bool
    guests: tuple[SlackUserId, ...] | None = ()
    """The guests in it, sorted; None for a channel with more members than Stanch asks Slack about."""

    @property
    def is_open(self) -> bool:
        """Whether more people can read it than its ordinary members, as far as is known."""
        return self.is_public or self.guests is None or bool(self.guests)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A channel, and the filter of the alerts that it gets."""

    channel: ChannelId
    filter: str
    thread: ThreadLevel = ThreadLevel.ACTIONS
    created_at: UnixTime = 0.0
    """When the channel got this filter; alerts from before are summarized."""
    mention: str | None = None
    """The id of the user group that is mentioned for urgent alerts and those raised again."""
    pinned: Mapping[str, int] = field(default_factory=dict)
    """The numeric ids of what the filter names, by term: `repo:octo/payments`, `org:octo`.

    A name without an id here is compared as a name.
    """
    author: Person | None = None
    """Who subscribed or adopted it in Slack; None if an operator did at the command line."""
    changed_at: UnixTime | None = None
    lost_at: UnixTime | None = None
    """Since when its author may no longer view all that it covers."""
    paused_at: UnixTime | None = None
    """Since when it gets no new alerts."""
    audience: Audience | None = None
    """Who could read the channel when it was last checked; None if it never was."""
