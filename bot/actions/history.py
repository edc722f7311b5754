"""History: shows what happened to an alert, who did it and why."""

from bot.actions.action import ReadAction
from bot.context import Context
from bot.rules.case import Case, PersonalCase
from bot.views.history import draw_history
from integrations.github.repository import RepositoryAccess
from integrations.slack.blocks import Content
from integrations.slack.elements import Option
from storage import alerts


class History(ReadAction):
    """The stored timeline; it is shown while GitHub is down too."""

    id = "history"
    menu_line = Option("History", "history")

    def shown(self, case: Case) -> bool:
        return True

    async def answer(self, context: Context, case: PersonalCase, access: RepositoryAccess | None) -> Content:
        async with context.db.read() as tx:
            events = await alerts.events(tx, case.alert.key)
        return draw_history(case.alert, case.repository, events)
