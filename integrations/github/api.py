"""GitHub over REST: the App and its installations, the server's own facts, and the report of a leak."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp

from integrations.github.accounts import GitHubAccount, account
from integrations.github.app_auth import AppKey, InstallationCredential, InstallationTokens, Minted
from integrations.github.client import Anonymous, Client, Credential, RateLimitPause, call_name
from integrations.github.errors import (
    Forbidden,
    GitHubUnauthorized,
    InstallationGone,
    Invalid,
    Malformed,
    NoAccount,
    NotFound,
)
from integrations.github.facts import DeliveryFacts, InstallationFacts, parse_delivery, parse_installation
from integrations.github.installation import InstallationClient
from integrations.github.json_fields import identifier, json_object, text, timestamp
from integrations.github.revocation import RevokeResponse, revoke
from integrations.github.server_features import UNKNOWN_VERSION, ServerFacts, server_by_host
from integrations.github.typed_calls import (
    RefusalLog,
    TypedCalls,
    account_variables,
    repository_variables,
)
from integrations.json_types import JsonObject
from integrations.literal import Literal

ENTERPRISE = "Enterprise"
_SERVER_KEPT = 3600.0
_SIMULTANEOUS = 20
"""Calls at once; GitHub's docs allow 100."""


@dataclass(frozen=True, slots=True)
class AppFacts:
    """The GitHub App itself."""

    slug: str
    owner: GitHubAccount
    """Of an enterprise the id, which is no account's, and the slug."""
    owner_type: str
    """GitHub's word: `Organization` or `User`; `Enterprise` for an enterprise, which has no type."""


class GitHub:
    """GitHub, as one App sees it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        url: str,
        app_id: str,
        private_key: str,
        version: str,
        now: Callable[[], float],
        timeout: float = 10.0,
    ) -> None:
        """`api_url` and `url` are GitHub's API and GitHub for people; `version` is Stanch's own.

        `timeout` is for one call, in seconds. The session must have no credentials, cookies or base address
        of its own. Raises ValueError where the private key is none.
        """
        self._session = session
        self._api_url = api_url.rstrip("/")
        self._web_url = url.rstrip("/")
        self.user_agent = f"stanch/{version}"
        self._now = now
        self._timeout = timeout
        self._slots = asyncio.Semaphore(_SIMULTANEOUS)
        self._tokens = InstallationTokens(self._mint, now)
        self._holds: dict[int, RateLimitPause] = {}
        self._refusals = RefusalLog(now)
        self._app = self._connect(AppKey(app_id, private_key, now), RateLimitPause())
        self._server: tuple[float, ServerFacts] | None = None

    def _connect(self, credential: Credential, hold: RateLimitPause) -> TypedCalls:
        client = Client(
            self._session,
            credential,
            api_url=self._api_url,
            user_agent=self.user_agent,
            now=self._now,
            slots=self._slots,
            hold=hold,
            timeout=self._timeout,
        )
        return TypedCalls(client, self._refusals, self._web_url)

    async def app(self) -> AppFacts:
        """The App whose key this is; Unauthorized where GitHub doesn't know it."""
        return await self._app.get(_app_facts, "/app")

    def installations(self) -> AsyncIterator[InstallationFacts]:
        """All installations of the App, whoever made them."""
        return self._app.each(parse_installation, "/app/installations?per_page=100")

    async def installation(self, installation_id: int) -> InstallationFacts:
        """One installation as it stands; NotFound where it was removed or belongs to an enterprise."""
        path = "/app/installations/{installation_id}"
        found = await self._app.get(_with_account, path, {"installation_id": str(installation_id)})
        if found is None:
            raise NotFound(call_name("GET", path), 200, "the installation belongs to no account with a login")
        return found

    async def installation_on(self, login: str) -> InstallationFacts:
        """The installation on the account with this login now; NotFound where the App is not installed on it."""
        path = "/orgs/{org}/installation"
        try:
            return await self._app.get(parse_installation, path, account_variables(path, org=login))
        except NotFound:
            path = "/users/{username}/installation"
            return await self._app.get(parse_installation, path, account_variables(path, username=login))

    async def installation_of(self, full_name: str) -> InstallationFacts:
        """The installation that has this repository; NotFound where none has."""
        path = "/repos/{owner}/{repo}/installation"
        return await self._app.get(parse_installation, path, repository_variables(path, full_name))

    def of(self, installation_id: int) -> InstallationClient:
        """What this installation may see; nothing is asked yet."""
        hold = self._holds.setdefault(installation_id, RateLimitPause())

        def connection(repository_id: int | None = None) -> TypedCalls:
            ids = None if repository_id is None else [repository_id]
            return self._connect(InstallationCredential(self._tokens, installation_id, ids), hold)

        return InstallationClient(installation_id, connection(), connection)

    async def _mint(self, installation_id: int, repository_ids: frozenset[int] | None) -> Minted:
        path = "/app/installations/{installation_id}/access_tokens"
        data: dict[str, object] = {} if repository_ids is None else {"repository_ids": sorted(repository_ids)}
        try:
            return await self._app.post(_minted, path, {"installation_id": str(installation_id)}, data)
        except NotFound as error:
            gone = InstallationGone(error.what, 404, "removed")
        except Forbidden as error:
            if "suspended" not in (error.detail or "").lower():
                raise
            gone = InstallationGone(error.what, 403, "suspended")
        except Invalid as error:
            if repository_ids is None or error.status != 422:
                raise
            raise NotFound(error.what, 422, "the installation does not have this repository") from None
        raise gone

    def deliveries(self) -> AsyncIterator[DeliveryFacts]:
        """GitHub's log of the webhooks it sent, the latest attempt first."""
        return self._app.each(parse_delivery, "/app/hook/deliveries?per_page=100")

    async def redeliver(self, delivery_id: int) -> None:
        """Have GitHub send a delivery again, with the same guid."""
        path = "/app/hook/deliveries/{delivery_id}/attempts"
        await self._app.post(dict, path, {"delivery_id": str(delivery_id)})

    async def server(self) -> ServerFacts:
        """Which GitHub this is, asked once an hour. GitHub's docs: GHES alone has an `installed_version`."""
        if self._server is None or not 0 <= self._now() - self._server[0] < _SERVER_KEPT:
            self._server = self._now(), await self._ask_server()
        return self._server[1]

    async def _ask_server(self) -> ServerFacts:
        known = server_by_host(self._api_url)
        if known is not None:
            return known
        # GitHub takes no App's JWT here.
        anonymous = self._connect(Anonymous(), RateLimitPause())
        try:
            return ServerFacts(await anonymous.get(_installed_version, "/meta"))
        except (GitHubUnauthorized, Forbidden):
            # GitHub's docs: in private mode an Enterprise Server, and nothing else, answers nobody without a login.
            return ServerFacts(UNKNOWN_VERSION)

    async def revoke(self, literal: Literal) -> RevokeResponse:
        """Report a credential, which can't be undone; raises Uncertain or Unreachable: see `revocation`."""
        return await revoke(
            self._session, self._api_url, self.user_agent, literal, self._now, timeout=self._timeout
        )


def _app_facts(raw: JsonObject) -> AppFacts:
    slug, said = text(raw.get("slug")), json_object(raw.get("owner")) or {}
    owner = account(said)
    if slug is not None and owner is not None:
        return AppFacts(slug, owner, text(said.get("type")) or "unknown")
    # GitHub's description: the owner is a simple user or an enterprise, which has a slug and no login.
    number, enterprise = identifier(said.get("id")), text(said.get("slug"))
    if slug is None or number is None or enterprise is None:
        raise Malformed("the App has no slug or owner")
    return AppFacts(slug, GitHubAccount(number, enterprise), ENTERPRISE)


def _with_account(raw: JsonObject) -> InstallationFacts | None:
    try:
        return parse_installation(raw)
    except NoAccount:
        return None


def _minted(raw: JsonObject) -> Minted:
    token, end = text(raw.get("token")), timestamp(raw.get("expires_at"))
    if token is None or end is None:
        raise Malformed("the token has no text or end")
    return Minted(Literal(token), end)


def _installed_version(raw: JsonObject) -> str | None:
    return text(raw.get("installed_version"))
