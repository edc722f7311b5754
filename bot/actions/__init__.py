"""What people can do with an alert: one file each, listed here in the order of the card."""

from typing import Any

from bot.actions.action import Action, FormAction
from bot.actions.check_validity import CheckValidity
from bot.actions.close_alert import CloseAlert
from bot.actions.reopen_alert import ReopenAlert
from bot.actions.report_leak import ReportLeak
from bot.actions.tell_owner import TellOwner

ACTIONS: tuple[Action[Any], ...] = (
    CheckValidity(),
    ReportLeak(),
    CloseAlert(),
    ReopenAlert(),
    TellOwner(),
)
FORMS: tuple[FormAction[Any], ...] = tuple(action for action in ACTIONS if isinstance(action, FormAction))
