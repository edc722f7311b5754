"""A GitHub client together with what it is authorised with: the thing that resources are asked through."""

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
from integrations.github.facts import RepositoryFacts, is_full_name, parse_repository
from integrations.github.responses import error_from_exception, error_from_response
from integrations.json_types import JsonObject
from integrations.literal import Literal

T = TypeVar("T")
Reader = Callable[[JsonObject], T]
log = structlog.get_logger(__name__)
LOG_AGAIN = 60.0
"""Seconds in which the same refusal of the same call is logged once."""
_END: Any = object()
_FAILURES = (ErrorResponse, RedirectRefused, Paused, ValueError, RecursionError, aiohttp.ClientError, OSError)


@dataclass(slots=True)
class RefusalLog:
    """Logs why GitHub refused a call, each reason once a minute."""

    now: Callable[[], float]
    _logged: dict[tuple[str, str | None], float] = field(default_factory=dict)

    def note(self, error: Forbidden) -> None:
        now, key = self.now(), (error.what, error.detail)
        self._logged = {known: at for known, at in self._logged.items() if 0 <= now - at < LOG_AGAIN}
        if key not in self._logged:
            self._logged[key] = now
            log.warning("github_refused", call=error.what, status=error.status, reason=error.detail)


@dataclass(frozen=True, slots=True)
class TypedCalls:
    """Asks GitHub through one client, and reads its answers. Every method raises GitHubError."""

    client: Client
    refusals: RefusalLog
    web_url: str
    """GitHub for people, without a slash at the end: `https://github.com`."""

    async def get(self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None) -> T:
        """One object."""
        return await self._one(read, call_name("GET", path), self.client.getitem(path, variables))

    async def patch(
        self, read: Reader[T], path: str, variables: Mapping[str, str], data: Mapping[str, object]
    ) -> T:
        """Change something; the answer shows it changed."""
        return await self._one(read, call_name("PATCH", path), self.client.patch(path, variables, data=data))

    async def post(
        self,
        read: Reader[T],
        path: str,
        variables: Mapping[str, str],
        data: Mapping[str, object] | None = None,
    ) -> T:
        """Make something; without `data` the request has no body."""
        body: object = b"" if data is None else data
        return await self._one(read, call_name("POST", path), self.client.post(path, variables, data=body))

    async def each(
        self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None, key: str = "items"
    ) -> AsyncIterator[T]:
        """All objects of a list; those without the ids that say what they are about are left out.

        `key` names the list where it is wrapped. An error ends it by GitHubError, never as if the list were over.
        """
        what = call_name("GET", path)
        listed = self.client.getiter(path, variables, iterable_key=key)
        while True:
            raw = await self._answer(what, anext(listed, _END))
            if raw is _END:
                return
            if not isinstance(raw, dict):
                del raw  # No frame of an error holds what GitHub answered.
                raise Unavailable(what, detail="the answer is not a list of objects")
            try:
                item = read(raw)
            except NoAccount:
                # GitHub describes these: an installation on an enterprise, say. Nothing here could serve them.
                continue
            except Malformed as error:
                log.warning("item_left_out", call=what, reason=str(error))
                continue
            yield item

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal:
        """The `secret` of an alert, and nothing else of it."""
        what = call_name("GET", path)
        found = await self._answer(what, self.client.literal(path, variables))
        if found is None:
            raise Unavailable(what, detail="the answer holds no secret")
        return found

    async def repository(self, full_name: str) -> RepositoryFacts:
        """What answers to this name now, renamed or re-registered as it may be: compare its id."""
        path = "/repos/{owner}/{repo}"
        return await self.get(parse_repository, path, repository_variables(path, full_name))

    async def _one(self, read: Reader[T], what: str, answer: Awaitable[Any]) -> T:
        found = _read(read, await self._answer(what, answer))
        # Raised here, where no frame holds an answer that nobody could read.
        if not found:
            raise Unavailable(what, detail="the answer is not what GitHub describes")
        return found[0]

    async def _answer(self, what: str, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except _FAILURES as error:
            failure = self._failure(what, error)
        if isinstance(failure, Forbidden):
            self.refusals.note(failure)
        # Raised outside the handler, so that no context leads to frames that hold a token or a body.
        raise failure

    def _failure(self, what: str, error: Exception) -> GitHubError:
        match error:
            case ErrorResponse():
                return error_from_response(
                    what, error.status, error.headers, error.message, self.refusals.now()
                )
            case Paused():
                return GitHubRateLimited(what, error.until)
            case RedirectRefused():
                return Moved(what, detail=str(error))
            case ValueError() | RecursionError() if not isinstance(error, aiohttp.ClientError):
                # A page that isn't GitHub's JSON is some proxy's, and says as little as a server error.
                return Unavailable(what, detail="the answer is not JSON")
            case _:
                return error_from_exception(what, error)


def _read(read: Reader[T], answer: Any) -> tuple[T, ...]:
    """What the answer says, or nothing where it isn't what GitHub describes."""
    try:
        return (read(answer),) if isinstance(answer, dict) else ()
    except Malformed:
        return ()


def repository_variables(path: str, full_name: str, **others: str | int) -> dict[str, str]:
    """The variables of a path in a repository; raises NotFound for what can't be a repository's name."""
    if not is_full_name(full_name):
        raise NotFound(call_name("GET", path), 404)
    owner, _, name = full_name.partition("/")
    return {"owner": owner, "repo": name} | {key: str(value) for key, value in others.items()}


def account_variables(path: str, **logins: str) -> dict[str, str]:
    """The variables of a path about accounts; raises NotFound for what can't be a login."""
    if not all(is_login(login) for login in logins.values()):
        raise NotFound(call_name("GET", path), 404)
    return dict(logins)
