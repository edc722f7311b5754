"""GitHub's REST API as the App sees it: App, installations, deliveries, server, and reports of leaked tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp

from integrations.github import errors
from integrations.github.accounts import GitHubAccount
from integrations.github.app_auth import (
    AppKey,
    InstallationCredential,
    InstallationTokens,
    Minted,
    TokenScope,
)
from integrations.github.app_facts import (
    AppFacts,
    DeliveryFacts,
    HookFacts,
    parse_app,
    parse_delivery,
    parse_hook,
)
from integrations.github.client import (
    Anonymous,
    Client,
    Credential,
    RateLimitPause,
    call_name,
    send_alone,
)
from integrations.github.directory import OrganizationDirectory
from integrations.github.facts import InstallationFacts, parse_installation, parse_permissions
from integrations.github.granted import CONTENTS, GrantedPermissions, usual_permissions
from integrations.github.installation import InstallationClient
from integrations.github.json_fields import identifier, json_objects, text, timestamp
from integrations.github.person_client import GuardedClient, PersonClient, PersonCredential
from integrations.github.responses import clock_ahead, error_from_exception
from integrations.github.revocation import RevokeResponse, revoke
from integrations.github.server_features import UNKNOWN_VERSION, ServerFacts, server_by_host
from integrations.github.typed_calls import RefusalLog, TypedCalls
from integrations.json_types import JsonObject
from integrations.literal import Literal

_SERVER_KEPT = 3600.0
"""Seconds for which the facts about the server are cached."""
_SIMULTANEOUS = 20
"""Simultaneous calls. GitHub's docs, "Rate limits for the REST API": at most 100 concurrent requests."""


class GitHub:
    """GitHub for one App. Methods raise GitHubError."""

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
        """`api_url` is the address of GitHub's API, `url` that of its website; `version` is Stanch's version.

        `timeout` is for one call, in seconds. The session must have no credentials, cookies or base address.
        Raises ValueError for a private key that is not an RSA key in PEM.
        """
        self._session = session
        self.api_url = api_url.rstrip("/")
        self._web_url = url.rstrip("/")
        self.user_agent = f"stanch/{version}"
        self._now = now
        self._timeout = timeout
        self._slots = asyncio.Semaphore(_SIMULTANEOUS)
        self._tokens = InstallationTokens(self._mint, now)
        self._granted = GrantedPermissions(self._ask_permissions, now)
        self._pauses: dict[int, RateLimitPause] = {}
        self._graphql_pauses: dict[int, RateLimitPause] = {}
        self._refusals = RefusalLog(now)
        self._app = self._connect(AppKey(app_id, private_key, now), RateLimitPause())
        self._server: tuple[float, ServerFacts] | None = None

    def _connect(
        self, credential: Credential, pause: RateLimitPause, client_class: type[Client] = Client
    ) -> TypedCalls:
        client = client_class(
            self._session,
            credential,
            api_url=self.api_url,
            user_agent=self.user_agent,
            now=self._now,
            slots=self._slots,
            pause=pause,
            timeout=self._timeout,
        )
        return TypedCalls(client, self._refusals, self._web_url)

    async def app(self) -> AppFacts:
        """The App that our key belongs to. Raises GitHubUnauthorized where GitHub does not accept the key."""
        return await self._app.get(parse_app, "/app")

    def installations(self) -> AsyncIterator[InstallationFacts]:
        """All installations of the App on accounts with a login, also those by strangers."""
        return self._app.each(self._read_installation, "/app/installations?per_page=100")

    async def installation(self, installation_id: int) -> InstallationFacts:
        """One installation. Raises NotFound where it was removed or belongs to an enterprise."""
        path = "/app/installations/{installation_id}"
        found = await self._app.get(_with_account, path, installation_id=installation_id)
        if found is None:
            reason = "the installation belongs to no account with a login"
            raise errors.NotFound(call_name("GET", path), 200, reason)
        self._granted.note(found.id, found.permissions)
        return found

    async def installation_on(self, login: str) -> InstallationFacts:
        """The installation on the account that has this login now. Raises NotFound without one."""
        try:
            return await self._app.get(parse_installation, "/orgs/{org}/installation", org=login)
        except errors.NotFound:
            return await self._app.get(parse_installation, "/users/{username}/installation", username=login)

    async def installation_of(self, full_name: str) -> InstallationFacts:
        """The installation that includes this repository. Raises NotFound without one."""
        path = "/repos/{owner}/{repo}/installation"
        return await self._app.get(parse_installation, path, full_name=full_name)

    def of(self, installation_id: int) -> InstallationClient:
        """A client for one installation; makes no call yet."""
        pause = self._pauses.setdefault(installation_id, RateLimitPause())

        def calls(scope: TokenScope) -> TypedCalls:
            return self._connect(InstallationCredential(self._tokens, scope), pause)

        return InstallationClient(
            TokenScope(installation_id), calls, granted=self._granted, renew=self._tokens.renew
        )

    def as_person(self, access: Literal) -> PersonClient:
        """A client that acts as the person to whom the access token belongs; makes no call yet."""
        return PersonClient(self._connect(PersonCredential(access), RateLimitPause(), GuardedClient))

    def directory(self, installation_id: int, organization: GitHubAccount) -> OrganizationDirectory:
        """The directory of an installation's organization; makes no call yet."""
        # GraphQL has a rate limit of its own.
        pause = self._graphql_pauses.setdefault(installation_id, RateLimitPause())
        credential = InstallationCredential(self._tokens, TokenScope(installation_id))
        return OrganizationDirectory(self._connect(credential, pause), organization)

    def _read_installation(self, raw: JsonObject) -> InstallationFacts:
        found = parse_installation(raw)
        self._granted.note(found.id, found.permissions)
        return found

    async def _ask_permissions(self, installation_id: int) -> Mapping[str, str]:
        """What an installation was granted. Raises InstallationGone where it was removed."""
        path = "/app/installations/{installation_id}"
        try:
            return await self._app.get(parse_permissions, path, installation_id=installation_id)
        except errors.NotFound as error:
            gone = errors.InstallationGone(error.call, 404, "removed")
        raise gone

    async def _mint(self, scope: TokenScope) -> Minted:
        """Mint a token. Each one names its permissions, so that only those for contents can read them."""
        path = "/app/installations/{installation_id}/access_tokens"
        granted = await self._granted.of(scope.installation_id)
        permissions = {CONTENTS: "read"} if scope.contents else usual_permissions(granted)
        data: dict[str, object] = {"permissions": permissions}
        if scope.repository_ids is not None:
            data["repository_ids"] = sorted(scope.repository_ids)
        try:
            return await self._app.post(_minted, path, data, installation_id=scope.installation_id)
        except errors.NotFound as error:
            gone = errors.InstallationGone(error.call, 404, "removed")
        except errors.Forbidden as error:
            if "suspended" not in (error.detail or "").lower():
                raise
            gone = errors.InstallationGone(error.call, 403, "suspended")
        except errors.Invalid as error:
            if error.status != 422:
                raise
            return await self._mint_again(scope, granted, error)
        raise gone

    async def _mint_again(
        self, scope: TokenScope, granted: Mapping[str, str], error: errors.Invalid
    ) -> Minted:
        """After a 422: mint once more if the permissions were changed meanwhile.

        Otherwise raises NotFound if the token was to be for repositories, which the installation does not have then.
        """
        self._granted.forget(scope.installation_id)
        if await self._granted.of(scope.installation_id) != granted:
            return await self._mint(scope)
        if scope.repository_ids is None or scope.contents:
            raise error
        raise errors.NotFound(error.call, 422, "the installation does not have this repository")

    def deliveries(self) -> AsyncIterator[DeliveryFacts]:
        """GitHub's log of webhook deliveries, the latest attempt first."""
        return self._app.each(parse_delivery, "/app/hook/deliveries?per_page=100")

    async def hook(self) -> HookFacts:
        """The App's webhook."""
        return await self._app.get(parse_hook, "/app/hook/config")

    async def redeliver(self, delivery_id: int) -> None:
        """Make GitHub send a delivery again, with the same guid."""
        path = "/app/hook/deliveries/{delivery_id}/attempts"
        await self._app.post(dict, path, delivery_id=delivery_id)

    async def server(self) -> ServerFacts:
        """Which GitHub this is; cached for an hour. GitHub's docs: only Enterprise Server has `installed_version`."""
        if self._server is None or not 0 <= self._now() - self._server[0] < _SERVER_KEPT:
            self._server = self._now(), await self._fetch_server()
        return self._server[1]

    async def _fetch_server(self) -> ServerFacts:
        known = server_by_host(self.api_url)
        if known is not None:
            return known
        # GitHub does not accept the App's JWT for this call.
        anonymous = self._connect(Anonymous(), RateLimitPause())
        try:
            return ServerFacts(await anonymous.get(_installed_version, "/meta"))
        except (errors.GitHubUnauthorized, errors.Forbidden):
            # GitHub's docs: an Enterprise Server in private mode refuses calls without a login. No other server does.
            return ServerFacts(UNKNOWN_VERSION)

    async def clock_ahead(self) -> float | None:
        """Seconds by which our clock is ahead of GitHub's; None if its answer has no time. Needs no key."""
        call, url = "GET /meta", f"{self.api_url}/meta"
        try:
            _, headers, _ = await send_alone(
                self._session, "GET", url, self.user_agent, timeout=self._timeout
            )
            return clock_ahead(headers, self._now())
        except (aiohttp.ClientError, OSError) as error:
            failure = error_from_exception(call, error)
        raise failure

    async def revoke(self, literal: Literal) -> RevokeResponse:
        """Report a leaked credential, which can't be undone. Returns and raises as `revocation.revoke`."""
        return await revoke(
            self._session, self.api_url, self.user_agent, literal, self._now, timeout=self._timeout
        )


def _with_account(raw: JsonObject) -> InstallationFacts | None:
    try:
        return parse_installation(raw)
    except errors.NoAccount:
        return None


def _minted(raw: JsonObject) -> Minted:
    token, expires_at = text(raw.get("token")), timestamp(raw.get("expires_at"))
    if token is None or expires_at is None:
        raise errors.Malformed("the token has no text or expiry")
    names = {
        number: name
        for item in json_objects(raw.get("repositories"))
        if (number := identifier(item.get("id"))) and (name := text(item.get("full_name")))
    }
    return Minted(Literal(token), expires_at, names)


def _installed_version(raw: JsonObject) -> str | None:
    return text(raw.get("installed_version"))
