"""Who Stanch is to GitHub: the App by its key, and its installations by short-lived tokens."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrations.literal import Literal

_CLOCK_SKEW = 60
_JWT_LIFE = 9 * 60
_RENEW_BEFORE = 5 * 60
"""Seconds before its end from which a JWT or a token is not used any more."""

Scope: TypeAlias = "tuple[int, frozenset[int] | None]"
"""An installation, and the repositories a token is narrowed to; None for all it has."""


def _load(pem: str) -> RSAPrivateKey:
    try:
        # Whether its numbers belong together takes 30 ms to find out; a key that doesn't fit, GitHub refuses.
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # Raised outside the handler: what the parser says of a key is nobody's business.
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA private key in PEM")
    return key


class AppKey:
    """The App itself, as a credential: a JWT signed with its private key."""

    __slots__ = ("_app_id", "_jwt", "_key", "_made_at", "_now", "_renew_at")

    def __init__(self, app_id: str, private_key: str, now: Callable[[], float]) -> None:
        """Raises ValueError where the key is none."""
        self._app_id = app_id
        self._key = _load(private_key)
        self._now = now
        self._jwt = Literal("")
        self._made_at = self._renew_at = 0.0

    async def token(self) -> Literal:
        """A JWT for now. GitHub's docs: RS256, issued 60 s in the past, at most 10 minutes ahead."""
        now = self._now()
        # A clock that was set back would keep one that GitHub takes to be from the future.
        if not self._made_at <= now < self._renew_at:
            issued = int(now) - _CLOCK_SKEW
            claims = {"iat": issued, "exp": issued + _JWT_LIFE, "iss": self._app_id}
            self._jwt = Literal(jwt.encode(claims, self._key, algorithm="RS256"))
            self._made_at, self._renew_at = now, issued + _JWT_LIFE - _RENEW_BEFORE
        return self._jwt

    def refuse(self, token: Literal | None) -> bool:
        """A new JWT of the same key would be refused as well."""
        return False


@dataclass(frozen=True, slots=True)
class Minted:
    """An installation token and its end in Unix seconds."""

    token: Literal
    expires_at: float


@dataclass(slots=True)
class InstallationTokens:
    """Installation tokens by scope, in memory alone, each minted once however many ask for it."""

    mint: Callable[[int, frozenset[int] | None], Awaitable[Minted]]
    """`POST /app/installations/{installation_id}/access_tokens`; raises GitHubError."""
    now: Callable[[], float]
    _kept: dict[Scope, Minted] = field(default_factory=dict, repr=False)
    _minting: "dict[Scope, asyncio.Task[Minted]]" = field(default_factory=dict, repr=False)

    async def get(self, scope: Scope) -> Literal:
        """The token of this scope, minted if there is none with five minutes left. Raises GitHubError."""
        kept = self._kept.get(scope)
        if kept is not None and self._usable(kept):
            return kept.token
        task = self._minting.get(scope)
        if task is None:
            task = self._minting[scope] = asyncio.create_task(self._mint(scope))
            task.add_done_callback(lambda done: self._minted(scope, done))
        # Shielded: a caller that gives up must not take the token away from the others who wait for it.
        return (await asyncio.shield(task)).token

    def drop(self, scope: Scope, token: Literal | None) -> None:
        """Forget a token that GitHub refused, unless a newer one has taken its place."""
        kept = self._kept.get(scope)
        if kept is not None and kept.token is token:
            del self._kept[scope]

    async def _mint(self, scope: Scope) -> Minted:
        return await self.mint(*scope)

    def _minted(self, scope: Scope, task: "asyncio.Task[Minted]") -> None:
        self._minting.pop(scope, None)
        if not task.cancelled() and task.exception() is None:
            self._kept = {key: kept for key, kept in self._kept.items() if self._usable(kept)}
            self._kept[scope] = task.result()

    def _usable(self, minted: Minted) -> bool:
        return self.now() < minted.expires_at - _RENEW_BEFORE


class InstallationCredential:
    """One installation as a credential, for all its repositories or for some."""

    __slots__ = ("_scope", "_tokens")

    def __init__(
        self, tokens: InstallationTokens, installation_id: int, repository_ids: Iterable[int] | None = None
    ) -> None:
        self._tokens = tokens
        self._scope: Scope = (installation_id, None if repository_ids is None else frozenset(repository_ids))

    async def token(self) -> Literal:
        """A token with some life left; raises GitHubError where GitHub gives none."""
        return await self._tokens.get(self._scope)

    def refuse(self, token: Literal | None) -> bool:
        """A token may have been revoked before its time: drop it and try once with a new one."""
        self._tokens.drop(self._scope, token)
        return True
