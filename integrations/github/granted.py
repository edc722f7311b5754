"""What each installation of the App was granted, by GitHub's last answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

KEPT = 3600.0
"""Seconds for which an answer is used again; as long as an installation token lives."""
CONTENTS = "contents"
"""The permission to read repositories' contents. Only tokens that read a commit have it."""
NEEDED = {
    "metadata": "read",
    "secret_scanning_alerts": "write",
    "members": "read",
    "organization_custom_org_roles": "read",
    "organization_custom_roles": "read",
    "organization_administration": "read",
    "administration": "read",
}
"""The most that all other tokens may do; each gets of this what was granted."""


@dataclass(slots=True)
class GrantedPermissions:
    """The granted permissions by installation; GitHub is asked where they are not known."""

    ask: Callable[[int], Awaitable[Mapping[str, str]]]
    """`GET /app/installations/{installation_id}`; raises GitHubError."""
    now: Callable[[], float]
    _kept: dict[int, tuple[float, Mapping[str, str]]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def note(self, installation_id: int, permissions: Mapping[str, str]) -> None:
        """Keep what GitHub has just answered."""
        self._kept[installation_id] = self.now(), permissions

    async def of(self, installation_id: int) -> Mapping[str, str]:
        """What an installation was granted. Raises GitHubError."""
        async with self._lock:
            at, known = self._kept.get(installation_id, (0.0, None))
            if known is None or not 0 <= self.now() - at < KEPT:
                known = await self.ask(installation_id)
                self.note(installation_id, known)
            return known

    def forget(self, installation_id: int) -> None:
        """Ask GitHub again the next time."""
        self._kept.pop(installation_id, None)


def usual_permissions(granted: Mapping[str, str]) -> dict[str, str]:
    """The permissions of a token for everything but contents. GitHub refuses a token with more than was granted."""
    held = {name: granted[name] for name in NEEDED if name in granted}
    least = {name: "read" if NEEDED[name] == "read" else level for name, level in held.items()}
    # Never empty: GitHub would then mint a token with all that was granted.
    return {"metadata": "read", **least}
