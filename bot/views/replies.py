"""Words the events of an alert, and draws them as replies in the card's thread."""

from collections.abc import Mapping, Sequence

from bot.rules.comments import without_signature
from bot.views.approval import because_words, request_buttons
from bot.views.formatting import (
    PROBE_REASONS,
    VIA_STANCH,
    alert_name,
    alert_title,
    plain_name,
    resolution_words,
)
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, Metadata, context, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, EventKind, MessageKey, Repository, RepositoryState

STATE_CHANGES: Mapping[str, str] = {
    RepositoryState.DELETED: "it was deleted",
    RepositoryState.REMOVED: "Stanch's access to it was removed",
}

RAISE_REASONS = {"still_works": "it was closed as revoked, and still works"}
"""Why an alert is raised again; rows of version 0.1.0 hold these words instead of the key."""
RELEASE_REASONS = {
    "no_view": "GitHub does not let them see this alert",
    "not_assigned": "GitHub did not take them as the assignee, so they may not see this alert",
    "not_linked": "they are not linked to that GitHub account any more",
    "suspended": "their link to their GitHub account is suspended",
    "deactivated": "their Slack account is deactivated",
    "guest": "they are a guest in Slack now",
    "other_organization": "they belong to another organization in Slack now",
}
OTHER_RELEASE_REASON = "they can't act here any more"
OWNER_ANSWERS = {
    "rotated": Mrkdwn("*says* it is rotated"),
    "not_mine": Mrkdwn("*says* it is not theirs"),
    "wait": Mrkdwn("*asks* to wait with the report"),
}
"""What the token's owner said, by the stored word. It is a claim: nobody has checked it."""
APPROVER_NEEDED = "Another person who has the right by role can approve or deny it."
CONSEQUENCE = "Whatever uses the token stops working, and it can't be undone."
OTHER_OWNER_ANSWER = Mrkdwn("answered")


def draw_reply(
    events: Sequence[Event], alert: Alert, repository: Repository, draw: int = 0, *, in_channel: bool = False
) -> Content:
    """A reply under the card. `events` are those that share it, oldest first; `in_channel`: the channel shows it too.

    `draw` makes its block ids unique, where a request for approval waits for a decision. Slack shows the time of the
    first event beside the message; the others, which edited it, name theirs.
    """
    quoted = quoted_comment(events[0])
    words = t.lines(*_shared_words(events))
    title = alert_title(alert, repository) if in_channel else None
    return message(
        t.without_markup(t.lines(words, alert_name(alert, repository), quoted)),
        section(t.lines(words, title, quoted)),
        *_buttons(events, alert, draw),
    )


def _buttons(events: Sequence[Event], alert: Alert, draw: int) -> list[Block | None]:
    """Until when a second person can decide, and the buttons; none after a decision."""
    first, last = events[0], events[-1]
    if last.kind is not EventKind.APPROVAL_REQUESTED or not alert.is_open:
        return []
    until = t.mrkdwn("{} It lapses {}.", APPROVER_NEEDED, _until(first))
    return [context(until), request_buttons(alert.key, _detail(first, "request"), draw)]


def _shared_words(events: Sequence[Event]) -> list[Mrkdwn]:
    first = events[0]
    if first.kind is EventKind.PLACE_ADDED and len(events) > 1:
        return [_new_locations(first, len(events))]
    # A report that was sent, or asked for again, no longer waits as it did.
    waited = [event for event in events[:-1] if event.kind is EventKind.REPORT_WAITING]
    shown = [event for event in events if event not in waited]
    return [
        event_words(event) if event is first else t.mrkdwn("{} ({})", event_words(event), t.date(event.at))
        for event in shown
    ]


def reply_metadata(key: MessageKey) -> Metadata:
    """The metadata by which a posted message is found again, so that it is not posted twice."""
    return Metadata("stanch_event", {"key": key})


def quoted_comment(event: Event) -> Mrkdwn | None:
    """The comment of a closure or a reopening in quotes, without our signature; None if there is none."""
    comment = event.details.get("comment")
    words = without_signature(comment) if isinstance(comment, str) else None
    return t.mrkdwn("“{}”", words) if words else None


def event_words(event: Event) -> Mrkdwn:
    """The event as one sentence."""
    who, by, login = plain_name(event.by), _by(event), t.code(_detail(event, "login") or "somebody")
    because = _detail(event, "because")
    sentences: Mapping[EventKind, Mrkdwn] = {
        EventKind.FOUND: Mrkdwn("Found by GitHub."),
        EventKind.VALIDITY_CHANGED: _validity_changed(event),
        EventKind.PROBED: _probed(event),
        EventKind.REPORT_WAITING: t.mrkdwn(
            ":hourglass_flowing_sand: {} asked to report it to GitHub; it will be sent {}.",
            who,
            _until(event),
        ),
        EventKind.REPORTED: t.mrkdwn(":outbox_tray: {} reported the leak to GitHub.", who),
        EventKind.REPORT_CONFIRMED: _confirmed(event),
        EventKind.REPORT_STILL_ACTIVE: Mrkdwn(
            ":rotating_light: The secret was reported, but it still works."
        ),
        EventKind.REPORT_FAILED: t.mrkdwn(":x: GitHub did not take the report by {}.", who),
        **_approval_words(event),
        EventKind.OWNER_TOLD: t.mrkdwn(":speech_balloon: {} told the owner, {}.", who, login),
        EventKind.OWNER_ANSWERED: t.mrkdwn(
            "{} {}.", login, OWNER_ANSWERS.get(_detail(event, "answer"), OTHER_OWNER_ANSWER)
        ),
        EventKind.CLOSED: t.mrkdwn(
            ":white_check_mark: Closed as {} {}.", resolution_words(_detail(event, "resolution")), by
        ),
        EventKind.REOPENED: t.mrkdwn(":red_circle: Reopened {}.", by),
        EventKind.ASSIGNED: t.mrkdwn("Assigned to {} on GitHub.", login),
        EventKind.UNASSIGNED: t.mrkdwn("{} is no longer assigned on GitHub.", login),
        EventKind.TAKEN: t.mrkdwn(":raising_hand: {} is on it.", who),
        EventKind.STEPPED_BACK: t.mrkdwn(":wave: {} stepped back.", who),
        EventKind.HANDED_OVER: _handed_over(event),
        EventKind.RELEASED: t.mrkdwn(
            ":wave: {} is no longer on it: {}.", who, RELEASE_REASONS.get(because, OTHER_RELEASE_REASON)
        ),
        EventKind.STEPS_CHANGED: t.mrkdwn("{} changed what is left to do.", who),
        EventKind.PUBLICLY_LEAKED: Mrkdwn(":rotating_light: GitHub found the secret in public."),
        EventKind.MULTI_REPO: Mrkdwn("GitHub found the secret in more than one repository."),
        EventKind.PLACE_ADDED: t.mrkdwn("The secret was found at one more location{}.", _path(event)),
        EventKind.RAISED_AGAIN: t.mrkdwn(
            ":rotating_light: Raised again: {}.", RAISE_REASONS.get(because, because)
        ),
        EventKind.REPOSITORY_CHANGED: t.mrkdwn("The repository changed: {}.", _repository_change(event)),
    }
    return sentences[event.kind]


def _by(event: Event) -> Mrkdwn:
    """Who closed or reopened it and in whose name, as `closed_by_words`, but without a mention."""
    if event.by is None:
        return Mrkdwn("on GitHub")
    by = t.mrkdwn("by {}", plain_name(event.by))
    if event.by.slack_user is None:
        return t.mrkdwn("{} on GitHub", by)
    return by if _is_in_own_name(event) else t.mrkdwn("{} {}", by, VIA_STANCH)


def _is_in_own_name(event: Event) -> bool:
    return event.details.get("own_name") is True


def _detail(event: Event, name: str) -> str:
    return str(event.details.get(name) or "")


def _until(event: Event) -> Mrkdwn:
    until = event.details.get("until")
    return t.date(until) if isinstance(until, int | float) else Mrkdwn("later")


def _path(event: Event) -> Mrkdwn:
    path = _detail(event, "path")
    return t.mrkdwn(": {}", t.code(path)) if path else Mrkdwn("")


def _new_locations(event: Event, number: int) -> Mrkdwn:
    path = _detail(event, "path")
    first = t.mrkdwn(", first in {}", t.code(path)) if path else Mrkdwn("")
    return t.mrkdwn("The secret was found at {} more locations{}.", number, first)


def _validity_changed(event: Event) -> Mrkdwn:
    before, after = _detail(event, "before"), _detail(event, "after")
    sign = t.emoji("rotating_light" if after == "active" else "information_source")
    return t.mrkdwn("{} Validity on GitHub changed from {} to {}.", sign, before, after)


def _confirmed(event: Event) -> Mrkdwn:
    """The confirmation of a report. A secret that never worked on this GitHub is not said to have stopped working."""
    if event.details.get("confirmed") is False:
        return Mrkdwn(":large_green_circle: The reported secret is not valid on this GitHub.")
    return Mrkdwn(":large_green_circle: The reported secret no longer works.")


def _approval_words(event: Event) -> Mapping[EventKind, Mrkdwn]:
    """The event of a request for approval as one sentence, by its kind."""
    who, because = plain_name(event.by), _detail(event, "because")
    return {
        EventKind.APPROVAL_REQUESTED: t.mrkdwn(
            ":busts_in_silhouette: {} asks for approval to report it to GitHub. {}", who, CONSEQUENCE
        ),
        EventKind.REPORT_APPROVED: _approved(event),
        EventKind.REPORT_DENIED: t.mrkdwn(":no_entry_sign: {} denied the report.", who),
        EventKind.APPROVAL_LAPSED: Mrkdwn(":hourglass: Nobody approved the report within an hour."),
        EventKind.APPROVAL_ENDED: t.mrkdwn(
            ":no_entry_sign: The report is not sent: {}.", because_words(because)
        ),
    }


def _approved(event: Event) -> Mrkdwn:
    """The approval, or the exception of somebody who went ahead alone."""
    who = plain_name(event.by)
    if event.details.get("alone") is True:
        return t.mrkdwn(
            ":warning: *Exception:* {} goes ahead alone, since GitHub names nobody else with the right.", who
        )
    return t.mrkdwn(":white_check_mark: {} approved the report.", who)


def _probed(event: Event) -> Mrkdwn:
    verdict, reason = _detail(event, "verdict"), _detail(event, "reason")
    gone = "it no longer works" if event.details.get("ever_active") else "it is not valid on this GitHub"
    sign, words = {
        "active": ("rotating_light", "it still works"),
        "inactive": ("large_orange_circle", gone),
    }.get(verdict, ("grey_question", "not known whether it works"))
    itself = "Checked on arrival" if event.details.get("on_arrival") else "Checked again"
    who = t.mrkdwn("{} checked it", plain_name(event.by)) if event.by else t.prose(itself)
    why = PROBE_REASONS.get(reason, reason)
    probed = t.mrkdwn("{} {}: {} ({}).", t.emoji(sign), who, words, why)
    if not event.details.get("written"):
        return probed
    name = "in their own name" if _is_in_own_name(event) else VIA_STANCH
    return t.mrkdwn("{} It was written to GitHub's alert {}.", probed, name)


def _handed_over(event: Event) -> Mrkdwn:
    login = t.code(_detail(event, "login"))
    words = t.mrkdwn(":raising_hand: {} handed it over to {}.", plain_name(event.by), login)
    if event.details.get("grants") is not True:
        return words
    return t.mrkdwn("{} GitHub lets them see and resolve it as the assignee.", words)


def _repository_change(event: Event) -> str:
    """In words after "The repository changed:"; rows of version 0.1.0 hold these words as `what`."""
    before, after = _detail(event, "before"), _detail(event, "after")
    match event.details.get("change"):
        case "state":
            return STATE_CHANGES.get(after, "Stanch can reach it again")
        case "full_name":
            return f"{before} is now {after}"
        case "visibility":
            return f"it is {after} now"
        case _:
            return _detail(event, "what")
