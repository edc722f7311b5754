"""One repository's alerts, through a token that opens this repository alone."""

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
from integrations.github.typed_calls import TypedCalls, repository_variables
from integrations.literal import Literal

_ALERT = "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}"


class RepositoryAccess:
    """What may be read and done in one repository, named by its id when the token was minted.

    A name alone can lead to a stranger's repository once it was renamed or deleted: the token doesn't open
    that one, and `repository()` tells the id for a comparison. All methods raise GitHubError.
    """

    def __init__(self, connection: TypedCalls, repository_id: int) -> None:
        self._connection = connection
        self.repository_id = repository_id

    async def repository(self, full_name: str) -> RepositoryFacts:
        """What answers to this name now; the caller compares the id."""
        return await self._connection.repository(full_name)

    async def current(self) -> RepositoryFacts:
        """The repository by its id, whatever its name is now; NotFound where the token does not open it.

        GitHub's docs: the list holds what the token opens, which is this one repository.
        """
        path = "/installation/repositories"
        async for facts in self._connection.each(
            parse_repository, path + "?per_page=100", key="repositories"
        ):
            if facts.id == self.repository_id:
                return facts
        raise NotFound(f"GET {path}", 404)

    async def alert(self, full_name: str, number: int) -> AlertFacts:
        """The alert as it stands, asked for without its secret."""
        path = _ALERT + "?hide_secret=true"
        variables = repository_variables(path, full_name, alert_number=number)
        return await self._connection.get(self._parser(full_name), path, variables)

    async def alert_with_location(self, full_name: str, number: int) -> AlertFacts:
        """The alert as it stands, with the first of its locations where the answer names no place itself.

        `first_location_detected` is optional in GitHub's description. Refused locations leave the alert without one.
        """
        facts = await self.alert(full_name, number)
        if facts.first_location is not None:
            return facts
        found: list[LocationFacts] = []
        try:
            async for place in self.locations(full_name, number):
                found.append(place)
                if len(found) == 2:
                    break
        except (Forbidden, NotFound):
            return facts
        return replace(facts, first_location=found[0], has_more_locations=len(found) == 2) if found else facts

    async def literal(self, full_name: str, number: int) -> Literal:
        """The alert's secret: the one call that asks for it, and keeps nothing else of the answer."""
        return await self._connection.literal(
            _ALERT, repository_variables(_ALERT, full_name, alert_number=number)
        )

    async def close(
        self, full_name: str, number: int, resolution: str, comment: str | None = None
    ) -> AlertFacts:
        """Resolve the alert with one of GitHub's four reasons.

        GitHub's docs: the comment can't be changed later. 400 (Invalid) also means that it is resolved with
        this reason already; 403 (Forbidden) also that closing needs a reviewer.
        """
        return await self._change(
            full_name, number, _with_comment("resolved", comment, resolution=resolution)
        )

    async def reopen(self, full_name: str, number: int, comment: str | None = None) -> AlertFacts:
        """Open the alert again."""
        return await self._change(full_name, number, _with_comment("open", comment))

    async def set_validity(self, full_name: str, number: int, value: str | None) -> AlertFacts:
        """Override GitHub's validity with `active` or `inactive`; None clears the override. Not on GHES."""
        return await self._change(full_name, number, {"validity": value})

    async def assign(self, full_name: str, number: int, login: str | None) -> AlertFacts:
        """Assign the alert to somebody with write access, else Invalid; None assigns nobody. Not on GHES."""
        return await self._change(full_name, number, {"assignee": login})

    def locations(self, full_name: str, number: int) -> AsyncIterator[LocationFacts]:
        """All places where the secret was found."""
        path = _ALERT + "/locations"
        variables = repository_variables(path, full_name, alert_number=number)
        read = partial(parse_location, repository_url=self._page(full_name))
        return self._connection.each(read, path + "?per_page=100", variables)

    async def _change(self, full_name: str, number: int, data: dict[str, str | None]) -> AlertFacts:
        variables = repository_variables(_ALERT, full_name, alert_number=number)
        return await self._connection.patch(self._parser(full_name), _ALERT, variables, data)

    def _parser(self, full_name: str) -> "partial[AlertFacts]":
        return partial(parse_alert, repository_url=self._page(full_name))

    def _page(self, full_name: str) -> str:
        return f"{self._connection.web_url}/{full_name}"


def _with_comment(state: str, comment: str | None, **fields: str) -> dict[str, str | None]:
    # GitHub's description takes a comment only together with a change of state.
    data: dict[str, str | None] = {"state": state, **fields}
    return data | {"resolution_comment": comment} if comment else data
