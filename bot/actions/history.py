"""History: what happened to an alert, who did it and why."""

from bot.actions.action import Look
from bot.rules.case import Case, PersonalCase
from bot.tools import Tools
from bot.views.history import draw_history
from integrations.github.repository_access import RepositoryAccess
from integrations.slack.blocks import Content
from integrations.slack.elements import Option
from storage import alerts


class History(Look):
    """The timeline from our own store, so it is there while GitHub is not."""

    id = "history"
    in_menu = Option("History", "history")

    def shown(self, case: Case) -> bool:
        del case
        return True

    async def answer(self, tools: Tools, case: PersonalCase, access: RepositoryAccess | None) -> Content:
        del access
        async with tools.db.read() as tx:
            events = await alerts.events(tx, case.alert.key)
        return draw_history(case.alert, case.repository, events)
