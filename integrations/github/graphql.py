"""GitHub's GraphQL API: one query per call; a field that GitHub refuses is an error, never an empty field."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from integrations.github import errors
from integrations.github.json_fields import json_object, json_objects, text
from integrations.github.responses import clean_message
from integrations.github.typed_calls import TypedCalls
from integrations.json_types import JsonObject

CALL = "POST /graphql"
_LIMITED_FOR = 60.0
"""Seconds to wait after RATE_LIMITED, as GitHub's docs say for a limit without a time."""
_FORBIDDEN = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})
Json = str | int | bool | None


class GraphQLFieldRefused(errors.Forbidden):
    """GitHub answered the query and refused a field of it; `field` is its path, without positions in lists."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(CALL, 200, f"{field} is refused: {message}" if message else f"{field} is refused")
        self.field = field


def graphql_url(api_url: str) -> str:
    """The endpoint for the address of the REST API. GitHub's docs: on Enterprise Server it is beside `/api/v3`."""
    parts = urlsplit(api_url)
    path = parts.path.rstrip("/").removesuffix("/v3")
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/graphql", "", ""))


async def ask(calls: TypedCalls, query: str, variables: Mapping[str, Json]) -> JsonObject:
    """The complete data of a query. Raises GitHubError: GraphQLFieldRefused for a field, NotFound for a wrong name.

    GitHub's docs: an error of one field comes with the status 200, beside the data of the others.
    """
    body = {"query": query, "variables": dict(variables)}
    answer = await calls.post_to(dict, CALL, graphql_url(calls.client.base_url), body)
    for error in json_objects(answer.get("errors")):
        raise _error(calls, error)
    data = json_object(answer.get("data"))
    if data is None or answer.get("errors"):
        raise errors.Unavailable(CALL, 200, "the answer is not what GitHub describes")
    return data


def _error(calls: TypedCalls, error: JsonObject) -> errors.GitHubError:
    kind, message = text(error.get("type")) or "", clean_message(text(error.get("message")) or "")
    if kind == "RATE_LIMITED":
        return errors.GitHubRateLimited(CALL, calls.refusals.now() + _LIMITED_FOR, 200)
    if kind == "NOT_FOUND":
        return errors.NotFound(CALL, 200, message)
    path = error.get("path")
    if kind in _FORBIDDEN:
        names = [step for step in path if isinstance(step, str)] if isinstance(path, list) else []
        return GraphQLFieldRefused(clean_message(".".join(names)) or "a field", message)
    # For example a timeout, or a query that this server's schema does not have.
    return errors.Unavailable(CALL, 200, message or "GitHub gave no reason")


def page_of(connection: object) -> tuple[tuple[JsonObject, ...], str | None]:
    """The nodes of a connection, and the cursor of the next page, None on the last one. Raises Malformed.

    A node without a value is left out: where that is due to an error, `ask` has raised it.
    """
    raw = json_object(connection)
    info = json_object(raw.get("pageInfo")) if raw is not None else None
    if raw is None or info is None or not isinstance(raw.get("nodes"), list):
        raise errors.Malformed("the list has no pages")
    cursor = text(info.get("endCursor")) if info.get("hasNextPage") else None
    if info.get("hasNextPage") and cursor is None:
        raise errors.Malformed("the list has a next page without a cursor")
    return json_objects(raw["nodes"]), cursor
