"""The card's thread: one reply for each thing that happened to the alert."""

from collections.abc import Mapping

from bot.rules.comments import unsigned
from bot.views.words import PROBE_REASONS, person_words, resolution_words, when
from integrations.slack import text as t
from integrations.slack.blocks import Content, Metadata, context, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, EventKind, MessageKey, Repository, ThreadLevel

ACTIONS = frozenset(
    {
        EventKind.PROBED,
        EventKind.REPORT_WAITING,
        EventKind.REPORTED,
        EventKind.REPORT_CONFIRMED,
        EventKind.REPORT_STILL_ACTIVE,
        EventKind.REPORT_FAILED,
        EventKind.OWNER_TOLD,
        EventKind.CLOSED,
        EventKind.REOPENED,
        EventKind.TAKEN,
        EventKind.STEPPED_BACK,
        EventKind.PUBLICLY_LEAKED,
        EventKind.RAISED_AGAIN,
    }
)
"""What a channel hears that wants actions only: what people did, and what makes an alert worse."""
NEVER = frozenset({EventKind.FOUND, EventKind.STEPS_CHANGED})
"""What the card itself, or the checklist, tells."""


def wanted(kind: EventKind, level: ThreadLevel) -> bool:
    """Whether a channel of this level gets a reply for it."""
    if kind in NEVER or level is ThreadLevel.NONE:
        return False
    return level is ThreadLevel.ALL or kind in ACTIONS


def draw_reply(event: Event, alert: Alert, repository: Repository) -> Content:
    """One entry of the timeline as a reply under the card."""
    words = event_words(event)
    preview = t.mrkdwn("{} in {}, alert {}", alert.secret_type_name, repository.full_name, alert.key.number)
    comment = event.details.get("comment")
    said = unsigned(comment) if isinstance(comment, str) else None
    return message(
        t.lines(words, preview),
        section(t.lines(words, t.mrkdwn("“{}”", said) if said else None)),
        context(when(event.at)),
    )


def reply_metadata(key: MessageKey) -> Metadata:
    """What finds a message again that must not be posted twice."""
    return Metadata("stanch_event", {"key": key})


SENTENCES: Mapping[EventKind, str] = {
    EventKind.FOUND: "Found by GitHub.",
    EventKind.VALIDITY_CHANGED: "GitHub now says: {after} (before: {before}).",
    EventKind.REPORT_WAITING: ":hourglass_flowing_sand: {who} reports it; it will be sent {until}.",
    EventKind.REPORTED: ":outbox_tray: {who} reported the leak to GitHub.",
    EventKind.REPORT_CONFIRMED: ":large_green_circle: The reported secret no longer works.",
    EventKind.REPORT_STILL_ACTIVE: ":rotating_light: The secret was reported, but it still works.",
    EventKind.REPORT_FAILED: ":x: GitHub did not take the report by {who}.",
    EventKind.OWNER_TOLD: ":speech_balloon: {who} told the owner, {login}.",
    EventKind.CLOSED: ":white_check_mark: Closed as {resolution} by {who}.",
    EventKind.REOPENED: ":red_circle: Reopened by {who}.",
    EventKind.ASSIGNED: "Assigned to {login} on GitHub.",
    EventKind.UNASSIGNED: "{login} is no longer assigned on GitHub.",
    EventKind.TAKEN: ":raising_hand: {who} is on it.",
    EventKind.STEPPED_BACK: "{who} stepped back.",
    EventKind.STEPS_CHANGED: "{who} changed what is left to do.",
    EventKind.PUBLICLY_LEAKED: ":rotating_light: GitHub found the secret in public.",
    EventKind.MULTI_REPO: "GitHub found the secret in more than one repository.",
    EventKind.PLACE_ADDED: "The secret was found at one more place.",
    EventKind.RAISED_AGAIN: ":rotating_light: Raised again: {because}",
    EventKind.REPOSITORY_CHANGED: "The repository changed: {what}",
}


def event_words(event: Event) -> Mrkdwn:
    """What happened, in one sentence."""
    if event.kind is EventKind.PROBED:
        return _probed(event)
    details = {name: str(value or "") for name, value in event.details.items()}
    until = event.details.get("until")
    return t.mrkdwn(
        SENTENCES[event.kind],
        who=person_words(event.by),
        login=t.code(details.get("login") or "somebody"),
        resolution=resolution_words(details.get("resolution")),
        until=when(until) if isinstance(until, int | float) else "later",
        **{name: details.get(name, "") for name in ("before", "after", "because", "what")},
    )


def _probed(event: Event) -> Mrkdwn:
    verdict, reason = str(event.details.get("verdict")), str(event.details.get("reason"))
    sign, words = {
        "active": ("rotating_light", "it still works"),
        "inactive": ("large_orange_circle", "it is not valid on this GitHub"),
    }.get(verdict, ("grey_question", "not known whether it works"))
    who = t.mrkdwn("{} asked", person_words(event.by)) if event.by else Mrkdwn("Asked again")
    why = PROBE_REASONS.get(reason, reason)
    return t.mrkdwn("{} {}: {} ({}).", t.emoji(sign), who, words, why)
