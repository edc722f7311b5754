"""The direct message to the owner of a leaked token, as it is sent to Slack, from the first word to the last."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.rules.owner_message import OwnerAnswer
from bot.views.owner_message import BUTTONS, OwnerNotice, draw_owner_message, owner_lines
from storage.records import Alert, Event, EventKind, Person, ReportState
from tests.views.cases import (
    ADMIN_PERSON,
    DEAD,
    closed,
    event,
    reported,
    repository,
    token,
    working,
)
from tests.views.sending import sent


def notice(alert: Alert, *, name: str = "Ana Ruiz", views: bool = True) -> OwnerNotice:
    return OwnerNotice(alert, repository(), ADMIN_PERSON, name, views)


def said(answer: str, after: float = 60.0) -> Event:
    made = event(EventKind.OWNER_ANSWERED, slack_user="U0LEAKY", answer=answer)
    return replace(made, at=made.at + after)


MESSAGES: dict[str, tuple[OwnerNotice, list[Event]]] = {
    "told": (notice(working()), []),
    "told-by-somebody-without-a-name": (notice(working(), name=""), []),
    "told-without-the-place": (notice(working(), views=False), []),
    "rotated": (notice(working()), [said("rotated")]),
    "not-mine": (notice(working()), [said("not_mine")]),
    "waits": (notice(working()), [said("wait")]),
    "waits-then-rotated": (notice(working()), [said("wait"), said("rotated", 90)]),
    "report-waits": (notice(reported(ReportState.WAITING)), []),
    "reported": (notice(reported(ReportState.REPORTED)), []),
    "reported-without-the-place": (notice(reported(ReportState.REPORTED), views=False), []),
    "reported-after-the-answer": (notice(reported(ReportState.REPORTED)), [said("rotated")]),
    "confirmed": (notice(reported(ReportState.CONFIRMED, probe=DEAD)), []),
    "still-works": (notice(reported(ReportState.STILL_ACTIVE)), []),
    "report-not-taken": (notice(reported(ReportState.FAILED)), []),
    "closed": (notice(closed("revoked")), [said("rotated")]),
    "closed-as-false-positive": (notice(closed("false_positive")), []),
}


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in MESSAGES.items()])
def test_owner_message(case: tuple[OwnerNotice, list[Event]], golden: SnapshotAssertion) -> None:
    assert sent(draw_owner_message(*case)) == golden


@pytest.mark.parametrize("alert", [working(), reported(ReportState.REPORTED), closed("revoked")])
def test_somebody_without_view_reads_nothing_about_the_place(alert: Alert) -> None:
    shown = str(sent(draw_owner_message(notice(alert, views=False))))
    for word in ("payments", "deploy.env", "4f35f36", "github.com"):
        assert word not in shown


@pytest.mark.parametrize(("shown", "answers"), MESSAGES.values(), ids=MESSAGES)
def test_the_owner_s_message_mentions_nobody(shown: OwnerNotice, answers: list[Event]) -> None:
    assert "<@" not in str(sent(draw_owner_message(shown, answers)))


def test_a_person_without_account_is_somebody() -> None:
    assert "somebody is about to report it" in owner_lines(
        replace(notice(token()), teller=Person(), teller_name="")
    )


def test_every_answer_has_a_button() -> None:
    assert {answer for answer, _ in BUTTONS.values()} == set(OwnerAnswer)
