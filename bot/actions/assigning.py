"""Letting GitHub's assignee follow whoever is on an alert here."""

from bot.actions.action import Doing
from integrations.github.errors import Forbidden, Invalid, NotFound
from integrations.github.models import AlertFacts


async def assign(doing: Doing, login: str | None) -> AlertFacts | None:
    """Assign the alert to that account, or to nobody, and return what GitHub answers; None where it won't.

    It may know better who can be assigned: that hinders nobody from working on the alert here.
    """
    case = doing.case
    try:
        return await doing.access.assign(case.repository.full_name, case.alert.key.number, login)
    except (Invalid, Forbidden, NotFound):
        return None
