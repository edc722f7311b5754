"""GitHub's OAuth endpoints: where a person signs in, and how their token is made, renewed and deleted.

GitHub's docs: "Generating a user access token for a GitHub App" and "Refreshing user access tokens".
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from integrations.github import errors
from integrations.github.client import ACCEPT, API_VERSION
from integrations.github.json_fields import decode_object, identifier, text
from integrations.github.responses import (
    RawResponse,
    clean_message,
    error_from_exception,
    error_from_response,
    message_of,
)
from integrations.json_types import JsonObject
from integrations.literal import Literal

_EXCHANGE = "/login/oauth/access_token"
_TOKEN = "/applications/{client_id}/token"  # noqa: S105 - It is a path.
NO_TOKEN = "no-token"  # noqa: S105 - It is none.
"""What is sent in place of a token, only to see whether GitHub takes the client's secret."""
_ERROR_WORD = re.compile(r"[a-z_]{1,60}")
PERSON_REFUSED = frozenset({"bad_refresh_token", "unverified_user_email"})
"""Errors of a refresh that concern this person's token. Others concern the App, as `incorrect_client_credentials`."""


class OAuthRefused(errors.GitHubError):
    """GitHub refused to give a token: `reason` is its word, as `bad_verification_code`, `detail` its sentence."""

    def __init__(self, call: str, reason: str, description: str) -> None:
        # GitHub's docs: these errors come with the status 200.
        super().__init__(call, 200, f"{reason} ({description})" if description else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class UserTokens:
    """A person's tokens. Times are Unix seconds; without an expiry GitHub gives no refresh token either."""

    access: Literal
    access_until: float | None = None
    refresh: Literal | None = None
    refresh_until: float | None = None


def new_verifier() -> Literal:
    """A fresh PKCE `code_verifier`: 43 characters, 256 bits (RFC 7636)."""
    return Literal(secrets.token_urlsafe(32))


def challenge_of(verifier: Literal) -> str:
    """The PKCE `code_challenge` of a verifier, by the method S256."""
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """The OAuth endpoints for one GitHub App. Methods raise GitHubError.

    No error holds a code, a verifier, a token or the client secret. Redirects are not followed.
    """

    session: aiohttp.ClientSession
    """Without credentials and cookies."""
    url: str
    """GitHub's website, without a slash at the end."""
    api_url: str
    client_id: str
    client_secret: Literal
    user_agent: str
    now: Callable[[], float]
    timeout: float = 10.0
    """Seconds for one call."""

    def authorize_url(
        self, *, state: str, redirect_uri: str, challenge: str | None = None, login: str | None = None
    ) -> str:
        """The address where a person signs in; GitHub then opens `redirect_uri` with a code and `state`.

        `challenge` is that of PKCE; None for a server that does not know it. `login` is filled in as the account.
        """
        query = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "allow_signup": "false",
        }
        if challenge is not None:
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        if login is not None:
            query["login"] = login
        return f"{self.url}/login/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: Literal, *, redirect_uri: str, verifier: Literal | None) -> UserTokens:
        """Change a sign-in's code for tokens, which works once. Raises OAuthRefused."""
        sent = {"code": code, "code_verifier": verifier}
        return await self._tokens(sent, {"redirect_uri": redirect_uri})

    async def refresh(self, refresh_token: Literal) -> UserTokens:
        """Get new tokens. GitHub's docs: the old access and refresh token are invalid from then on.

        Raises OAuthRefused. If the answer is lost, the old tokens may be invalid, and nobody has the new ones.
        """
        return await self._tokens({"refresh_token": refresh_token}, {"grant_type": "refresh_token"})

    async def delete_token(self, access: Literal) -> None:
        """Delete a token, and no other token of the person. It is no error if GitHub does not know it any more."""
        # GitHub's description has 204 and 422, the latter for what is no token of this App.
        await self._ask_about("DELETE", access, (204, 404, 422))

    async def is_secret_accepted(self) -> bool:
        """Whether client id and secret belong together: GitHub is asked about a token that does not exist.

        GitHub's docs: it answers 404 to that, and changes nothing.
        """
        try:
            await self._ask_about("POST", Literal(NO_TOKEN), (200, 404, 422))
        except errors.GitHubUnauthorized:
            return False
        return True

    async def _ask_about(self, method: str, access: Literal, expected: tuple[int, ...]) -> None:
        """Send a token with our client id and secret; raises the error for any other status."""
        path = _TOKEN.format(client_id=self.client_id)
        call = f"{method} {_TOKEN}"
        status, received, body = await self._send(
            call,
            method,
            f"{self.api_url}{path}",
            {"Accept": ACCEPT, "X-GitHub-Api-Version": API_VERSION}
            | {"Authorization": aiohttp.encode_basic_auth(self.client_id, self.client_secret.reveal())},
            json={"access_token": access.reveal()},
        )
        if status not in expected:
            hidden = {"access_token": access, "client_secret": self.client_secret}
            failure = error_from_response(
                call, status, received, _without(hidden, message_of(body)), self.now()
            )
            del body, received  # The error's traceback must not hold the response.
            raise failure

    async def _tokens(
        self, secret_fields: Mapping[str, Literal | None], fields: dict[str, str]
    ) -> UserTokens:
        call, asked_at = f"POST {_EXCHANGE}", self.now()
        hidden = {name: value for name, value in secret_fields.items() if value is not None}
        hidden |= {"client_secret": self.client_secret}
        # The body has no name here, so that no frame of ours holds the secrets.
        status, headers, body = await self._send(
            call,
            "POST",
            f"{self.url}{_EXCHANGE}",
            {"Accept": "application/json"},
            data={"client_id": self.client_id}
            | fields
            | {name: value.reveal() for name, value in hidden.items()},
        )
        if status != 200:
            failure: errors.GitHubError = error_from_response(
                call, status, headers, _without(hidden, message_of(body)), self.now()
            )
        else:
            tokens, failure = _read(call, asked_at, hidden, decode_object(body))
            if tokens is not None:
                return tokens
        del body, headers  # The error's traceback must not hold the response.
        raise failure

    async def _send(
        self,
        call: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        json: object = None,
        data: Mapping[str, str] | None = None,
    ) -> RawResponse:
        try:
            async with self.session.request(
                method,
                url,
                headers={"User-Agent": self.user_agent} | dict(headers),
                json=json,
                data=data,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            ) as response:
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            failure = error_from_exception(call, error)
        del json, data, headers
        # Raised outside the handler: the error's context would lead to frames that hold secrets.
        raise failure


def _read(
    call: str, asked_at: float, hidden: Mapping[str, Literal], answer: JsonObject | None
) -> tuple[UserTokens | None, errors.GitHubError]:
    """The tokens in an answer with the status 200, or None; and the error to raise without tokens."""
    unusable = errors.Unavailable(call, 200, "the answer is not what GitHub describes")
    if answer is None:
        return None, unusable
    word = text(answer.get("error"))
    if word is not None:
        description = _without(hidden, clean_message(text(answer.get("error_description")) or ""))
        return None, OAuthRefused(call, word if _ERROR_WORD.fullmatch(word) else "unknown_error", description)
    access, refresh = text(answer.get("access_token")), text(answer.get("refresh_token"))
    if access is None or (text(answer.get("token_type")) or "").lower() != "bearer":
        return None, unusable

    def until(name: str) -> float | None:
        seconds = identifier(answer.get(name))
        return None if seconds is None else asked_at + seconds

    tokens = UserTokens(
        Literal(access),
        until("expires_in"),
        Literal(refresh) if refresh else None,
        until("refresh_token_expires_in") if refresh else None,
    )
    return tokens, unusable


def _without(hidden: Mapping[str, Literal], message: str) -> str:
    """The message without what we sent, should GitHub or a proxy quote it."""
    for value in hidden.values():
        message = message.replace(value.reveal(), "[masked]")
    return message
