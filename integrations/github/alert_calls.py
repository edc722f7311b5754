"""The calls on one alert that both an installation's token and a person's token make."""

from functools import partial

from integrations.github.facts import AlertFacts, RepositoryFacts, parse_alert, parse_repository
from integrations.github.typed_calls import TypedCalls

USER = "/user"
REPOSITORY = "/repos/{owner}/{repo}"
ALERT = "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}"


class AlertCalls:
    """Reads and changes an alert, and reads its repository. Methods raise GitHubError."""

    def __init__(self, calls: TypedCalls, repository_id: int) -> None:
        """`repository_id` is that of the repository in which the alerts are."""
        self._calls = calls
        self.repository_id = repository_id

    async def repository(self, full_name: str) -> RepositoryFacts:
        """The repository that has this name now.

        It may be another one, after a rename or a new registration of the name, so the caller compares the id.
        """
        return await self._calls.get(parse_repository, REPOSITORY, full_name=full_name)

    async def alert(self, full_name: str, number: int) -> AlertFacts:
        """The alert, requested without its secret."""
        path = ALERT + "?hide_secret=true"
        return await self._calls.get(self._parser(full_name), path, full_name=full_name, alert_number=number)

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

    async def _change(self, full_name: str, number: int, data: dict[str, str | None]) -> AlertFacts:
        return await self._calls.patch(
            self._parser(full_name), ALERT, data, full_name=full_name, alert_number=number
        )

    def _parser(self, full_name: str) -> "partial[AlertFacts]":
        return partial(parse_alert, repository_url=self._page(full_name))

    def _page(self, full_name: str) -> str:
        return f"{self._calls.web_url}/{full_name}"


def _with_comment(state: str, comment: str | None, **fields: str) -> dict[str, str | None]:
    # GitHub's REST description: a comment is accepted only with a change of state.
    data: dict[str, str | None] = {"state": state, **fields}
    return data | {"resolution_comment": comment} if comment else data
