"""Calls GitHub through one client: responses become records, failures become GitHubErrors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import structlog

from integrations.github import errors
from integrations.github.accounts import is_login
from integrations.github.client import Client, ErrorResponse, Paused, RedirectRefused, call_name
from integrations.github.facts import is_full_name
from integrations.github.responses import error_from_exception, error_from_response
from integrations.json_types import JsonObject
from integrations.literal import Literal

T = TypeVar("T")
Reader = Callable[[JsonObject], T]
Variable = str | int | None
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

    def note(self, error: errors.Forbidden) -> None:
        now, key = self.now(), (error.call, error.detail)
        self._logged = {known: at for known, at in self._logged.items() if 0 <= now - at < LOG_AGAIN}
        if key not in self._logged:
            self._logged[key] = now
            log.warning("github_refused", call=error.call, status=error.status, reason=error.detail)


@dataclass(frozen=True, slots=True)
class TypedCalls:
    """REST calls through one client. `read` makes a record of the JSON; every method raises GitHubError.

    `path` is a URI template for gidgethub, filled with `variables`. `full_name` stands for `{owner}/{repo}`; a
    variable that is None is left out. Raises NotFound for a string that can't be a full name or a login.
    """

    client: Client
    refusals: RefusalLog
    web_url: str
    """The address of GitHub's website, without a slash at the end: `https://github.com`."""

    async def get(self, read: Reader[T], path: str, **variables: Variable) -> T:
        """GET one object."""
        call = call_name("GET", path)
        return await self._record(read, call, self.client.getitem(path, _filled(call, variables)))

    async def patch(self, read: Reader[T], path: str, data: Mapping[str, object], **variables: Variable) -> T:
        """PATCH an object and return its new state."""
        call = call_name("PATCH", path)
        return await self._record(read, call, self.client.patch(path, _filled(call, variables), data=data))

    async def post(
        self, read: Reader[T], path: str, data: Mapping[str, object] | None = None, **variables: Variable
    ) -> T:
        """POST and return the object in the response; without `data` the request has no body."""
        call, body = call_name("POST", path), b"" if data is None else data
        return await self._record(read, call, self.client.post(path, _filled(call, variables), data=body))

    async def post_to(self, read: Reader[T], call: str, url: str, data: Mapping[str, object]) -> T:
        """POST to another address of GitHub's API and return the object in the response; `call` is its name."""
        return await self._record(read, call, self.client.post(url, data=data))

    async def each(
        self, read: Reader[T], path: str, *, key: str = "items", **variables: Variable
    ) -> AsyncIterator[T]:
        """GET a list, page by page, and yield its objects. Those without the ids that identify them are left out.

        `key` names the list where it is wrapped in an object. A failed page raises GitHubError, so a list that ends
        without an error is complete.
        """
        call = call_name("GET", path)
        listed = self.client.getiter(path, _filled(call, variables), iterable_key=key)
        while True:
            raw = await self._result(call, anext(listed, _END))
            if raw is _END:
                return
            if not isinstance(raw, dict):
                del raw  # The error's traceback must not hold the response.
                raise errors.Unavailable(call, detail="the answer is not a list of objects")
            try:
                item = read(raw)
            except errors.NoAccount:
                # As GitHub describes it, e.g. an installation on an enterprise. Stanch does not support these.
                continue
            except errors.Malformed as error:
                log.warning("item_left_out", call=call, reason=str(error))
                continue
            yield item

    async def literal(self, path: str, **variables: Variable) -> Literal:
        """GET an alert and return only its `secret`."""
        call = call_name("GET", path)
        found = await self._result(call, self.client.literal(path, _filled(call, variables)))
        if found is None:
            raise errors.Unavailable(call, detail="the answer holds no secret")
        return found

    async def _record(self, read: Reader[T], call: str, response: Awaitable[Any]) -> T:
        found = _read(read, await self._result(call, response))
        # Raised here, where no frame holds the response that could not be read.
        if not found:
            raise errors.Unavailable(call, detail="the answer is not what GitHub describes")
        return found[0]

    async def _result(self, call: str, response: Awaitable[T]) -> T:
        try:
            return await response
        except _FAILURES as error:
            failure = self._failure(call, error)
        if isinstance(failure, errors.Forbidden):
            self.refusals.note(failure)
        # Raised outside the handler: the error's context would lead to frames that hold a token or a body.
        raise failure

    def _failure(self, call: str, error: Exception) -> errors.GitHubError:
        match error:
            case ErrorResponse():
                return error_from_response(
                    call, error.status, error.headers, error.message, self.refusals.now()
                )
            case Paused():
                return errors.GitHubRateLimited(call, error.until)
            case RedirectRefused():
                return errors.Moved(call, detail=str(error))
            case ValueError() | RecursionError() if not isinstance(error, aiohttp.ClientError):
                # A response that is not GitHub's JSON is a proxy's page; treat it like a server error.
                return errors.Unavailable(call, detail="the answer is not JSON")
            case _:
                return error_from_exception(call, error)


def _read(read: Reader[T], response: Any) -> tuple[T, ...]:
    """Return the record in a tuple, or an empty tuple where the response is not as GitHub describes it."""
    try:
        return (read(response),) if isinstance(response, dict) else ()
    except errors.Malformed:
        return ()


def _filled(call: str, variables: Mapping[str, Variable]) -> dict[str, str]:
    """The variables as gidgethub takes them."""
    filled = {name: str(value) for name, value in variables.items() if value is not None}
    full_name = filled.pop("full_name", None)
    if not all(is_login(filled[name]) for name in ("org", "username") if name in filled):
        raise errors.NotFound(call, 404)
    if full_name is not None:
        if not is_full_name(full_name):
            raise errors.NotFound(call, 404)
        filled["owner"], _, filled["repo"] = full_name.partition("/")
    return filled
