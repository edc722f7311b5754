"""An organization's roles and their holders for look-ups, kept for all people so that GitHub is asked seldom."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.context import Context
from bot.rules.rights import ROLE_PERMISSIONS, is_security_manager
from integrations.github.errors import Forbidden, Invalid, NotFound
from integrations.github.installation import InstallationClient
from storage import saved_values
from storage.db import Tx
from storage.records import Account, GitHubId, Installation, StoredJson, UnixTime

ROLES_LAST = 3600.0
"""Seconds for which the lists of roles are used again; a sync renews them."""
HOLDERS_LAST = 300.0
"""Seconds for which the list of a role's holders is used again, and a refusal to list something."""
RENEW_AFTER = 600.0
"""Seconds after which a sync renews the lists of roles."""
_NAME = "organization_roles:{}"


async def forget(tx: Tx, owner_id: GitHubId) -> None:
    """Drop what is kept about an organization."""
    await saved_values.drop(tx, _NAME.format(owner_id))


async def renew(context: Context, installation: Installation) -> None:
    """Ask for the lists of an organization's roles before a look-up needs them; raises GitHubError."""
    if installation.account_type == "Organization":
        kept = await load(context, context.github.of(installation.id), installation.account)
        await kept.renew()
        async with context.db.begin() as tx:
            await kept.save(tx)


async def load(context: Context, client: InstallationClient, owner: Account) -> "OrganizationRoles":
    """What is kept about an organization; `client` asks for the rest."""
    async with context.db.read() as tx:
        kept = await saved_values.load(tx, _NAME.format(owner.id))
    return OrganizationRoles(client, owner, context.clock.now(), kept if isinstance(kept, dict) else {})


@dataclass(slots=True)
class OrganizationRoles:
    """The roles of an organization during one look-up. Methods raise GitHubError.

    GitHub may refuse a list to the App, for lack of a permission or in a plan without custom roles. Then nobody has
    rights by it, and `not_asked` names it.
    """

    client: InstallationClient
    owner: Account
    now: UnixTime
    kept: dict[str, Any]
    """By name: what GitHub listed, or None where it refused, and when."""
    not_asked: set[str] = field(default_factory=set)
    oldest: UnixTime | None = None
    """When the oldest list of holders that was used came from GitHub."""
    _is_changed: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def is_manager(self, person: GitHubId) -> bool:
        """Whether the person is a security manager, of the organization or of its enterprise."""
        for role in await self._roles():
            is_manager = is_security_manager(role["name"], role["source"])
            if is_manager and person in await self._holders(role["id"]):
                return True
        return False

    async def granted(self, person: GitHubId) -> frozenset[str]:
        """The permissions that matter here and that the person has by other roles of the organization."""
        granted: set[str] = set()
        for role in await self._roles():
            permissions = ROLE_PERMISSIONS & set(role["permissions"])
            if permissions and person in await self._holders(role["id"]):
                granted |= permissions
        return frozenset(granted)

    async def granted_in_repository(self, role_name: str) -> frozenset[str]:
        """The permissions that matter here and that a custom repository role gives."""
        return ROLE_PERMISSIONS & set((await self._custom_roles()).get(role_name, ()))

    async def renew(self) -> None:
        """Ask for the lists of roles again, unless they are from the last minutes."""
        await self._roles(lasts=RENEW_AFTER)
        await self._custom_roles(lasts=RENEW_AFTER)

    async def save(self, tx: Tx) -> None:
        """Keep what GitHub answered."""
        if self._is_changed:
            await saved_values.save(tx, _NAME.format(self.owner.id), self.kept)

    async def _roles(self, *, lasts: float = ROLES_LAST) -> list[dict[str, Any]]:
        """The roles that give rights on alerts."""

        async def ask() -> StoredJson:
            return [
                {"id": one.id, "name": one.name, "source": one.source, "permissions": list(one.permissions)}
                for one in await self.client.organization_roles(self.owner.login)
                if is_security_manager(one.name, one.source) or ROLE_PERMISSIONS & set(one.permissions)
            ]

        roles: list[dict[str, Any]] | None = await self._list("organization_roles", lasts, ask)
        return roles or []

    async def _custom_roles(self, *, lasts: float = ROLES_LAST) -> dict[str, list[str]]:
        """The permissions of each custom repository role."""

        async def ask() -> StoredJson:
            listed = await self.client.custom_repository_roles(self.owner.login)
            return {one.name: list(one.permissions) for one in listed}

        roles: dict[str, list[str]] | None = await self._list("custom_roles", lasts, ask)
        return roles or {}

    async def _holders(self, role_id: int) -> frozenset[int]:
        async def ask() -> StoredJson:
            return sorted(await self.client.organization_role_holders(self.owner.login, role_id))

        key = f"holders:{role_id}"
        people: list[int] | None = await self._list(key, HOLDERS_LAST, ask)
        asked_at: UnixTime = self.kept[key]["at"]
        self.oldest = asked_at if self.oldest is None else min(asked_at, self.oldest)
        return frozenset(people or ())

    async def _list(self, name: str, lasts: float, ask: Callable[[], Awaitable[StoredJson]]) -> Any:
        """What GitHub lists, or listed at most `lasts` seconds ago; None where it refuses."""
        async with self._lock:
            if not self._is_kept(name, lasts):
                try:
                    value = await ask()
                except (Forbidden, NotFound, Invalid):
                    value = None
                self.kept[name] = {"at": self.now, "value": value}
                self._is_changed = True
        value = self.kept[name]["value"]
        if value is None:
            self.not_asked.add(name if name == "custom_roles" else "organization_roles")
        return value

    def _is_kept(self, name: str, lasts: float) -> bool:
        known = self.kept.get(name)
        if known is None:
            return False
        at: UnixTime = known["at"]
        return 0 <= self.now - at < (HOLDERS_LAST if known["value"] is None else lasts)
