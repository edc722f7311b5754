"""Reads and changes the alerts of one repository, with a token restricted to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from integrations.github.alert_calls import ALERT, AlertCalls
from integrations.github.errors import Forbidden, NotFound
from integrations.github.facts import (
    AlertFacts,
    LocationFacts,
    RepositoryFacts,
    parse_location,
    parse_repository,
)
from integrations.literal import Literal

PAGE = 100
"""GitHub's largest page of a list."""


class RepositoryAccess(AlertCalls):
    """Calls with a token that was minted for one repository's id. Methods raise GitHubError.

    After a rename or deletion the name can belong to a stranger's repository. The token gives no access to that one,
    and callers compare the id that `repository()` returns.
    """

    async def current(self) -> RepositoryFacts:
        """The repository by its id, with its current name. Raises NotFound where the token gives no access to it.

        GitHub's docs: the list contains the repositories that the token gives access to, so at most this one.
        """
        path = "/installation/repositories"
        async for facts in self._calls.each(parse_repository, path + "?per_page=100", key="repositories"):
            if facts.id == self.repository_id:
                return facts
        raise NotFound(f"GET {path}", 404)

    async def alert_with_location(self, full_name: str, number: int) -> AlertFacts:
        """The alert; without `first_location_detected` in the response, its first location comes from the list.

        That field is optional in GitHub's description. Where the list is refused (403, 404), there is no location.
        """
        facts = await self.alert(full_name, number)
        if facts.first_location is not None:
            return facts
        found: list[LocationFacts] = []
        try:
            async for location in self.locations(full_name, number):
                found.append(location)
                if len(found) == 2:
                    break
        except (Forbidden, NotFound):
            return facts
        return replace(facts, first_location=found[0], has_more_locations=len(found) == 2) if found else facts

    async def page_of_alerts(self, full_name: str, page: int) -> list[AlertFacts]:
        """One page of the alerts of default patterns, oldest first, by one call; `page` counts from 1."""
        path = "/repos/{owner}/{repo}/secret-scanning/alerts?sort=created&direction=asc&hide_secret=true"
        path += f"&per_page={PAGE}&page={page}"
        found: list[AlertFacts] = []
        async for facts in self._calls.each(self._parser(full_name), path, full_name=full_name):
            found.append(facts)
            if len(found) == PAGE:
                break
        return found

    async def literal(self, full_name: str, number: int) -> Literal:
        """The alert's secret. No other call requests it, and nothing else of the response is kept."""
        return await self._calls.literal(ALERT, full_name=full_name, alert_number=number)

    def locations(self, full_name: str, number: int) -> AsyncIterator[LocationFacts]:
        """All locations of the secret."""
        read = partial(parse_location, repository_url=self._page(full_name))
        path = ALERT + "/locations?per_page=100"
        return self._calls.each(read, path, full_name=full_name, alert_number=number)
