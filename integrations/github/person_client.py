"""Calls GitHub with a person's own token, and only by the calls of one short table."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from integrations.github.accounts import GitHubAccount, needed_account
from integrations.github.alert_calls import ALERT, REPOSITORY, USER, AlertCalls
from integrations.github.client import Client
from integrations.github.responses import RawResponse
from integrations.github.typed_calls import TypedCalls
from integrations.json_types import JsonObject
from integrations.literal import Literal

PERSON_CALLS = (("GET", USER), ("GET", REPOSITORY), ("GET", f"{ALERT}?hide_secret=true"), ("PATCH", ALERT))
"""Every call that a person's token is sent with."""


class CallNotInTable(Exception):
    """A call with a person's token that is not one of PERSON_CALLS; nothing was sent."""


class PersonCredential:
    """A person's access token as a credential."""

    __slots__ = ("_token",)

    def __init__(self, token: Literal) -> None:
        self._token = token

    async def token(self) -> Literal:
        return self._token

    def on_unauthorized(self, token: Literal | None) -> bool:
        """Return False: a refused token is an answer about the person, and no other token is tried."""
        return False


class GuardedClient(Client):
    """A client that sends nothing but PERSON_CALLS."""

    most_redirects = 0

    async def literal(self, path: str, variables: Mapping[str, str]) -> Literal | None:
        """Raises CallNotInTable: a secret is never fetched with a person's token."""
        raise CallNotInTable(f"literal of {path}")

    async def _send_authorized(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> RawResponse:
        base, asked = urlsplit(self.base_url), urlsplit(url)
        address = asked.path.removeprefix(base.path) + (f"?{asked.query}" if asked.query else "")
        if not any(method == known and shape.fullmatch(address) for known, shape in _SHAPES):
            raise CallNotInTable(f"{method} {asked.path}")
        return await super()._send_authorized(method, url, headers, body)


class PersonClient:
    """GitHub as one person sees it. Methods raise GitHubError: 401 where the token is not accepted any more."""

    def __init__(self, calls: TypedCalls) -> None:
        """`calls` has a GuardedClient."""
        self._calls = calls

    async def account(self) -> GitHubAccount:
        """The account that the token belongs to."""
        return await self._calls.get(_account, USER)

    def only(self, repository_id: int) -> AlertCalls:
        """The calls on the alerts of a repository; the caller compares its id with that of its name."""
        return AlertCalls(self._calls, repository_id)


def _account(raw: JsonObject) -> GitHubAccount:
    return needed_account(raw, "the account")


def _shape(template: str) -> re.Pattern[str]:
    """The addresses that a template can become."""
    fixed = re.split(r"\{\w+\}", template)
    return re.compile(r"[^/?#]+".join(re.escape(part) for part in fixed))


_SHAPES = tuple((method, _shape(template)) for method, template in PERSON_CALLS)
