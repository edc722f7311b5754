"""Calls GitHub through one client: responses become records, failures become GitHubErrors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import structlog

from integrations.github.accounts import is_login
from integrations.github.client import Client, ErrorResponse, Paused, RedirectRefused, call_name
from integrations.github.errors import (
    Forbidden,
    GitHubError,
    GitHubRateLimited,
    Malformed,
    Moved,
    NoAccount,
    NotFound,
    Unavailable,
)
from integrations.github.facts import is_full_name
from integrations.github.responses import error_from_exception, error_from_response
from integrations.json_types import JsonObject
from integrations.literal import Literal

T = TypeVar("T")
Reader = Callable[[JsonObject], T]
log = structlog.get_logger(__name__)
LOG_AGAIN = 60.0
"""Seconds; the same refusal of the same call is logged at most once in this time."""
_END: Any = object()
_FAILURES = (ErrorResponse, RedirectRefused, Paused, ValueError, RecursionError, aiohttp.ClientError, OSError)


@dataclass(slots=True)
class RefusalLog:
    """Logs why GitHub refused a call, each reason at most once a minute."""

    now: Callable[[], float]
    _logged: dict[tuple[str, str | None], float] = field(default_factory=dict)

    def note(self, error: Forbidden) -> None:
        now, key = self.now(), (error.call, error.detail)
        self._logged = {known: at for known, at in self._logged.items() if 0 <= now - at < LOG_AGAIN}
        if key not in self._logged:
            self._logged[key] = now
            log.warning("github_refused", call=error.call, status=error.status, reason=error.detail)


@dataclass(frozen=True, slots=True)
class TypedCalls:
    """REST calls through one client. `read` makes a record of the JSON; every method raises GitHubError.

    `path` is a URI template for gidgethub, and `variables` fills it.
    """

    client: Client
    refusals: RefusalLog
    web_url: str
    """The address of GitHub's website, without a slash at the end: `https://github.com`."""

    async def get(self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None) -> T:
        """GET one object."""
        return await self._record(read, call_name("GET", path), self.client.getitem(path, variables))

    async def patch(
        self, read: Reader[T], path: str, variables: Mapping[str, str], data: Mapping[str, object]
    ) -> T:
        """PATCH an object and return its new state."""
        return await self._record(
            read, call_name("PATCH", path), self.client.patch(path, variables, data=data)
        )

    async def post(
        self,
        read: Reader[T],
        path: str,
        variables: Mapping[str, str],
        data: Mapping[str, object] | None = None,
    ) -> T:
        """POST and return the object in the response; without `data` the request has no body."""
        body: object = b"" if data is None else data
        return await self._record(read, call_name("POST", path), self.client.post(path, variables, data=body))

    async def each(
        self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None, key: str = "items"
    ) -> AsyncIterator[T]:
        """GET a list, page by page, and yield its objects. Those without the ids that identify them are left out.

        `key` names the list where it is wrapped in an object. A failed page raises GitHubError, so a list that ends
        without an error is complete.
        """
        call = call_name("GET", path)
        listed = self.client.getiter(path, variables, iterable_key=key)
        while True:
            raw = await self._result(call, anext(listed, _END))
            if raw is _END:
                return
            if not isinstance(raw, dict):
                del raw  # The error's traceback must not hold the response.
                raise Unavailable(call, detail="the answer is not a list of objects")
            try:
                item = read(raw)
            except NoAccount:
                # As GitHub describes it, e.g. an installation on an enterprise. Stanch does not support these.
                continue
            except Malformed as error:
                log.warning("item_left_out", call=call, reason=str(error))
                continue
            yield item

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal:
        """GET an alert and return only its `secret`."""
        call = call_name("GET", path)
        found = await self._result(call, self.client.literal(path, variables))
        if found is None:
            raise Unavailable(call, detail="the answer holds no secret")
        return found

    async def _record(self, read: Reader[T], call: str, response: Awaitable[Any]) -> T:
        found = _read(read, await self._result(call, response))
        # Raised here, where no frame holds the response that could not be read.
        if not found:
            raise Unavailable(call, detail="the answer is not what GitHub describes")
        return found[0]

    async def _result(self, call: str, response: Awaitable[T]) -> T:
        try:
            return await response
        except _FAILURES as error:
            failure = self._failure(call, error)
        if isinstance(failure, Forbidden):
            self.refusals.note(failure)
        # Raised outside the handler: the error's context would lead to frames that hold a token or a body.
        raise failure

    def _failure(self, call: str, error: Exception) -> GitHubError:
        match error:
            case ErrorResponse():
                return error_from_response(
                    call, error.status, error.headers, error.message, self.refusals.now()
                )
            case Paused():
                return GitHubRateLimited(call, error.until)
            case RedirectRefused():
                return Moved(call, detail=str(error))
            case ValueError() | RecursionError() if not isinstance(error, aiohttp.ClientError):
                # A response that is not GitHub's JSON is a proxy's page; treat it like a server error.
                return Unavailable(call, detail="the answer is not JSON")
            case _:
                return error_from_exception(call, error)


def _read(read: Reader[T], response: Any) -> tuple[T, ...]:
    """Return the record in a tuple, or an empty tuple where the response is not as GitHub describes it."""
    try:
        return (read(response),) if isinstance(response, dict) else ()
    except Malformed:
        return ()


def repository_variables(path: str, full_name: str, **others: str | int) -> dict[str, str]:
    """Return the variables of a path in a repository. Raises NotFound for a string that can't be a full name."""
    if not is_full_name(full_name):
        raise NotFound(call_name("GET", path), 404)
    owner, _, name = full_name.partition("/")
    return {"owner": owner, "repo": name} | {key: str(value) for key, value in others.items()}


def account_variables(path: str, **logins: str) -> dict[str, str]:
    """Return the variables of a path about accounts. Raises NotFound for a string that can't be a login."""
    if not all(is_login(login) for login in logins.values()):
        raise NotFound(call_name("GET", path), 404)
    return dict(logins)
