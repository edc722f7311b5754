"""Who may be told that their token leaked, and which answers they can still give."""

from dataclasses import replace

import pytest

from bot.rules.case import PersonalCase
from bot.rules.owner_message import (
    OwnerAnswer,
    advises_report_first,
    answer_obstacle,
    answers_left,
    given_answers,
    owner_obstacle,
)
from storage.records import Alert, Event, EventKind, ReportState
from tests.views.cases import (
    ADMIN_PERSON,
    BY_LEAKY,
    DEAD,
    closed,
    event,
    identity,
    in_front_of,
    reported,
    token,
    working,
)

LINKED = in_front_of(working(), owner=BY_LEAKY)


def linked_by(proof: str) -> PersonalCase:
    return replace(LINKED, token_owner=replace(identity(BY_LEAKY), proof=proof))


@pytest.mark.parametrize(
    ("case", "obstacle"),
    [
        (in_front_of(token()), "owner_unknown"),
        (in_front_of(working()), "owner_not_linked"),
        (linked_by("mapping"), None),
        (linked_by("sign_in"), None),
        (linked_by("directory"), "owner_not_linked"),
        (linked_by("anything"), "owner_not_linked"),
        (replace(LINKED, owner_is_outside=True), "owner_outside"),
        (in_front_of(working(), owner=ADMIN_PERSON), "owner_acts"),
    ],
)
def test_who_is_told(case: PersonalCase, obstacle: str | None) -> None:
    assert owner_obstacle(case) == obstacle


@pytest.mark.parametrize(
    ("alert", "first"),
    [
        (working(publicly_leaked=True), True),
        (working(), False),
        (token(publicly_leaked=True), False),
        (token(publicly_leaked=True, validity="active"), True),
        (working(publicly_leaked=True, probe=DEAD), False),
    ],
)
def test_a_report_first_is_advised_where_abuse_is_to_be_expected(alert: Alert, first: bool) -> None:
    assert advises_report_first(alert) is first


def said(*answers: str, user: str = "U0LEAKY") -> list[Event]:
    return [event(EventKind.OWNER_ANSWERED, slack_user=user, answer=answer) for answer in answers]


ROTATED, NOT_MINE, WAIT = OwnerAnswer
ALL = [ROTATED, NOT_MINE, WAIT]


@pytest.mark.parametrize(
    ("alert", "given", "left"),
    [
        (working(), [], ALL),
        (working(), ["wait"], [ROTATED, NOT_MINE]),
        (working(), ["rotated"], []),
        (working(), ["not_mine"], []),
        (working(), ["wait", "rotated"], []),
        (reported(ReportState.WAITING), [], ALL),
        (reported(ReportState.FAILED), [], ALL),
        (reported(ReportState.REPORTED), [], [ROTATED, NOT_MINE]),
        (reported(ReportState.STILL_ACTIVE), [], [ROTATED, NOT_MINE]),
        (reported(ReportState.CONFIRMED), [], []),
        (closed("revoked"), [], []),
    ],
)
def test_which_answers_are_left(alert: Alert, given: list[str], left: list[OwnerAnswer]) -> None:
    assert answers_left(alert, said(*given)) == left


@pytest.mark.parametrize(
    ("answer", "alert", "given", "obstacle"),
    [
        (ROTATED, closed("revoked"), ["rotated"], "owner_answer_closed"),
        (ROTATED, working(), ["rotated"], "owner_answered"),
        (WAIT, working(), ["wait"], "owner_answered"),
        (WAIT, working(), ["rotated"], "owner_answered"),
        (ROTATED, reported(ReportState.CONFIRMED), [], "owner_answer_confirmed"),
        (WAIT, reported(ReportState.REPORTED), [], "owner_answer_reported"),
        (WAIT, reported(ReportState.STILL_ACTIVE), [], "owner_answer_reported"),
        (ROTATED, reported(ReportState.REPORTED), ["wait"], None),
    ],
)
def test_why_an_answer_is_refused(
    answer: OwnerAnswer, alert: Alert, given: list[str], obstacle: str | None
) -> None:
    assert answer_obstacle(answer, alert, said(*given)) == obstacle


def test_only_answers_of_the_person_who_was_told_count() -> None:
    told = event(EventKind.OWNER_TOLD, ADMIN_PERSON, slack_user="U0LEAKY")
    own, others = said("wait"), said("rotated", user="U0OTHER")
    assert given_answers(told, [told, *own, *others]) == own
