"""Identifies the caller: the App by its JWT, an installation, or the owner of a (leaked) token."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable, Mapping

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.sandbox.github.calls import Principal, Refusal
from integrations.sandbox.github.records import GitHubInstallation, InstallationToken, LiveToken
from integrations.sandbox.github.world import GitHubWorld

TOKEN_SECONDS = 3600
JWT_SECONDS = 600
IP_REFUSAL = (
    "Although you appear to have the correct authorization credentials, the organization has an IP allow "
    "list enabled, and your IP address is not permitted to access this resource."
)


def generate_private_key() -> str:
    """A new RSA key as PEM; generating is slow, so share one among sandboxes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def public_key_of(private_key: str) -> rsa.RSAPublicKey:
    """The public key that belongs to an App's private key."""
    # Our own key: validating it again would cost 30 ms per test.
    key = serialization.load_pem_private_key(private_key.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


def mint_token(
    world: GitHubWorld,
    installation: GitHubInstallation,
    permissions: Mapping[str, str],
    repository_ids: tuple[int, ...] | None,
) -> InstallationToken:
    """A `ghs_` token that is valid for an hour; GitHub's docs: its length may change."""
    literal = "ghs_" + secrets.token_hex(18)
    token = InstallationToken(
        literal, installation, dict(permissions), repository_ids, world.now() + TOKEN_SECONDS
    )
    world.minted[literal] = token
    return token


class Authenticator:
    """Checks Authorization headers against the world and the Apps' public keys."""

    def __init__(self, world: GitHubWorld) -> None:
        self._world = world

    def authenticate(self, header: str | None, user_agent: str | None) -> Principal:
        """The caller; `Refusal` 401 for credentials that GitHub rejects."""
        if not header:
            return Principal()
        scheme, _, credential = header.partition(" ")
        if scheme.lower() == "basic":
            return self._client(credential)
        if scheme.lower() not in ("bearer", "token") or not credential:
            raise Refusal(401, "Bad credentials")
        if credential.count(".") == 2 and not credential.startswith("ghs_"):
            if scheme.lower() != "bearer":
                raise Refusal(401, "A JSON web token could not be decoded")
            return self._app(credential)
        minted = self._world.minted.get(credential)
        if minted is not None:
            return self._installation(minted)
        live = self._world.live_tokens.get(credential)
        if live is None or live.kind == "refresh" or not live.is_valid(self._world.now()):
            raise Refusal(401, "Bad credentials")
        return self._leaked(live, user_agent)

    def _client(self, credential: str) -> Principal:
        """GitHub's docs: endpoints for an App's own tokens take its client id and secret by Basic authentication."""
        expected = f"{self._world.client_id}:{self._world.client_secret}".encode()
        if not hmac.compare_digest(credential.encode(), base64.b64encode(expected)):
            raise Refusal(401, "Bad credentials")
        return Principal("client")

    def _installation(self, token: InstallationToken) -> Principal:
        if token.installation.removed or self._world.now() >= token.expires_at:
            raise Refusal(401, "Bad credentials")
        if token.installation.suspended_at is not None:
            raise Refusal(403, "This installation has been suspended")
        return Principal("installation", token=token)

    def _leaked(self, live: LiveToken, user_agent: str | None) -> Principal:
        live.last_used_at = self._world.now()
        live.last_user_agent = user_agent
        if live.network == "ip_allow_list":
            raise Refusal(403, IP_REFUSAL)
        return Principal("installation" if live.kind == "installation" else "user", live_token=live)

    def _app(self, credential: str) -> Principal:
        """GitHub's docs: RS256, `exp` at most ten minutes ahead, `iss` the client id or the app id."""
        issuer = _issuer(credential)
        app = next(
            (each for each in self._world.apps.values() if str(issuer) in (each.client_id, str(each.id))),
            None,
        )
        claims = _claims(credential, (app or self._world.app).public_keys)
        now = self._world.now()
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int | float) or issued > now:
            raise Refusal(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time of issue",
            )
        if not isinstance(expires, int | float) or expires <= now:
            raise Refusal(
                401, "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            )
        if expires > now + JWT_SECONDS:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        if app is None:
            raise Refusal(401, "'Issuer' claim ('iss') must be the App's client ID or ID")
        return Principal("app", app=app)


def _issuer(credential: str) -> object:
    """The issuer that a JWT names; its signature is not checked."""
    try:
        return jwt.decode(credential, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        raise Refusal(401, "A JSON web token could not be decoded") from None


def _claims(credential: str, keys: Iterable[rsa.RSAPublicKey]) -> Mapping[str, object]:
    """The claims of a JWT that one of the keys signed."""
    for key in keys:
        try:
            decoded: dict[str, object] = jwt.decode(
                credential,
                key,
                algorithms=["RS256"],
                # The times are checked by the sandbox's clock.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_iss": False},
            )
        except jwt.InvalidTokenError:
            continue
        return decoded
    raise Refusal(401, "A JSON web token could not be decoded")
