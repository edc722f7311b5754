"""Reads and changes the alerts of one repository, with a token restricted to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from integrations.github.errors import Forbidden, NotFound
from integrations.github.facts import (
    AlertFacts,
    LocationFacts,
    RepositoryFacts,
    parse_alert,
    parse_location,
    parse_repository,
)
from integrations.github.typed_calls import TypedCalls
from integrations.literal import Literal

_ALERT = "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}"


class RepositoryAccess:
    """Calls with a token that was minted for one repository's id. Methods raise GitHubError.

    After a rename or deletion the name can belong to a stranger's repository. The token gives no access to that one,
    and callers compare the id that `repository()` returns.
    """

    def __init__(self, calls: TypedCalls, repository_id: int) -> None:
        self._calls = calls
        self.repository_id = repository_id

    async def repository(self, full_name: str) -> RepositoryFacts:
        """The repository that has this name now.

        It may be another one, after a rename or a new registration of the name, so the caller compares the id.
        """
        return await self._calls.get(parse_repository, "/repos/{owner}/{repo}", full_name=full_name)

    async def current(self) -> RepositoryFacts:
        """The repository by its id, with its current name. Raises NotFound where the token gives no access to it.

        GitHub's docs: the list contains the repositories that the token gives access to, so at most this one.
        """
        path = "/installation/repositories"
        async for facts in self._calls.each(parse_repository, path + "?per_page=100", key="repositories"):
            if facts.id == self.repository_id:
                return facts
        raise NotFound(f"GET {path}", 404)

    async def alert(self, full_name: str, number: int) -> AlertFacts:
        """The alert, requested without its secret."""
        path = _ALERT + "?hide_secret=true"
        return await self._calls.get(self._parser(full_name), path, full_name=full_name, alert_number=number)

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

    async def literal(self, full_name: str, number: int) -> Literal:
        """The alert's secret. No other call requests it, and nothing else of the response is kept."""
        return await self._calls.literal(_ALERT, full_name=full_name, alert_number=number)

    async def close(
        self, full_name: str, number: int, resolution: str, comment: str | None = None
    ) -> AlertFacts:
        """Resolve the alert; `resolution` is one of GitHub's four reasons.

        GitHub's docs: the comment can't be changed later. Raises Invalid (400) also for an alert that has this
        resolution already, Forbidden (403) also where closing needs a reviewer.
        """
        return await self._change(
            full_name, number, _with_comment("resolved", comment, resolution=resolution)
        )

    async def reopen(self, full_name: str, number: int, comment: str | None = None) -> AlertFacts:
        """Reopen the alert."""
        return await self._change(full_name, number, _with_comment("open", comment))

    async def set_validity(self, full_name: str, number: int, value: str | None) -> AlertFacts:
        """Override GitHub's validity: `active`, `inactive`, or None to clear it. Not on older Enterprise Servers."""
        return await self._change(full_name, number, {"validity": value})

    async def assign(self, full_name: str, number: int, login: str | None) -> AlertFacts:
        """Assign the alert, or unassign it (None). Raises Invalid for a person without write access."""
        return await self._change(full_name, number, {"assignee": login})

    def locations(self, full_name: str, number: int) -> AsyncIterator[LocationFacts]:
        """All locations of the secret."""
        read = partial(parse_location, repository_url=self._page(full_name))
        path = _ALERT + "/locations?per_page=100"
        return self._calls.each(read, path, full_name=full_name, alert_number=number)

    async def _change(self, full_name: str, number: int, data: dict[str, str | None]) -> AlertFacts:
        return await self._calls.patch(
            self._parser(full_name), _ALERT, data, full_name=full_name, alert_number=number
        )

    def _parser(self, full_name: str) -> "partial[AlertFacts]":
        return partial(parse_alert, repository_url=self._page(full_name))

    def _page(self, full_name: str) -> str:
        return f"{self._calls.web_url}/{full_name}"


def _with_comment(state: str, comment: str | None, **fields: str) -> dict[str, str | None]:
    # GitHub's REST description: a comment is accepted only with a change of state.
    data: dict[str, str | None] = {"state": state, **fields}
    return data | {"resolution_comment": comment} if comment else data
