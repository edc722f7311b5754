"""Decides who may be told that their token leaked, and which answers the token's owner can still give."""

from collections.abc import Collection, Iterable
from enum import StrEnum

from bot.rules.case import PersonalCase
from bot.rules.validity import effective_validity
from storage.records import Alert, Event, EventKind, ReportState

PROVEN = frozenset({"mapping", "sign_in"})
"""The proofs of identities that are strong enough to tell somebody of a leak: by an operator, by a sign-in."""
UPDATING_KINDS = frozenset(
    {
        *(EventKind.OWNER_ANSWERED, EventKind.REPORT_WAITING, EventKind.REPORTED),
        *(EventKind.REPORT_CONFIRMED, EventKind.REPORT_STILL_ACTIVE, EventKind.REPORT_FAILED),
        *(EventKind.CLOSED, EventKind.REOPENED),
    }
)
"""The events after which the message to the owner is updated."""


class OwnerAnswer(StrEnum):
    """What the token's owner can say. The words are stored."""

    ROTATED = "rotated"
    NOT_MINE = "not_mine"
    WAIT = "wait"


def owner_obstacle(case: PersonalCase) -> str | None:
    """Why the token's owner can't be told, as one short word; None if they can."""
    owner, linked = case.alert.token.owner, case.token_owner
    if owner is None:
        return "owner_unknown"
    if linked is None or linked.proof not in PROVEN:
        return "owner_not_linked"
    if linked.slack_user == case.actor.identity.slack_user:
        return "owner_acts"
    return "owner_outside" if case.owner_is_outside else None


def advises_report_first(alert: Alert) -> bool:
    """Whether abuse is to be expected, so that a report should not wait for the owner: it works and is in public."""
    return effective_validity(alert) == "active" and alert.publicly_leaked


def given_answers(told: Event, timeline: Iterable[Event]) -> list[Event]:
    """The answers of the person who was told by `told`, oldest first."""
    user = told.details.get("slack_user")
    answers = (event for event in timeline if event.kind is EventKind.OWNER_ANSWERED)
    return [event for event in answers if event.details.get("slack_user") == user]


def answer_obstacle(answer: OwnerAnswer, alert: Alert, given: Iterable[Event]) -> str | None:
    """Why the owner can't give this answer, as one short word; None if they can. An answer changes nothing else."""
    words = {event.details.get("answer") for event in given}
    if not alert.is_open:
        return "owner_answer_closed"
    if words & {OwnerAnswer.ROTATED, OwnerAnswer.NOT_MINE} or answer in words:
        return "owner_answered"
    state = alert.report.state if alert.report else None
    if state is ReportState.CONFIRMED:
        return "owner_answer_confirmed"
    if answer is OwnerAnswer.WAIT and state not in (None, ReportState.FAILED, ReportState.WAITING):
        return "owner_answer_reported"
    return None


def answers_left(alert: Alert, given: Collection[Event]) -> list[OwnerAnswer]:
    """The answers that the message still has buttons for."""
    return [answer for answer in OwnerAnswer if answer_obstacle(answer, alert, given) is None]
