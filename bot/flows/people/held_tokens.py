"""Finds out whether a leaked token is one that Stanch itself holds for a person who signed in."""

import structlog

from bot.context import Context
from bot.flows.people.sealed_tokens import TokenOwner, unseal
from integrations.github.errors import GitHubError
from integrations.github.repository import RepositoryAccess
from integrations.github.token_format import decode
from integrations.literal import Literal
from storage import sign_ins
from storage.encryption import Keyring, Undecryptable
from storage.records import Alert, Person, SignIn

log = structlog.get_logger(__name__)
HELD_TYPES = frozenset({"github_app_user_access_token", "github_refresh_token"})
"""GitHub's secret types of the tokens that a sign-in gives."""
AT_ONCE = 200
"""Sign-ins that are loaded at once."""


async def holder_of(
    context: Context, access: RepositoryAccess, full_name: str, alert: Alert
) -> Person | None:
    """The person for whom Stanch holds the alert's token; None if it holds no such token, or GitHub does not tell.

    The secret is fetched only for the types of token that Stanch holds, compared in memory and dropped.
    """
    if context.keyring is None or alert.secret_type not in HELD_TYPES:
        return None
    try:
        literal = decode(await access.literal(full_name, alert.key.number), alert.base64_encoded)
    except GitHubError as error:
        log.warning("holder_not_known", alert=str(alert.key), reason=str(error))
        return None
    after = ("", "")
    while literal is not None:
        async with context.db.read() as tx:
            found = await sign_ins.with_tokens(tx, after, AT_ONCE)
        for stored in found:
            if _holds(context.keyring, stored, literal):
                return Person(stored.slack_team, stored.slack_user, stored.github)
        if len(found) < AT_ONCE:
            break
        after = (found[-1].slack_team, found[-1].slack_user)
    return None


def _holds(keyring: Keyring, stored: SignIn, literal: Literal) -> bool:
    if stored.tokens is None:
        return False
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    try:
        tokens = unseal(keyring, owner, stored.tokens)
    except Undecryptable:
        return False
    return tokens.access.matches(literal) or (tokens.refresh is not None and tokens.refresh.matches(literal))
