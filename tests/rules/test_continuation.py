"""How a refused request goes on once the person is linked."""

import pytest

from bot.actions import ACTIONS, FORMS, READ_ACTIONS
from bot.commands.buttons import BUTTONS
from bot.job_kinds import AnswerButton, AnswerCommand, AnswerShortcut, FillForm, PerformAction, ShowDetails
from bot.rules.continuation import LASTS, LOOK_UP_BUTTONS, PRESSED_AGAIN, Sequel, sequel

ROWS = [
    ("command", "", Sequel.GOES_ON),
    ("shortcut", "", Sequel.GOES_ON),
    ("look", "locations", Sequel.GOES_ON),
    ("look", "history", Sequel.GOES_ON),
    ("button", "page", Sequel.GOES_ON),
    ("button", "show_list", Sequel.GOES_ON),
    ("button", "show_alert", Sequel.GOES_ON),
    ("button", "subscribe", Sequel.NOTHING),
    ("button", "unsubscribe", Sequel.NOTHING),
    ("button", "adopt_subscription", Sequel.NOTHING),
    ("act", "take", Sequel.GOES_ON),
    ("act", "check_validity", Sequel.BUTTON),
    ("act", "report_leak", Sequel.BUTTON),
    ("act", "close_as", Sequel.BUTTON),
    ("act", "reopen", Sequel.BUTTON),
    ("act", "hand_over", Sequel.BUTTON),
    ("act", "step_back", Sequel.BUTTON),
    ("act", "next_steps", Sequel.NOTHING),
    ("act", "token_uses", Sequel.NOTHING),
    ("act", "tell_owner", Sequel.NOTHING),
    ("act", "approve_report", Sequel.NOTHING),
    ("act", "deny_report", Sequel.NOTHING),
    ("fill_form", "report_leak", Sequel.FORM),
    ("fill_form", "close_as", Sequel.FORM),
    ("fill_form", "reopen", Sequel.FORM),
    ("fill_form", "hand_over", Sequel.FORM),
    ("fill_form", "unknown", Sequel.NOTHING),
    ("owner_answer", "owner_wait", Sequel.NOTHING),
    ("delivery", "", Sequel.NOTHING),
]


@pytest.mark.parametrize(("kind", "control", "expected"), ROWS)
def test_within_fifteen_minutes(kind: str, control: str, expected: Sequel) -> None:
    assert sequel(kind, control, 0.0) == sequel(kind, control, LASTS) == expected


@pytest.mark.parametrize(("kind", "control", "within"), ROWS)
@pytest.mark.parametrize("age", [LASTS + 0.1, 86400.0, -1.0, float("nan")])
def test_after_fifteen_minutes_nothing_happens_without_a_click(
    kind: str, control: str, within: Sequel, age: float
) -> None:
    is_button = within in (Sequel.FORM, Sequel.BUTTON)
    assert sequel(kind, control, age) == (Sequel.BUTTON if is_button else Sequel.NOTHING)


def test_the_words_are_those_of_jobs_controls_and_buttons() -> None:
    kinds = {
        one.kind
        for one in (AnswerCommand, AnswerShortcut, ShowDetails, AnswerButton, PerformAction, FillForm)
    }
    assert {kind for kind, _, _ in ROWS} >= kinds
    assert {action.id for action in ACTIONS} >= PRESSED_AGAIN
    assert {form.id for form in FORMS} <= PRESSED_AGAIN
    assert set(BUTTONS) >= LOOK_UP_BUTTONS
    controls = {control for kind, control, _ in ROWS if kind == "act"}
    assert controls == {action.id for action in ACTIONS}
    assert {control for kind, control, _ in ROWS if kind == "look"} == {line.id for line in READ_ACTIONS}
    assert {control for kind, control, _ in ROWS if kind == "button"} == set(BUTTONS)
