"""A card has three buttons and two menus at most, and its overflow menu five lines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from bot.actions import MENU_LINES, controls
from bot.actions.action import MenuAction, ReadAction
from bot.rules.case import Case
from integrations.slack.elements import OVERFLOW_OPTIONS
from storage.records import AlertState, ReportState, RepositoryState
from tests.views.cases import ADMIN_PERSON, DEAD, NOT_HERE, WORKS, case, report, stripe, token

BUTTONS, MENUS = 3, 2
"""What fits on a phone in two rows."""
REPORTS = (None, *map(report, ReportState))


def cases() -> Iterator[Case]:
    """An alert in every state that the controls of its card depend on."""
    for made, state, taken_by, probe, reported, where in product(
        (token(), stripe()),
        AlertState,
        (None, ADMIN_PERSON),
        (None, WORKS, DEAD, NOT_HERE),
        REPORTS,
        product(("private", "public"), RepositoryState),
    ):
        alert = replace(made, state=state, taken_by=taken_by, probe=probe, report=reported)
        visibility, reachable = where
        yield case(alert, visibility=visibility, state=reachable)


def test_a_card_fits_on_a_phone() -> None:
    """A new control goes into the overflow menu: a fourth button makes a third row on a phone."""
    most = Counter[str]()
    for one in cases():
        kinds = Counter("button" if shown["type"] == "button" else "menu" for shown in controls(one))
        most |= kinds
    assert most["button"] <= BUTTONS
    assert most["menu"] <= MENUS
    assert most["button"] == BUTTONS, "no case here shows all buttons, so this test shows nothing"


def test_the_overflow_menu_has_no_more_lines_than_slack_allows() -> None:
    assert len(MENU_LINES) <= OVERFLOW_OPTIONS


@pytest.mark.parametrize("line", MENU_LINES, ids=lambda line: line.id)
def test_a_line_of_the_overflow_menu_carries_the_id_of_its_action(line: ReadAction | MenuAction[Any]) -> None:
    assert line.menu_line.value == line.id
