"""A GitHub client together with what it is authorised with: the thing that resources are asked through."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from integrations.github.client import Client, Credential, call_name
from integrations.github.errors import Malformed, NotFound, Unavailable
from integrations.github.json_values import JsonObject, is_login
from integrations.github.models import RepositoryFacts, is_full_name, parse_repository
from integrations.literal import Literal

T = TypeVar("T")
Reader = Callable[[JsonObject], T]


@dataclass(frozen=True, slots=True)
class Connection:
    """Asks GitHub as somebody, and reads its answers. Every method raises GitHubError."""

    client: Client
    credential: Credential
    web_url: str
    """GitHub for people, without a slash at the end: `https://github.com`."""

    async def get(self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None) -> T:
        """One object."""
        found = _read(read, await self.client.call(self.credential, "GET", path, variables))
        return _only(found, call_name("GET", path))

    async def write(
        self,
        read: Reader[T],
        method: str,
        path: str,
        variables: Mapping[str, str],
        data: Mapping[str, object],
    ) -> T:
        """Change something; the answer shows it changed."""
        found = _read(read, await self.client.call(self.credential, method, path, variables, data))
        return _only(found, call_name(method, path))

    async def each(
        self, read: Reader[T], path: str, variables: Mapping[str, str] | None = None, key: str = "items"
    ) -> AsyncIterator[T]:
        """All objects of a list; those without the ids that say what they are about are left out."""
        async for raw in self.client.pages(self.credential, path, variables, key):
            try:
                item = read(raw)
            except Malformed:
                continue
            yield item

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal:
        """The `secret` of an alert, and nothing else of it."""
        return await self.client.literal(self.credential, path, variables)

    async def repository(self, full_name: str) -> RepositoryFacts:
        """What answers to this name now, renamed or re-registered as it may be: compare its id."""
        path = "/repos/{owner}/{repo}"
        return await self.get(parse_repository, path, repository_variables(path, full_name))


def _read(read: Reader[T], answer: object) -> tuple[T, ...]:
    """What the answer says, or nothing where it isn't what GitHub describes."""
    try:
        return (read(answer),) if isinstance(answer, dict) else ()
    except Malformed:
        return ()


def _only(found: tuple[T, ...], what: str) -> T:
    # Raised here, where no frame holds an answer that nobody could read.
    if not found:
        raise Unavailable(what, detail="the answer is not what GitHub describes")
    return found[0]


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
