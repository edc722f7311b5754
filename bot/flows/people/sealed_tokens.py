"""Encrypts a person's GitHub tokens for the database, and deletes at GitHub those that are dropped."""

import base64
from dataclasses import dataclass

import structlog

from bot.context import Context
from bot.job_rows import new_job
from bot.people_job_kinds import DeleteTokens
from integrations.github.oauth import PERSON_REFUSED, OAuthRefused, UserTokens
from integrations.literal import Literal
from storage.encryption import Keyring, Undecryptable, token_context
from storage.records import GitHubId, NewJob, Sealed, SlackTeamId, SlackUserId, StoredTokens

log = structlog.get_logger(__name__)
_KEY_ID = 8
"""Characters of a key's id."""


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whose tokens they are: the associated data of the encryption, so that a copy in another row is worthless."""

    team: SlackTeamId
    user: SlackUserId
    account: GitHubId
    pending: bool = False
    """The code was not typed yet: the ciphertext is worthless as that of a finished sign-in."""

    def context(self, field: str) -> bytes:
        """The associated data of one field."""
        name = f"pending_{field}" if self.pending else field
        return token_context(self.team, self.user, self.account, name)


def seal(keyring: Keyring, owner: TokenOwner, tokens: UserTokens) -> StoredTokens:
    """Encrypt both tokens with the first key."""
    access = keyring.encrypt(tokens.access.reveal().encode(), owner.context("access"))
    refresh = None
    if tokens.refresh is not None:
        refresh = keyring.encrypt(tokens.refresh.reveal().encode(), owner.context("refresh")).ciphertext
    return StoredTokens(access.key_id, access.ciphertext, refresh, tokens.access_until, tokens.refresh_until)


def unseal(keyring: Keyring, owner: TokenOwner, stored: StoredTokens) -> UserTokens:
    """Decrypt both tokens; raises Undecryptable."""

    def decrypt(ciphertext: bytes, field: str) -> Literal:
        return Literal(keyring.decrypt(Sealed(stored.key_id, ciphertext), owner.context(field)).decode())

    refresh = None if stored.refresh is None else decrypt(stored.refresh, "refresh")
    return UserTokens(decrypt(stored.access, "access"), stored.access_until, refresh, stored.refresh_until)


def seal_verifier(keyring: Keyring, state_hash: str, verifier: Literal) -> bytes:
    """Encrypt the PKCE verifier of a page; the key's id stands before the ciphertext."""
    sealed = keyring.encrypt(verifier.reveal().encode(), _verifier_context(state_hash))
    return sealed.key_id.encode() + sealed.ciphertext


def unseal_verifier(keyring: Keyring, state_hash: str, stored: bytes) -> Literal:
    """Decrypt it; raises Undecryptable."""
    sealed = Sealed(stored[:_KEY_ID].decode(errors="replace"), stored[_KEY_ID:])
    return Literal(keyring.decrypt(sealed, _verifier_context(state_hash)).decode())


def _verifier_context(state_hash: str) -> bytes:
    return f"code_verifier {state_hash}".encode()


def deletion(owner: TokenOwner, stored: StoredTokens) -> NewJob:
    """The job that deletes dropped tokens at GitHub. Enqueue it in the transaction that drops them."""
    return new_job(
        DeleteTokens(
            owner.team,
            owner.user,
            owner.account,
            owner.pending,
            stored.key_id,
            base64.b64encode(stored.access).decode(),
            None if stored.refresh is None else base64.b64encode(stored.refresh).decode(),
            stored.access_until,
            stored.refresh_until,
        )
    )


def to_delete(todo: DeleteTokens) -> tuple[TokenOwner, StoredTokens]:
    """The tokens of such a job, and whose they are."""
    refresh = None if todo.refresh is None else base64.b64decode(todo.refresh)
    access = base64.b64decode(todo.access)
    owner = TokenOwner(todo.slack_team, todo.slack_user, todo.account, todo.pending)
    return owner, StoredTokens(todo.key_id, access, refresh, todo.access_until, todo.refresh_until)


async def delete_tokens(context: Context, todo: DeleteTokens) -> None:
    """Delete the token at GitHub, and no other of that person; the authorization stays. Raises GitHubError."""
    if context.oauth is None or context.keyring is None:
        log.warning("token_not_deleted", reason="sign-in or the keys are no longer configured")
        return
    try:
        tokens = unseal(context.keyring, *to_delete(todo))
    except Undecryptable as error:
        log.warning("token_not_deleted", reason=str(error))
        return
    alive = await _alive(context, tokens)
    if alive is not None:
        await context.oauth.delete_token(alive)


async def _alive(context: Context, tokens: UserTokens) -> Literal | None:
    """The access token, or a new one where it has expired; None if the refresh token is dead too.

    GitHub deletes no expired token, and its refresh token would live on.
    """
    expired = tokens.access_until is not None and tokens.access_until <= context.clock.now()
    if not expired or tokens.refresh is None or context.oauth is None:
        return tokens.access
    try:
        return (await context.oauth.refresh(tokens.refresh)).access
    except OAuthRefused as refused:
        if refused.reason in PERSON_REFUSED:
            return None
        raise
