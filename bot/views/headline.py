"""Words an alert's state: the first line of its card, and the text for lock screens and notifications."""

from dataclasses import dataclass

from bot.rules.case import Case
from bot.rules.validity import confirmed_inactive, effective_validity
from bot.views.formatting import resolution_words, secret_noun
from integrations.slack import text as t
from integrations.slack.text import Mrkdwn, clean
from storage.records import Alert, ReportState, RepositoryState

UNREACHABLE_REASONS = {
    RepositoryState.DELETED: "the repository was deleted",
    RepositoryState.REMOVED: "Stanch's access to the repository was removed",
}
SCOPES_SHOWN = 4
"""How many of a token's scopes a lock screen shows."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The state as an emoji and as words, always both."""

    sign: str
    """An emoji's name."""
    words: str
    loud: str
    """The same for a lock screen, with the important words in capitals."""


def headline(case: Case) -> Headline:
    """The headline for the alert's state."""
    alert = case.alert
    if not alert.is_open:
        return _closed(alert)
    if not case.repository.is_reachable:
        words = f"Open, out of reach: {UNREACHABLE_REASONS[case.repository.state]}"
        return Headline("no_entry_sign", words, f"OPEN, out of reach, {_validity(alert)}")
    state = alert.report.state if alert.report else None
    if state is ReportState.WAITING:
        words = "Open: its report to GitHub is waiting"
        return Headline("hourglass_flowing_sand", words, f"OPEN, report waiting, {_validity(alert)}")
    if state in (ReportState.REPORTED, ReportState.CONFIRMED, ReportState.STILL_ACTIVE):
        return _reported(alert, state)
    word, validity = secret_noun(alert), _validity(alert)
    if effective_validity(alert) == "active":
        return Headline("rotating_light", f"Open: this {word} still works", "OPEN, STILL WORKS")
    if effective_validity(alert) == "inactive":
        verb = "" if confirmed_inactive(alert) else "is "
        return Headline("large_orange_circle", f"Open: this {word} {verb}{validity}", f"OPEN, {validity}")
    return Headline("red_circle", f"Open: {validity}", f"OPEN, {validity}")


def _reported(alert: Alert, state: ReportState) -> Headline:
    if effective_validity(alert) == "inactive":
        dead = "confirmed inactive" if confirmed_inactive(alert) else "not valid on this GitHub"
        words = f"Reported and {dead}, still open"
        return Headline("large_green_circle", words, f"REPORTED, {dead}, still open")
    if state is ReportState.REPORTED or effective_validity(alert) == "unknown":
        words = "not yet confirmed dead"
        return Headline("hourglass_flowing_sand", f"Reported to GitHub, {words}", f"REPORTED, {words}")
    words = f"Reported, but this {secret_noun(alert)} still works"
    return Headline("rotating_light", words, "REPORTED, STILL WORKS")


def _closed(alert: Alert) -> Headline:
    reason = resolution_words(alert.resolution)
    sign, end = "white_check_mark", ""
    if effective_validity(alert) == "active":
        sign, end = "warning", ", but it still works"
    elif confirmed_inactive(alert):
        end = ", confirmed inactive"
    loud = end.replace("still works", "STILL WORKS")
    return Headline(sign, f"Closed as {reason}{end}", f"CLOSED as {reason}{loud}")


def _validity(alert: Alert) -> str:
    """Whether the secret works, in words. A 401 alone may mean that the token belongs to another GitHub."""
    dead = "no longer works" if confirmed_inactive(alert) else "not valid on this GitHub"
    words = {"active": "STILL WORKS", "inactive": dead}
    return words.get(effective_validity(alert), "not known whether it works")


def preview(case: Case) -> Mrkdwn:
    """The card's text for lock screens, without markup: state, validity, owner, secret, repository, who is on it."""
    alert, repository, token = case.alert, case.repository, case.alert.token
    owner = token.owner.login if token.owner else token.owner_name
    whose = f"{clean(owner, 60)}'s " if owner else ""
    exposure = ["public"] * repository.is_public + ["publicly leaked"] * alert.publicly_leaked
    parts = [
        f"{headline(case).loud}: {whose}{clean(alert.secret_type_name, 100)}",
        f" ({_some(token.scopes)})" if token.scopes and alert.is_open else "",
        f" in {clean(repository.full_name, 150)}",
        f" ({', '.join(exposure)})" if exposure else "",
        f", alert {alert.key.number}",
        f". {_on_it(alert)}" if alert.is_open else "",
    ]
    return t.prose("".join(parts), 900)


def _some(scopes: tuple[str, ...]) -> str:
    more = len(scopes) - SCOPES_SHOWN
    shown = ", ".join(clean(scope, 40) for scope in scopes[:SCOPES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _on_it(alert: Alert) -> str:
    if alert.taken_by is not None:
        account = alert.taken_by.github
        return f"{account.login if account else 'somebody'} is on it."
    return f"{alert.assigned_to.login} is assigned." if alert.assigned_to else "Nobody is on it."
