"""Authenticates to GitHub: as the App by a signed JWT, as an installation by a short-lived token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrations.literal import Literal

_CLOCK_SKEW = 60
_JWT_LIFE = 9 * 60
_RENEW_BEFORE = 5 * 60
"""Seconds; a JWT or token with less time left is replaced."""


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What an installation token gives access to."""

    installation_id: int
    repository_ids: frozenset[int] | None = None
    """The repositories that the token is restricted to; None for all of the installation."""
    contents: bool = False
    """Whether it reads the repositories' contents and nothing else; every other token can't read them."""


def _load(pem: str) -> RSAPrivateKey:
    try:
        # Checking the key's numbers takes 30 ms. GitHub refuses a wrong key anyway.
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # Raised outside the handler: the parser's error may quote the key.
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA private key in PEM")
    return key


class AppKey:
    """The App as a credential: a JWT signed with its private key."""

    __slots__ = ("_app_id", "_jwt", "_key", "_made_at", "_now", "_renew_at")

    def __init__(self, app_id: str, private_key: str, now: Callable[[], float]) -> None:
        """Raises ValueError for a key that is not an RSA key in PEM."""
        self._app_id = app_id
        self._key = _load(private_key)
        self._now = now
        self._jwt = Literal("")
        self._made_at = self._renew_at = 0.0

    async def token(self) -> Literal:
        """Return a valid JWT. GitHub's docs: RS256, `iat` 60 s in the past, `exp` at most 10 minutes ahead."""
        now = self._now()
        # After our clock was set back, the kept JWT would be from the future for GitHub.
        if not self._made_at <= now < self._renew_at:
            issued = int(now) - _CLOCK_SKEW
            claims = {"iat": issued, "exp": issued + _JWT_LIFE, "iss": self._app_id}
            self._jwt = Literal(jwt.encode(claims, self._key, algorithm="RS256"))
            self._made_at, self._renew_at = now, issued + _JWT_LIFE - _RENEW_BEFORE
        return self._jwt

    def on_unauthorized(self, token: Literal | None) -> bool:
        """Return False: GitHub would refuse a new JWT of the same key as well."""
        return False


@dataclass(frozen=True, slots=True)
class Minted:
    """An installation token, and its expiry in Unix seconds."""

    token: Literal
    expires_at: float
    repository_names: Mapping[int, str] = field(default_factory=dict)
    """The full names, by id, of the repositories that the token is restricted to, as of its minting."""


@dataclass(slots=True)
class InstallationTokens:
    """Installation tokens by scope, kept in memory. Simultaneous requests for one scope share one minting."""

    mint: Callable[[TokenScope], Awaitable[Minted]]
    """`POST /app/installations/{installation_id}/access_tokens`; raises GitHubError."""
    now: Callable[[], float]
    _kept: dict[TokenScope, Minted] = field(default_factory=dict, repr=False)
    _minting: "dict[TokenScope, asyncio.Task[Minted]]" = field(default_factory=dict, repr=False)

    async def get(self, scope: TokenScope) -> Literal:
        """Return a token with at least five minutes left, minted if needed. Raises GitHubError."""
        kept = self._kept.get(scope)
        if kept is not None and self._usable(kept):
            return kept.token
        return (await self.renew(scope)).token

    async def renew(self, scope: TokenScope) -> Minted:
        """Mint a token although there may be one, and keep it. Raises GitHubError."""
        task = self._minting.get(scope)
        if task is None:
            task = self._minting[scope] = asyncio.create_task(self._mint(scope))
            task.add_done_callback(lambda done: self._minted(scope, done))
        # Shielded, so that a cancelled caller does not cancel the minting that others wait for.
        return await asyncio.shield(task)

    def drop(self, scope: TokenScope, token: Literal | None) -> None:
        """Delete a token that GitHub refused, unless it was replaced already."""
        kept = self._kept.get(scope)
        if kept is not None and kept.token is token:
            del self._kept[scope]

    async def _mint(self, scope: TokenScope) -> Minted:
        return await self.mint(scope)

    def _minted(self, scope: TokenScope, task: "asyncio.Task[Minted]") -> None:
        self._minting.pop(scope, None)
        if not task.cancelled() and task.exception() is None:
            self._kept = {key: kept for key, kept in self._kept.items() if self._usable(kept)}
            self._kept[scope] = task.result()

    def _usable(self, minted: Minted) -> bool:
        return self.now() < minted.expires_at - _RENEW_BEFORE


class InstallationCredential:
    """An installation as a credential, for all its repositories or for some."""

    __slots__ = ("_scope", "_tokens")

    def __init__(self, tokens: InstallationTokens, scope: TokenScope) -> None:
        self._tokens = tokens
        self._scope = scope

    async def token(self) -> Literal:
        """Return a valid token. Raises GitHubError where GitHub issues none."""
        return await self._tokens.get(self._scope)

    def on_unauthorized(self, token: Literal | None) -> bool:
        """Delete the token, since it may have been revoked early, and return True for a second try."""
        self._tokens.drop(self._scope, token)
        return True
