"""Words an alert's urgency and state: the first line of its card, and the text for lock screens and notifications."""

from dataclasses import dataclass

from bot.rules.case import Case
from bot.rules.commit_author import shown_author
from bot.rules.urgency import Urgency, urgency
from bot.rules.validity import confirmed_inactive, effective_validity
from bot.views.formatting import doubt, resolution_words, secret_noun
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn, clean
from storage.records import Alert, ReportState, Repository, RepositoryState

UNREACHABLE_REASONS = {
    RepositoryState.DELETED: "the repository was deleted",
    RepositoryState.REMOVED: "Stanch's access to the repository was removed",
}
URGENCY_SIGNS = {
    Urgency.CRITICAL: "rotating_light",
    Urgency.HIGH: "red_circle",
    Urgency.NORMAL: "large_orange_circle",
    Urgency.LOW: "white_circle",
}
"""An emoji for each urgency; a secret that works has the one of CRITICAL."""
PUBLIC_LEAK, PUBLIC_REPOSITORY, SEVERAL_REPOSITORIES = (
    "leaked publicly",
    "in a public repository",
    "in several repositories",
)
BYPASSED = "push protection bypassed"
NOT_KNOWN = "not known whether it works"
SCOPES_SHOWN = 4
"""How many of a token's scopes a lock screen shows."""


@dataclass(frozen=True, slots=True)
class Headline:
    """Urgency and state as an emoji and as words, always both."""

    sign: str
    """An emoji's name."""
    words: str
    loud: str
    """The same for a lock screen, with the important words in capitals."""


def headline(case: Case) -> Headline:
    """The headline for the alert's urgency and state. A closed alert has no urgency."""
    alert, repository = case.alert, case.repository
    if not alert.is_open:
        return _closed(alert)
    level = urgency(alert, repository)
    words, loud = _state(case)
    return Headline(_sign(case, level), f"{level.capitalize()}: {words}", f"{level.upper()}, {loud}")


def urgency_sign(alert: Alert, level: Urgency) -> str:
    """The emoji for an open alert of this urgency."""
    return URGENCY_SIGNS[Urgency.CRITICAL if effective_validity(alert) == "active" else level]


def exposures(alert: Alert, repository: Repository) -> list[str]:
    """In which ways the secret is exposed, the gravest first."""
    named = (
        (alert.publicly_leaked, PUBLIC_LEAK),
        (repository.is_public, PUBLIC_REPOSITORY),
        (alert.multi_repo, SEVERAL_REPOSITORIES),
    )
    return [words for holds, words in named if holds]


def named_exposure(case: Case) -> str:
    """The gravest exposure if the headline names it, so that the card does not repeat it; else nothing."""
    alert, report = case.alert, case.alert.report
    is_reported = report is not None and report.state is not ReportState.FAILED
    if not alert.is_open or not case.repository.is_reachable or is_reported or _is_inactive(alert):
        return ""
    return next(iter(exposures(alert, case.repository)), "")


def is_sent(alert: Alert) -> bool:
    """Whether GitHub took a report of it."""
    return _sent(alert) is not None


def _sign(case: Case, level: Urgency) -> str:
    if not case.repository.is_reachable:
        return "no_entry_sign"
    report = case.alert.report
    if _sent(case.alert) is not None and confirmed_inactive(case.alert):
        return "large_green_circle"
    if report is not None and report.state in (ReportState.WAITING, ReportState.REPORTED):
        return "hourglass_flowing_sand"
    return urgency_sign(case.alert, level)


def _state(case: Case) -> tuple[str, str]:
    """The state of an open alert in words, and for a lock screen."""
    alert, repository = case.alert, case.repository
    if not repository.is_reachable:
        return (
            f"out of reach, {UNREACHABLE_REASONS[repository.state]}",
            f"out of reach, {_validity(alert)}",
        )
    if alert.report is not None and alert.report.state is ReportState.WAITING:
        return f"{_works(alert)}, its report to GitHub is waiting", f"report waiting, {_validity(alert)}"
    sent = _sent(alert)
    if sent is not None:
        return _reported(alert, sent)
    reason = named_exposure(case) or (BYPASSED if alert.bypassed else "")
    if _is_inactive(alert):
        noun = secret_noun(alert)
        return f"this {noun} {'' if confirmed_inactive(alert) else 'is '}{_validity(alert)}", _validity(alert)
    facts = (_works(alert), reason) if effective_validity(alert) == "active" else (reason, NOT_KNOWN)
    return ", ".join(fact for fact in facts if fact), _validity(alert)


def _sent(alert: Alert) -> ReportState | None:
    """The state of a report that GitHub took; None without one."""
    state = alert.report.state if alert.report else None
    sent = (ReportState.REPORTED, ReportState.CONFIRMED, ReportState.STILL_ACTIVE)
    return state if state in sent else None


def _reported(alert: Alert, state: ReportState) -> tuple[str, str]:
    if _is_inactive(alert):
        dead = "confirmed inactive" if confirmed_inactive(alert) else "not valid on this GitHub"
        return f"reported and {dead}, still open", f"REPORTED, {dead}, still open"
    if state is ReportState.REPORTED or effective_validity(alert) != "active":
        return "reported to GitHub, not yet confirmed dead", "REPORTED, not yet confirmed dead"
    return f"reported, but this {secret_noun(alert)} still works", "REPORTED, STILL WORKS"


def _closed(alert: Alert) -> Headline:
    reason = resolution_words(alert.resolution)
    sign, end = "white_check_mark", ""
    if effective_validity(alert) == "active":
        sign, end = "warning", ", but it still works"
    elif confirmed_inactive(alert):
        end = ", confirmed inactive"
    loud = end.replace("still works", "STILL WORKS")
    return Headline(sign, f"Closed as {reason}{end}", f"CLOSED as {reason}{loud}")


def _is_inactive(alert: Alert) -> bool:
    return effective_validity(alert) == "inactive"


def _works(alert: Alert) -> str:
    """`live token`, for a secret that works; else that this is not known."""
    return f"live {secret_noun(alert)}" if effective_validity(alert) == "active" else NOT_KNOWN


def _validity(alert: Alert) -> str:
    """Whether the secret works, in words. A 401 alone may mean that the token belongs to another GitHub."""
    dead = "no longer works" if confirmed_inactive(alert) else "not valid on this GitHub"
    words = {"active": "STILL WORKS", "inactive": dead}
    return words.get(effective_validity(alert), NOT_KNOWN)


def preview(case: Case) -> Mrkdwn:
    """The card's text for lock screens, without markup: urgency, what, where, whose, who is on it."""
    alert, repository, token = case.alert, case.repository, case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    whose = f"{clean(owner, 60)}'s " if owner else ""
    exposed = ["public"] * repository.is_public + ["publicly leaked"] * alert.publicly_leaked
    parts = [
        f"{headline(case).loud}: {whose}{clean(alert.secret_type_name, 100)}",
        f" ({_some(token.scopes)})" if token.scopes and alert.is_open else "",
        f" in {clean(repository.full_name, 150)}",
        f" ({', '.join(exposed)})" if exposed else "",
        f", alert {alert.key.number}",
        _author(alert),
        f". {_on_it(alert)}" if alert.is_open else "",
    ]
    return t.prose("".join(parts), 900)


def _author(alert: Alert) -> str:
    """Who committed the secret, where no owner of it is known."""
    author = shown_author(alert)
    if author is None or author.account is None or alert.token.owner or alert.token.owner_name:
        return ""
    login = clean(author.account.login, 60)
    return f", committed by {login}" if author.is_proved else f", Git author {login} ({doubt(author)})"


def _some(scopes: tuple[str, ...]) -> str:
    more = len(scopes) - SCOPES_SHOWN
    shown = ", ".join(clean(scope, 40) for scope in scopes[:SCOPES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _on_it(alert: Alert) -> str:
    if alert.taken_by is not None:
        account = alert.taken_by.github
        return f"{account.login if account else 'somebody'} is on it."
    return f"{alert.assigned_to.login} is assigned." if alert.assigned_to else "Nobody is on it."
