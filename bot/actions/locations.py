"""Show locations: every place where the secret was found, with links to GitHub."""

from bot.actions.action import ReadAction
from bot.context import Context
from bot.rules.alert_merge import location_from_facts
from bot.rules.case import Case, PersonalCase
from bot.views.history import MAX_LOCATIONS, draw_locations
from integrations.github.repository import RepositoryAccess
from integrations.slack.blocks import Content
from integrations.slack.elements import Option
from storage.records import SecretLocation


class Locations(ReadAction):
    """All pages of GitHub's list, up to as many locations as fit into a message."""

    id = "locations"
    menu_line = Option("Show locations", "locations")
    asks_github = True

    def shown(self, case: Case) -> bool:
        return case.repository.is_reachable

    async def answer(self, context: Context, case: PersonalCase, access: RepositoryAccess | None) -> Content:
        assert access is not None
        places: list[SecretLocation] = []
        more = False
        async for found in access.locations(case.repository.full_name, case.alert.key.number):
            if len(places) == MAX_LOCATIONS:
                more = True
                break
            places.append(location_from_facts(found))
        return draw_locations(case.alert, case.repository, places, more=more)
