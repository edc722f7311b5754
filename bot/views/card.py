"""Draws the card: the message that shows one alert in one channel."""

from collections.abc import Sequence

from bot.rules.case import Case
from bot.rules.comments import without_signature
from bot.rules.validity import confirmed_inactive
from bot.views.formatting import (
    PROBE_REASONS,
    alert_title,
    by_words,
    closed_by,
    duration_words,
    joined_words,
    location_words,
    person_words,
)
from bot.views.headline import headline, preview
from integrations.slack import text as t
from integrations.slack.blocks import (
    Block,
    Content,
    Metadata,
    actions,
    context,
    message,
    plain_section,
    section,
)
from integrations.slack.elements import Element
from integrations.slack.text import Mrkdwn
from storage.records import Alert, AlertKey, ReportState

HIDDEN = "An alert is hidden here, because this channel is shared with another organization."
VISIBILITIES = frozenset({"public", "private", "internal"})
UNCONFIRMED = "can't be confirmed, because checks are turned off here"
NO_DETAILS = Mrkdwn(":hourglass: GitHub has not sent the details yet; they will be added here.")


def draw_card(case: Case, controls: Sequence[Element], draw: int) -> Content:
    """The card's message. `draw` makes its block ids unique: Slack keeps a menu's selection while its id stays."""
    state = headline(case)
    heading = t.mrkdwn("{} *{}*", t.emoji(state.sign), state.words)
    return message(
        preview(case),
        section(t.lines(heading, alert_title(case.alert, case.repository))),
        *(_open_blocks(case) if case.alert.is_open else _closed_blocks(case)),
        actions(*controls, block_id=f"alert:{case.alert.key}:{draw}"),
    )


def draw_hidden() -> Content:
    """The message in place of a card in a channel that people of another organization can read."""
    return message(t.escape(HIDDEN), section(t.mrkdwn(":lock: {}", HIDDEN)))


def card_metadata(key: AlertKey) -> Metadata:
    """The metadata by which a posted card is found again after a crash."""
    return Metadata("stanch_alert", {"repository_id": key.repository_id, "alert_number": key.number})


def _open_blocks(case: Case) -> list[Block | None]:
    alert = case.alert
    facts = t.lines(
        _report_facts(case),
        t.fact("Validity", _validity(case)),
        _token_fact(case),
        t.fact("Exposure", _exposure(case)),
        t.fact("Found", _found(case)),
        _bypass_fact(alert),
        t.fact("On it", _on_it(case)),
    )
    return [section(facts), None if alert.detailed else context(NO_DETAILS)]


def _closed_blocks(case: Case) -> list[Block | None]:
    words = without_signature(case.alert.resolution_comment)
    return [plain_section(f"“{words}”") if words else None, context(_closing(case))]


def _closing(case: Case) -> Mrkdwn:
    alert = case.alert
    at = alert.resolved_at or alert.updated_at
    parts = [t.mrkdwn("{} {}", by_words(closed_by(alert), first=True), t.date(at))]
    if alert.resolved_at:
        parts.append(t.mrkdwn("open for {}", duration_words(alert.resolved_at - alert.created_at)))
    if case.steps_total:
        parts.append(t.mrkdwn("{} of {} done", case.steps_done, case.steps_total))
    return t.join(parts)


def _validity(case: Case) -> Mrkdwn:
    alert, probe = case.alert, case.alert.probe
    source = "by an earlier check" if alert.validity_written else "says GitHub"
    github = "unknown to GitHub" if alert.validity == "unknown" else f"{alert.validity}, {source}"
    if probe is None or probe.superseded:
        return t.prose(github)
    checked = t.mrkdwn("checked {}", t.date(probe.at))
    checked = t.mrkdwn("{} by {}", checked, person_words(probe.by) if probe.by else "Stanch")
    if probe.verdict == "unknown":
        return t.mrkdwn("{}; {}: {}", github, checked, PROBE_REASONS.get(probe.reason, probe.reason))
    known = probe.verdict == "active" or confirmed_inactive(alert)
    return t.mrkdwn("{}, {}", probe.verdict if known else "not valid on this GitHub", checked)


def _token_fact(case: Case) -> Mrkdwn | None:
    token = case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    parts: list[str | Mrkdwn] = [t.code(owner)] if owner else []
    if token.scopes:
        parts.append(f"{'scopes' if len(token.scopes) > 1 else 'scope'} {joined_words(token.scopes)}")
    if token.expires_at is not None:
        over = token.expires_at <= case.now
        day = t.date(token.expires_at, "{date_short}")
        parts.append(t.mrkdwn("{} {}", "expired" if over else "expires", day))
    return t.fact("Token of" if owner else "Token", t.join(parts)) if parts else None


def _exposure(case: Case) -> Mrkdwn:
    alert, repository = case.alert, case.repository
    known = repository.visibility in VISIBILITIES
    place = f"{repository.visibility} repository" if known else "repository of unknown visibility"
    only = "" if alert.publicly_leaked or alert.multi_repo or repository.is_public or not known else " only"
    parts = (
        "publicly leaked" if alert.publicly_leaked else "",
        place + only,
        "in several repositories" if alert.multi_repo else "",
    )
    words = ", ".join(part for part in parts if part)
    # A generic secret, such as a password, has no provider to notify.
    notified = repository.is_public and alert.category != "generic"
    return t.prose(f"{words}; GitHub notifies the provider itself" if notified else words)


def _found(case: Case) -> Mrkdwn:
    alert = case.alert
    if alert.place is None:
        return t.date(alert.created_at)
    place = location_words(alert.place, case.repository)
    if alert.has_more_places:
        place = t.mrkdwn("{} and more locations", place)
    return t.join((place, t.date(alert.created_at)))


def _bypass_fact(alert: Alert) -> Mrkdwn | None:
    if not alert.bypassed:
        return None
    by = t.code(alert.bypassed_by) if alert.bypassed_by else t.prose("somebody")
    comment = t.mrkdwn(": {}", alert.bypass_comment) if alert.bypass_comment else Mrkdwn("")
    return t.mrkdwn(":warning: *Push protection was bypassed* by {}{}", by, comment)


def _on_it(case: Case) -> Mrkdwn:
    alert = case.alert
    if alert.taken_by is not None:
        who = person_words(alert.taken_by)
        if alert.assigned_to is not None and alert.assigned_to != alert.taken_by.github:
            who = t.mrkdwn("{}; GitHub's assignee is {}", who, t.code(alert.assigned_to.login))
    elif alert.assigned_to is not None:
        who = t.mrkdwn("{}, assigned on GitHub", t.code(alert.assigned_to.login))
    else:
        who = Mrkdwn("nobody yet")
    return t.mrkdwn("{}, {} of {} done", who, case.steps_done, case.steps_total) if case.steps_total else who


def _report_facts(case: Case) -> Mrkdwn | None:
    report = case.alert.report
    if report is None:
        return None
    who, at = person_words(report.by), t.date(report.at)
    if report.state is ReportState.FAILED:
        return t.fact("Report", t.mrkdwn("GitHub did not take it; sent by {}, {}", who, at))
    if report.state is ReportState.WAITING:
        due = t.date(report.next_look_at or report.at)
        return t.fact("Report", t.mrkdwn("requested by {}, will be sent {}", who, due))
    next_look = report.next_look_at if report.state is ReportState.REPORTED else None
    next_check = t.fact("Next check", t.date(next_look)) if next_look else None
    if report.state is ReportState.REPORTED and not case.options.validity.probes:
        next_check = t.fact("Result", UNCONFIRMED)
    return t.lines(t.fact("Reported by", t.mrkdwn("{}, {}", who, at)), next_check)
