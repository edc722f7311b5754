"""People's tokens of the App: codes, access and refresh tokens, authorizations, as GitHub gives and ends them."""

from __future__ import annotations

import base64
import hashlib
import secrets

from integrations.sandbox.github.records import (
    GitHubUser,
    LiveToken,
    TokenKind,
)
from integrations.sandbox.github.secret_types import make_literal
from integrations.sandbox.github.sign_in_records import Authorization, AuthorizationCode, UserTokenPair
from integrations.sandbox.github.webhooks import Webhooks
from integrations.sandbox.github.world import GitHubChange, GitHubWorld

CODE_SECONDS = 600
ACCESS_SECONDS = 28_800
REFRESH_SECONDS = 15_811_200
"""GitHub's docs: a code lives 10 minutes, a user token 8 hours, a refresh token about 6 months."""


class TokensOfUsers:
    """Issues, refreshes and ends the tokens with which the App acts for people."""

    def __init__(self, world: GitHubWorld, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def authorize(self, user: GitHubUser) -> Authorization:
        """The person presses *Authorize*; later tokens have the single sign-on sessions of this moment."""
        authorization = self._world.authorizations.setdefault(user.id, Authorization(user))
        authorization.sso_organizations = frozenset(user.sso_sessions)
        self._world.publish(GitHubChange("authorization.given", self._world.now(), user.login))
        return authorization

    def issue_code(
        self, authorization: Authorization, redirect_uri: str, code_challenge: str | None
    ) -> AuthorizationCode:
        """A code for the callback."""
        code = AuthorizationCode(
            secrets.token_hex(10),
            authorization,
            redirect_uri,
            code_challenge,
            self._world.now() + CODE_SECONDS,
        )
        self._world.codes[code.literal] = code
        return code

    def take_code(self, literal: str) -> AuthorizationCode | None:
        """The code, which can't be used again; `None` if unknown, used or too old."""
        code = self._world.codes.pop(literal, None)
        return code if code is not None and self._world.now() < code.expires_at else None

    def issue(self, authorization: Authorization) -> UserTokenPair:
        """A new access token, with a refresh token if the App's user tokens expire."""
        expires = self._world.user_tokens_expire
        pair = UserTokenPair(
            self._token("app_user", authorization, ACCESS_SECONDS if expires else None),
            self._token("refresh", authorization, REFRESH_SECONDS) if expires else None,
        )
        authorization.pairs.append(pair)
        return pair

    def refresh(self, literal: str) -> UserTokenPair | None:
        """A new pair for a refresh token; both old tokens end at once. `None` if it is not accepted."""
        token = self._world.live_tokens.get(literal)
        if token is None or token.kind != "refresh" or not token.is_valid(self._world.now()):
            return None
        for authorization in self._world.authorizations.values():
            for pair in authorization.pairs:
                if pair.refresh is token:
                    self._end(pair)
                    return self.issue(authorization)
        return None

    def delete(self, literal: str) -> bool:
        """End one access token and its refresh token; the authorization stays. False if it is unknown."""
        token = self._world.live_tokens.get(literal)
        if token is None or token.kind != "app_user" or not token.is_valid(self._world.now()):
            return False
        for authorization in self._world.authorizations.values():
            for pair in authorization.pairs:
                if pair.access is token:
                    self._end(pair)
                    return True
        return False

    def revoke_authorization(self, user: GitHubUser) -> None:
        """The person removes the App in GitHub's settings (→ github_app_authorization.revoked)."""
        authorization = self._world.authorizations.pop(user.id)
        for pair in authorization.pairs:
            self._end(pair)
        self._world.publish(GitHubChange("github_app_authorization.revoked", self._world.now(), user.login))
        self._webhooks.send_revoked_authorization(user)

    def _token(self, kind: TokenKind, authorization: Authorization, seconds: int | None) -> LiveToken:
        literal = make_literal(kind, secrets.token_hex(16))
        expires_at = None if seconds is None else self._world.now() + seconds
        token = LiveToken(
            literal,
            authorization.user,
            kind,
            (),
            expires_at,
            sso_organizations=authorization.sso_organizations,
        )
        self._world.live_tokens[literal] = token
        return token

    def _end(self, pair: UserTokenPair) -> None:
        for token in (pair.access, pair.refresh):
            if token is not None and token.is_valid(self._world.now()):
                token.revoked_at = self._world.now()


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256: the code challenge that belongs to a code verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
