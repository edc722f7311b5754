"""The lines of a card: what to do next, whether the secret works, whose it is, where it is, who is on it.

A line leaves out what the headline says.
"""

from bot.rules.case import Case
from bot.rules.commit_author import shown_author
from bot.rules.validity import confirmed_inactive, effective_validity, is_probed
from bot.views.formatting import (
    PROBE_REASONS,
    doubt,
    joined_words,
    location_words,
    person_words,
)
from bot.views.headline import exposures, is_sent, named_exposure
from bot.views.next_step import next_line
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn
from storage.records import Alert, ReportState

VISIBILITIES = frozenset({"public", "private", "internal"})
NEW = 600.0
"""Seconds; the card of an alert that was found so shortly before shows that time by its own."""
UNCONFIRMED = "can't be confirmed, because checks are turned off here"


def open_facts(case: Case) -> Mrkdwn:
    """The lines for an open alert. After a report, the exposure is left out: a phone is small."""
    alert = case.alert
    return t.lines(
        next_line(case),
        _report(case),
        t.fact("Works", _works(case)),
        *_whose(case),
        None if is_sent(alert) else _exposure(case),
        None if _is_committer_shown(case) else t.fact("Found", _found(case)),
        _bypass(alert),
        t.fact("On it", _on_it(case)),
    )


def closed_facts(case: Case) -> Mrkdwn:
    """The lines for a closed alert."""
    known = effective_validity(case.alert) == "active" or confirmed_inactive(case.alert)
    return t.lines(
        next_line(case), None if known else t.fact("Works", _works(case)), _committed(case), _token(case)
    )


def _works(case: Case) -> Mrkdwn:
    """Whether the secret works, who asked, and when. GitHub gives no time for its own check."""
    alert, probe = case.alert, case.alert.probe
    answers = {"active": "yes", "inactive": "no"}
    source = "by an earlier check" if alert.validity_written else "says GitHub"
    if alert.validity == "unknown":
        github = "GitHub does not know"
    elif alert.validity in answers:
        github = f"{answers[alert.validity]}, {source}"
    else:
        github = f"GitHub calls it {alert.validity}"
    if probe is None or probe.superseded:
        return t.prose(github)
    who = person_words(probe.by) if probe.by is not None else Mrkdwn("Stanch")
    checked = t.mrkdwn("checked {} by {}", t.date(probe.at), who)
    if probe.verdict == "unknown":
        return t.mrkdwn("{}; {}: {}", github, checked, PROBE_REASONS.get(probe.reason, probe.reason))
    known = probe.verdict == "active" or confirmed_inactive(alert)
    answer = answers.get(probe.verdict, probe.verdict) if known else "not on this GitHub"
    return t.mrkdwn("{}, {}", answer, checked)


def _whose(case: Case) -> list[Mrkdwn | None]:
    """Whose the secret is: who made the commit, and the owner of the token; or that neither is known."""
    known = [_committed(case, with_place=True), _token(case)]
    owner = case.alert.token.owner or case.alert.token.owner_name
    if known[0] is None and not owner and not case.alert.bypassed_by:
        is_checkable = is_probed(case.alert, case.options.validity) and case.alert.probe is None
        # GitHub names the owner of a token that works, and of no other.
        tells = is_checkable and effective_validity(case.alert) != "inactive"
        known.append(t.fact("Whose", "not known; a check names its owner" if tells else "not known"))
    return known


def _is_committer_shown(case: Case) -> bool:
    """Whether the line of who committed the secret also says where it was found."""
    author = shown_author(case.alert)
    return author is not None and author.is_proved


def _committed(case: Case, *, with_place: bool = False) -> Mrkdwn | None:
    """Who committed it. Only a proved author is shown with a Slack name; nobody is mentioned.

    `with_place`: a proved author is followed by where the secret was found.
    """
    author = shown_author(case.alert)
    if author is None or author.account is None:
        return None
    login = t.code(author.account.login)
    if not author.is_proved:
        why = t.mrkdwn("{} ({}: anyone with push can write this name)", login, doubt(author))
        return t.fact("Git author", why)
    name = case.committer_name
    who = t.mrkdwn("{} ({})", login, name) if name and name != author.account.login else login
    return t.fact("Committed by", t.join((who, _found(case))) if with_place else who)


def _token(case: Case) -> Mrkdwn | None:
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


def _exposure(case: Case) -> Mrkdwn | None:
    """The exposure without the part that the headline names; None where nothing is left of it."""
    alert, repository = case.alert, case.repository
    exposed = [words for words in exposures(alert, repository) if words != named_exposure(case)]
    if not repository.is_public:
        known = repository.visibility in VISIBILITIES
        place = f"{repository.visibility} repository" if known else "repository of unknown visibility"
        only = known and not alert.publicly_leaked and not alert.multi_repo
        exposed = [f"{place} only" if only else place, *exposed]
    return t.fact("Exposure", ", ".join(exposed)) if exposed else None


def _found(case: Case) -> Mrkdwn:
    """Where it was found, and when, unless that is the time that Slack shows beside the card."""
    alert = case.alert
    if alert.place is None:
        return t.date(alert.created_at)
    place = location_words(alert.place, case.repository)
    if alert.has_more_places:
        place = t.mrkdwn("{} and more locations", place)
    is_new = 0 <= alert.first_seen_at - alert.created_at <= NEW
    return place if is_new else t.join((place, t.date(alert.created_at)))


def _bypass(alert: Alert) -> Mrkdwn | None:
    if not alert.bypassed:
        return None
    by = t.code(alert.bypassed_by) if alert.bypassed_by else t.prose("somebody")
    comment = t.mrkdwn(": {}", alert.bypass_comment) if alert.bypass_comment else Mrkdwn("")
    return t.fact("Push protection", t.mrkdwn("bypassed by {}{}", by, comment))


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


def _report(case: Case) -> Mrkdwn | None:
    report = case.alert.report
    if report is None:
        return None
    who, at = person_words(report.by), t.date(report.at)
    if report.state is ReportState.FAILED:
        return t.fact("Report", t.mrkdwn("GitHub did not take it; sent by {}, {}", who, at))
    if report.state is ReportState.WAITING:
        return t.fact("Report", t.mrkdwn("requested by {}, {}", who, at))
    unconfirmed = report.state is ReportState.REPORTED and not case.options.validity.probes
    result = t.fact("Result", UNCONFIRMED) if unconfirmed else None
    return t.lines(t.fact("Reported by", t.mrkdwn("{}, {}", who, at)), result)
