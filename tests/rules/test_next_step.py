"""The advice on a card, for each row of the table."""

from dataclasses import replace
from typing import Any

import pytest

from bot.options import Options, ValidityOptions
from bot.rules.case import Case
from bot.rules.next_step import Advice, next_step
from bot.rules.report_eligibility import ServerAbilities
from bot.rules.validity import confirmed_inactive
from storage.records import Report, ReportState, RepositoryState
from tests.views.cases import (
    ADMIN,
    ADMIN_PERSON,
    ASKED,
    DEAD,
    NOT_HERE,
    NOW,
    WORKS,
    case,
    closed,
    probe,
    report,
    stripe,
    token,
    working,
)

TAKEN: dict[str, Any] = {"taken_by": ADMIN_PERSON}
PUBLIC: dict[str, Any] = {"visibility": "public"}
GONE: dict[str, Any] = {"state": RepositoryState.DELETED}

NEVER = Options(validity=ValidityOptions(check="never"))


def sent(state: ReportState, next_look_at: float | None = None) -> Report:
    return report(state, next_look_at=next_look_at)


OPEN: dict[str, tuple[Case, Advice]] = {
    "unreachable and dead": (case(token(probe=DEAD), **GONE), Advice.NOTHING_UNREACHABLE),
    "unreachable, not known": (case(token(), **GONE), Advice.ROTATE_UNREACHABLE),
    "unreachable, works": (case(working(), **GONE), Advice.ROTATE_UNREACHABLE),
    "dead, without steps": (case(token(validity="inactive")), Advice.LOGS_THEN_CLOSE),
    "dead, steps are left": (case(token(probe=DEAD), steps=(1, 3)), Advice.STEPS_THEN_CLOSE),
    "dead, steps are done": (case(token(probe=DEAD), steps=(3, 3)), Advice.CLOSE),
    "dead after a report": (
        case(token(probe=DEAD, report=sent(ReportState.CONFIRMED)), steps=(0, 3)),
        Advice.STEPS_THEN_CLOSE,
    ),
    "another provider's, dead": (case(stripe(validity="inactive"), steps=(3, 3)), Advice.CLOSE),
    "report waits for approval": (replace(case(working()), approval=ASKED), Advice.APPROVE),
    "report waits for approval, all steps are done": (
        replace(case(working(), steps=(3, 3)), approval=ASKED),
        Advice.APPROVE,
    ),
    "report waits for approval, dead": (
        replace(case(token(probe=DEAD), steps=(3, 3)), approval=ASKED),
        Advice.CLOSE,
    ),
    "report waits": (case(working(report=sent(ReportState.WAITING, NOW))), Advice.ROTATE_BEFORE_SENDING),
    "reported, is asked again": (case(working(report=sent(ReportState.REPORTED, NOW))), Advice.WAIT),
    "reported, not known, is asked again": (
        case(token(report=sent(ReportState.REPORTED, NOW)), steps=(3, 3)),
        Advice.WAIT,
    ),
    "not valid here": (case(token(probe=NOT_HERE)), Advice.FIND_SERVER),
    "not valid here, reported": (
        case(token(probe=NOT_HERE, report=sent(ReportState.CONFIRMED))),
        Advice.FIND_SERVER,
    ),
    "not valid here, steps are done": (case(token(probe=NOT_HERE), steps=(3, 3)), Advice.VERIFY),
    "works, steps are done": (case(working(**TAKEN), steps=(3, 3)), Advice.REPORT),
    "works, steps are done, can't be reported": (
        case(working(**TAKEN), steps=(3, 3), **PUBLIC),
        Advice.REVOKE,
    ),
    "works after the report": (
        case(working(report=sent(ReportState.STILL_ACTIVE))),
        Advice.ROTATE_AFTER_REPORT,
    ),
    "works after the report, steps are done": (
        case(working(report=sent(ReportState.STILL_ACTIVE)), steps=(3, 3)),
        Advice.REVOKE,
    ),
    "works": (case(working()), Advice.ROTATE_THEN_REPORT),
    "works, by GitHub's word": (case(token(validity="active")), Advice.ROTATE_THEN_REPORT),
    "works, some steps are done": (case(working(**TAKEN), steps=(1, 3)), Advice.ROTATE_THEN_REPORT),
    "works, its report failed": (
        case(working(report=sent(ReportState.FAILED))),
        Advice.ROTATE_THEN_REPORT,
    ),
    "works, can't be reported": (case(working(), **PUBLIC), Advice.ROTATE),
    "works, of a server without reports": (
        replace(case(working()), server=ServerAbilities()),
        Advice.ROTATE,
    ),
    "works again after a confirmed report": (
        case(working(report=sent(ReportState.CONFIRMED))),
        Advice.ROTATE,
    ),
    "another provider's, works": (case(stripe(validity="active")), Advice.ROTATE),
    "another provider's, works, steps are done": (
        case(stripe(validity="active"), steps=(3, 3)),
        Advice.REVOKE,
    ),
    "not known": (case(token()), Advice.CHECK),
    "not known, taken": (case(token(**TAKEN), steps=(0, 3)), Advice.CHECK),
    "not known, steps are done": (case(token(**TAKEN), steps=(3, 3)), Advice.CHECK),
    "not known, in an unknown word": (case(token(validity="maybe")), Advice.CHECK),
    "not known since GitHub's word changed": (
        case(token(probe=probe("unknown", "timeout", superseded=True))),
        Advice.CHECK,
    ),
    "not known after a check": (case(token(probe=probe("unknown", "timeout"))), Advice.CHECK_AGAIN),
    "not known after a report": (
        case(token(probe=probe("unknown", "timeout"), report=sent(ReportState.REPORTED))),
        Advice.CHECK_AGAIN,
    ),
    "no check can tell": (case(token(probe=probe("unknown", "not_a_token"))), Advice.ROTATE),
    "no check can tell, steps are done": (
        case(token(probe=probe("unknown", "cannot_be_asked")), steps=(3, 3)),
        Advice.VERIFY,
    ),
    "not known, checks are off": (replace(case(token()), options=NEVER), Advice.ROTATE),
    "not known, checks are off, steps are done": (
        replace(case(token(), steps=(3, 3)), options=NEVER),
        Advice.VERIFY,
    ),
    "reported, checks were turned off": (
        replace(case(working(report=sent(ReportState.REPORTED, NOW))), options=NEVER),
        Advice.ROTATE,
    ),
    "another provider's": (case(stripe()), Advice.ROTATE),
    "another provider's, steps are done": (case(stripe(**TAKEN), steps=(3, 3)), Advice.VERIFY),
}
CLOSED: dict[str, tuple[Case, Advice]] = {
    "accepted risk, works": (case(closed("wont_fix", probe=WORKS)), Advice.ROTATE_CLOSED),
    "as revoked, works, GitHub is asked again": (
        case(closed("revoked", probe=WORKS, report=sent(ReportState.REPORTED, NOW + 60))),
        Advice.WAIT,
    ),
    "as revoked, works": (case(closed("revoked", probe=WORKS)), Advice.REOPEN),
    "as false positive, works": (case(closed("false_positive", validity="active")), Advice.REOPEN),
    "unreachable, works": (case(closed("revoked", probe=WORKS), **GONE), Advice.ROTATE_UNREACHABLE),
    "as revoked, steps are left": (case(closed("revoked", probe=DEAD), steps=(2, 3)), Advice.STEPS_CLOSED),
    "as revoked, not known": (case(closed("revoked"), steps=(3, 3)), Advice.WAIT),
    "as revoked a day ago, not known": (
        replace(case(closed("revoked")), now=NOW + 86_400),
        Advice.NOTHING,
    ),
    "as revoked, another provider's": (
        case(replace(closed("revoked"), secret_type="stripe_api_key")),
        Advice.NOTHING,
    ),
    "as revoked, dead": (case(closed("revoked", probe=DEAD), steps=(3, 3)), Advice.NOTHING),
    "as used in tests": (case(closed("used_in_tests")), Advice.NOTHING),
    "by the system": (case(closed("pattern_deleted")), Advice.NOTHING),
}


@pytest.mark.parametrize(
    ("of", "advice"), [pytest.param(*row, id=name) for name, row in (OPEN | CLOSED).items()]
)
def test_each_row_has_its_advice(of: Case, advice: Advice) -> None:
    assert next_step(of).advice is advice


def test_each_advice_is_given() -> None:
    assert {advice for _, advice in (*OPEN.values(), *CLOSED.values())} == set(Advice)


@pytest.mark.parametrize("of", [pytest.param(of, id=name) for name, (of, _) in OPEN.items()])
def test_closing_as_revoked_is_advised_only_for_a_secret_that_is_known_to_be_dead(of: Case) -> None:
    closing = {Advice.CLOSE, Advice.STEPS_THEN_CLOSE, Advice.LOGS_THEN_CLOSE}
    assert next_step(of).advice not in closing or confirmed_inactive(of.alert)


@pytest.mark.parametrize(
    ("fields", "take"),
    [({}, True), (TAKEN, False), ({"assigned_to": ADMIN}, False)],
)
def test_an_alert_that_nobody_is_on_is_to_be_taken_first(fields: dict[str, Any], take: bool) -> None:
    assert next_step(case(working(**fields))).take is take


def test_a_check_needs_nobody_on_it() -> None:
    assert next_step(case(token())).take is False


@pytest.mark.parametrize(
    ("of", "at"),
    [
        (case(working(report=sent(ReportState.REPORTED, NOW + 60))), NOW + 60),
        (case(working(report=sent(ReportState.WAITING, NOW + 90))), NOW + 90),
        (case(closed("revoked")), NOW + 86_400),
        (case(closed("revoked", report=sent(ReportState.REPORTED, NOW + 60))), NOW + 60),
        (case(working()), None),
    ],
)
def test_the_time_is_of_what_happens_by_itself(of: Case, at: float | None) -> None:
    assert next_step(of).at == at


@pytest.mark.parametrize(
    ("of", "notifies"),
    [
        (case(stripe(), **PUBLIC), True),
        (case(working(), **PUBLIC), True),
        (case(token(probe=DEAD), **PUBLIC), False),
        (case(stripe(category="generic"), **PUBLIC), False),
        (case(closed("wont_fix", probe=WORKS), **PUBLIC), False),
        (case(stripe()), False),
    ],
)
def test_github_notifies_the_provider_of_a_secret_in_a_public_repository(of: Case, notifies: bool) -> None:
    assert next_step(of).github_notifies is notifies
