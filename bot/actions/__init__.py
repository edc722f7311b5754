"""What people can do with an alert: one file each, listed here in the order of the card."""

from typing import Any

from bot.actions.action import Action, FormAction, ReadAction
from bot.actions.check_validity import CheckValidity
from bot.actions.close_alert import CloseAlert
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
    StepBackFromAlert(),
    TellOwner(),
    NextSteps(),
    TokenUses(),
)
FORMS: tuple[FormAction[Any], ...] = tuple(action for action in ACTIONS if isinstance(action, FormAction))
READ_ACTIONS: tuple[ReadAction, ...] = (Locations(), History())
MENU = "more"
"""Slack's action id of the card's overflow menu; its values are the ids of what is in it."""


def controls(case: Case) -> list[Element]:
    """The card's controls as the alert is now; what can't work is left out."""
    shown = [action for action in ACTIONS if action.shown(case)]
    buttons = [control for action in shown if (control := action.control(case)) is not None]
    lines = [look.in_menu for look in READ_ACTIONS if look.shown(case)]
    lines += [action.in_menu for action in shown if action.in_menu is not None]
    return [*buttons, overflow(action_id=MENU, options=lines)]
