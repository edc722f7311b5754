"""The card: one alert in one channel, as it is now."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.rules.case import Case
from bot.rules.comments import unsigned
from bot.rules.eligibility import confirmed_inactive, works
from bot.views.words import (
    PROBE_REASONS,
    alert_title,
    is_open,
    person_plain,
    person_words,
    place_words,
    resolution_words,
    secret_word,
    span_words,
    when,
)
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
from storage.records import Alert, AlertKey, Person, ReportState, RepositoryState

GONE = {
    RepositoryState.DELETED: "the repository was deleted",
    RepositoryState.REMOVED: "Stanch's access to the repository was removed",
}


def draw_card(case: Case, controls: Sequence[Element], draw: int) -> Content:
    """The card's message. `draw` makes its block ids new: Slack keeps a menu's state under an unchanged one."""
    blocks = _open_blocks(case) if is_open(case.alert) else _closed_blocks(case)
    return message(_preview(case), *blocks, actions(*controls, block_id=f"alert:{case.alert.key}:{draw}"))


def draw_hidden() -> Content:
    """What stands in place of a card in a channel that people of another organization can read."""
    words = Mrkdwn("Hidden: this channel is shared with another organization.")
    return message(words, section(t.mrkdwn("{} {}", t.emoji("lock"), words)))


def card_metadata(key: AlertKey) -> Metadata:
    """What finds the card again after a crash."""
    return Metadata("stanch_alert", {"repository_id": key.repository_id, "alert_number": key.number})


def headline(case: Case) -> tuple[str, str]:
    """A sign and the state in words: never one without the other."""
    alert, word = case.alert, secret_word(case.alert)
    if case.repository.state is not RepositoryState.REACHABLE:
        return "no_entry_sign", f"Out of reach: {GONE[case.repository.state]}"
    if not is_open(alert):
        return _closed_headline(alert)
    report = alert.report.state if alert.report else None
    if report is ReportState.REPORTED:
        return "hourglass_flowing_sand", "Reported to GitHub, not yet confirmed dead"
    if report is ReportState.CONFIRMED:
        return "large_green_circle", "Reported and confirmed inactive, still open"
    if report is ReportState.STILL_ACTIVE:
        return "rotating_light", f"Reported, but this {word} still works"
    if report is ReportState.WAITING:
        return "hourglass_flowing_sand", "To be reported to GitHub"
    return {
        "active": ("rotating_light", f"Open: this {word} still works"),
        "inactive": ("large_orange_circle", f"Open: this {word} {_dead_words(alert)}"),
    }.get(works(alert), ("red_circle", "Open: not known whether it works"))


def _closed_headline(alert: Alert) -> tuple[str, str]:
    closed = f"Closed as {resolution_words(alert.resolution)}"
    if works(alert) == "active":
        return "warning", f"{closed}, but it still works"
    if confirmed_inactive(alert):
        return "white_check_mark", f"{closed}, confirmed inactive"
    return "white_check_mark", closed


def _dead_words(alert: Alert) -> str:
    """A 401 alone may also mean that the token belongs to another GitHub."""
    return "no longer works" if confirmed_inactive(alert) else "is not valid on this GitHub"


def _heading(case: Case) -> Block:
    sign, words = headline(case)
    return section(
        t.lines(t.mrkdwn("{} *{}*", t.emoji(sign), words), alert_title(case.alert, case.repository))
    )


def _open_blocks(case: Case) -> list[Block | None]:
    alert = case.alert
    facts = t.lines(
        *_report_facts(alert),
        t.fact("Validity", _validity(case)),
        _token_fact(alert),
        t.fact("Exposure", _exposure(case)),
        t.fact("Found", _found(case)),
        _bypass_fact(alert),
        t.fact("On it", _on_it(case)),
    )
    return [_heading(case), section(facts), _unfinished(case)]


def _closed_blocks(case: Case) -> list[Block | None]:
    alert = case.alert
    words = unsigned(alert.resolution_comment)
    comment = plain_section(f"“{words}”") if words else None
    return [_heading(case), comment, context(_closing(case)), _unfinished(case)]


def _closing(case: Case) -> Mrkdwn:
    alert = case.alert
    by = alert.acted_by or (Person(github=alert.resolved_by) if alert.resolved_by else None)
    parts = [t.mrkdwn("By {} {}", person_words(by), when(alert.resolved_at or alert.updated_at))]
    if alert.resolved_at:
        parts.append(t.mrkdwn("open for {}", span_words(alert.resolved_at - alert.created_at)))
    if case.steps_total:
        parts.append(t.mrkdwn("{} of {} done", case.steps_done, case.steps_total))
    return t.join(parts)


def _validity(case: Case) -> Mrkdwn:
    alert, probe = case.alert, case.alert.probe
    github = {
        "active": "active, says GitHub",
        "inactive": "inactive, says GitHub",
        "unknown": "unknown to GitHub",
    }.get(alert.validity, alert.validity)
    if probe is None or probe.superseded:
        return t.prose(github)
    asked = t.mrkdwn("asked {}", when(probe.at))
    if probe.by is not None:
        asked = t.mrkdwn("{} by {}", asked, person_words(probe.by))
    if probe.verdict == "unknown":
        return t.mrkdwn("{}; {}: {}", github, asked, PROBE_REASONS.get(probe.reason, probe.reason))
    word = (
        probe.verdict
        if probe.verdict == "active" or confirmed_inactive(alert)
        else "not valid on this GitHub"
    )
    return t.mrkdwn("{}, {}", word, asked)


def _token_fact(alert: Alert) -> Mrkdwn | None:
    token = alert.token
    owner = token.owner.login if token.owner else token.owner_name
    parts: list[str | Mrkdwn] = [t.code(owner)] if owner else []
    if token.scopes:
        parts.append(f"{'scopes' if len(token.scopes) > 1 else 'scope'} {_listed(token.scopes)}")
    if token.expires_at:
        day = datetime.fromtimestamp(token.expires_at, UTC)
        parts.append(f"expires {day.day} {day:%b %Y}")
    return t.fact("Token of" if owner else "Token", t.join(parts)) if parts else None


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _exposure(case: Case) -> Mrkdwn:
    alert, repository = case.alert, case.repository
    words = []
    if alert.publicly_leaked:
        words.append("leaked publicly")
    if repository.is_public:
        words.append("public repository; GitHub tells the provider itself")
    elif not alert.publicly_leaked or not alert.multi_repo:
        only = "" if alert.publicly_leaked or alert.multi_repo else " only"
        words.append(f"{repository.visibility} repository{only}")
    if alert.multi_repo:
        words.append("in several repositories")
    return t.prose(", ".join(words))


def _found(case: Case) -> Mrkdwn:
    alert = case.alert
    if alert.place is None:
        return when(alert.created_at)
    more = " and more places" if alert.has_more_places else ""
    return t.mrkdwn("{}{}, {}", place_words(alert.place, case.repository), more, when(alert.created_at))


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
    elif alert.assigned_to is not None:
        who = t.mrkdwn("{}, assigned on GitHub", t.code(alert.assigned_to.login))
    else:
        who = Mrkdwn("nobody yet")
    return t.mrkdwn("{}, {} of {} done", who, case.steps_done, case.steps_total) if case.steps_total else who


def _report_facts(alert: Alert) -> list[Mrkdwn | None]:
    report = alert.report
    if report is None or report.state is ReportState.FAILED:
        return []
    if report.state is ReportState.WAITING:
        return [
            t.fact(
                "Report by",
                t.mrkdwn(
                    "{}, will be sent {}", person_words(report.by), when(report.next_look_at or report.at)
                ),
            )
        ]
    next_look = report.next_look_at if report.state is ReportState.REPORTED else None
    return [
        t.fact("Reported by", t.mrkdwn("{}, {}", person_words(report.by), when(report.at))),
        t.fact("Asked again", when(next_look)) if next_look else None,
    ]


def _unfinished(case: Case) -> Block | None:
    if case.alert.detailed or not is_open(case.alert):
        return None
    return context(Mrkdwn(":hourglass: GitHub has not given the details yet; they will be added here."))


def _preview(case: Case) -> Mrkdwn:
    """What a lock screen shows: state, validity, whose, what, where, who is on it; no markup."""
    alert, repository, token = case.alert, case.repository, case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    whose = f"{owner}'s " if owner else ""
    scopes = f" ({', '.join(token.scopes)})" if token.scopes and is_open(alert) else ""
    public = " (public)" if repository.is_public else ""
    what = (
        f"{whose}{alert.secret_type_name}{scopes} in {repository.full_name}{public}, alert {alert.key.number}"
    )
    if not is_open(alert):
        return t.escape(f"{_loud(headline(case)[1])}: {what}", 900)
    if alert.taken_by is not None:
        on_it = f"{person_plain(alert.taken_by)} is on it."
    elif alert.assigned_to is not None:
        on_it = f"{alert.assigned_to.login} is assigned."
    else:
        on_it = "Nobody is on it."
    return t.escape(f"{_loud(headline(case)[1])}: {what}. {on_it}", 900)


def _loud(words: str) -> str:
    """The first word in capitals, so that it is read first: `OPEN: this token still works`."""
    first, space, rest = words.partition(" ")
    return first.upper() + space + rest
