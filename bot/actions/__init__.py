"""Lists every action on an alert, in the order of the card; each has a file of its own.

The base classes are in `action.py`. `approval.py`, `comment_field.py`, `probe.py` and `write_back.py` are shared by
several actions.
"""

from typing import Any

from bot.actions.action import Action, CardAction, FormAction, MenuAction, ReadAction
from bot.actions.approve_report import ApproveReport
from bot.actions.check_validity import CheckValidity
from bot.actions.close_alert import CloseAlert
from bot.actions.deny_report import DenyReport
from bot.actions.hand_over import HandOverAlert
from bot.actions.history import History
from bot.actions.locations import Locations
from bot.actions.next_steps import NextSteps
from bot.actions.reopen_alert import ReopenAlert
from bot.actions.report_leak import ReportLeak
from bot.actions.step_back import StepBackFromAlert
from bot.actions.take import TakeAlert
from bot.actions.tell_owner import TellOwner
from bot.actions.token_uses import TokenUses
from bot.rules.case import Case
from integrations.slack.elements import Element, overflow

ACTIONS: tuple[Action[Any], ...] = (
    TakeAlert(),
    CheckValidity(),
    ReportLeak(),
    CloseAlert(),
    ReopenAlert(),
    HandOverAlert(),
    StepBackFromAlert(),
    TellOwner(),
    NextSteps(),
    TokenUses(),
    ApproveReport(),
    DenyReport(),
)
FORMS: tuple[FormAction[Any], ...] = tuple(action for action in ACTIONS if isinstance(action, FormAction))
READ_ACTIONS: tuple[ReadAction, ...] = (Locations(), History())
MENU_LINES: tuple[ReadAction | MenuAction[Any], ...] = (
    *READ_ACTIONS,
    *(action for action in ACTIONS if isinstance(action, MenuAction)),
)
"""The lines of the card's overflow menu, of which Slack allows five."""
MENU = "more"
"""Slack's action id of the overflow menu; the value of a line is the action's id."""


def controls(case: Case) -> list[Element]:
    """The card's buttons and menus that make sense for the alert as it is now, the overflow menu last."""
    buttons = [
        action.control(case) for action in ACTIONS if isinstance(action, CardAction) and action.shown(case)
    ]
    lines = [line.menu_line for line in MENU_LINES if line.shown(case)]
    return [*buttons, overflow(action_id=MENU, options=lines)]
