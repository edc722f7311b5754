"""Gives a person's own GitHub token, lets one process at a time refresh it, and ends it once GitHub refuses it."""

import asyncio
import secrets
from dataclasses import dataclass, replace

import structlog

from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows.people import settle_identity
from bot.flows.people.sealed_tokens import TokenOwner, deletion, seal, unseal
from bot.rules.acting_name import SIGN_IN_NEEDED, ActingName, NoName, acting_name, may_have_token
from bot.views import link_refusals, own_name_refusals
from integrations.github.errors import GitHubError, GitHubUnauthorized
from integrations.github.oauth import PERSON_REFUSED, OAuthRefused, UserTokens
from integrations.literal import Literal
from storage import audit, jobs, sign_ins
from storage.db import Tx
from storage.encryption import Undecryptable
from storage.records import GitHubId, Identity, IdentitySource, SignIn, Suspension, UnixTime

log = structlog.get_logger(__name__)
REFRESH_BEFORE = 300.0
"""Seconds; an access token that lives no longer is refreshed before it is used."""
LEASE = 30.0
"""Seconds for which one process has the refresh; it waits ten seconds for GitHub's answer."""
WAIT = 0.5
"""Seconds until a request looks again whether another process has refreshed the token."""
STOP_WITHIN = 2.0
"""Seconds, of the ten for the whole stop, to wait for refreshes."""
LAG = 60.0
"""Seconds for which GitHub may still accept a token that it has called revoked."""
MOST_LAPSED = 100
"""Sign-ins that are ended in one round of the housekeeping."""


@dataclass(frozen=True, slots=True)
class PersonToken:
    """An access token, and the sign-in that it was read from."""

    access: Literal
    stored: SignIn


async def person_token(
    context: Context, identity: Identity, verb_phrase: str | None = None
) -> PersonToken | None:
    """The person's access token, refreshed if it is about to expire; None where the App acts for them.

    Raises Refused if nobody may act for the person: their sign-in gives no rights any more, or the options require a
    sign-in and there is none. The refusal names the action by `verb_phrase`; a look-up has None, and needs no
    sign-in. Raises RetryLater while another process refreshes the token, and GitHubError if GitHub does not answer to
    a refresh.
    """
    act_as, stored = context.options.github.act_as, None
    if act_as == "user" and verb_phrase is None:
        act_as = "user_or_app"
    if may_have_token(act_as, identity):
        async with context.db.read() as tx:
            stored = await sign_ins.load(tx, identity.slack_team, identity.slack_user)
    name = acting_name(act_as, identity, stored, context.clock.now())
    if isinstance(name, NoName):
        raise _without_name(context, identity, name.reason, verb_phrase or "do this")
    if name is ActingName.APP or stored is None:
        return None
    return await _fresh(context, identity, stored)


async def _fresh(context: Context, identity: Identity, stored: SignIn) -> PersonToken:
    """The access token of a sign-in that has one, refreshed if it is about to expire. Raises as `person_token`."""
    tokens = await _opened(context, identity, stored)
    until = tokens.access_until
    if until is None or context.clock.now() < until - REFRESH_BEFORE:
        return PersonToken(tokens.access, stored)
    # Shielded: GitHub ends the old tokens with its answer, so a request that is given up must not lose the new ones.
    refresh = asyncio.create_task(_refresh(context, identity, stored, tokens))
    context.refreshes.add(refresh)
    refresh.add_done_callback(lambda done: _ended(context, done))
    return await asyncio.shield(refresh)


def _ended(context: Context, refresh: "asyncio.Task[PersonToken]") -> None:
    context.refreshes.discard(refresh)
    if not refresh.cancelled():
        refresh.exception()  # Marks it as retrieved: if nobody waits for it, asyncio would log it.


async def finish_refreshes(context: Context) -> None:
    """At the stop: let refreshes end that no request waits for any more."""
    if context.refreshes:
        await asyncio.wait(context.refreshes, timeout=STOP_WITHIN)


def _without_name(context: Context, identity: Identity, reason: str, verb_phrase: str) -> Refused:
    if reason == SIGN_IN_NEEDED:
        can_sign_in = context.sign_in is not None
        return link_refusals.source_too_weak(reason, verb_phrase, can_sign_in=can_sign_in)
    return ended(context, identity, reason)


async def replaced_token(context: Context, refused: PersonToken) -> bool:
    """After GitHub answered 401 to a token: whether it was replaced meanwhile, so that the new one is worth a try.

    Otherwise the sign-in is suspended. Raises RetryLater while another process refreshes the token.
    """
    stored = refused.stored
    async with context.db.begin() as tx:
        now = await sign_ins.load(tx, stored.slack_team, stored.slack_user)
        if now is None or now.suspension is not None:
            return False
        if now.version != stored.version:
            return True
        if now.refreshing_until is not None and now.refreshing_until > tx.now:
            # GitHub ends the old token some moments before the new one is stored.
            raise _wait(context)
        await _suspend_in(tx, stored, Suspension.TOKEN_REFUSED)
    return False


def ended(context: Context, identity: Identity, why: str) -> Refused:
    """The refusal for a person whose sign-in gives no rights any more; `why` is a `Suspension`."""
    suspended = replace(identity, suspension=why)
    return link_refusals.suspended(suspended, can_sign_in=context.sign_in is not None)


async def end_lapsed(context: Context) -> None:
    """Suspend sign-ins that are older than `link.lasts`, and delete their tokens at GitHub."""
    async with context.db.read() as tx:
        found = await sign_ins.lapsed(tx, MOST_LAPSED)
    for stored in found:
        await _suspend(context, stored, Suspension.LAPSED)


async def end_revoked(context: Context, account: GitHubId, told_at: UnixTime) -> str:
    """After a delivery that this account's authorization of the App was revoked: suspend what GitHub refuses now.

    The delivery names no time, and may be older than the last sign-in. So each token is tried; GitHub may still
    accept it for a moment. A sign-in without a token can't be tried, and is suspended. Returns the outcome's word;
    raises GitHubError and RetryLater.
    """
    async with context.db.read() as tx:
        found = await sign_ins.everywhere_of(tx, account)
    known = [one for one in found if one.suspension is None and one.signed_in_at < told_at]
    revoked = [one for one in known if not await _is_accepted(context, one)]
    async with context.db.begin() as tx:
        for stored in revoked:
            await _suspend_in(tx, stored, Suspension.AUTHORIZATION_REVOKED)
    if len(revoked) < len(known) and context.clock.now() < told_at + LAG:
        raise RetryLater(told_at + LAG, "GitHub still accepts a token whose authorization it calls revoked")
    return "authorization_revoked" if revoked else "authorization_newer" if known else "nobody_signed_in"


async def _is_accepted(context: Context, stored: SignIn) -> bool:
    """Whether GitHub accepts the person's token, or refreshes it. Raises GitHubError and RetryLater."""
    if stored.tokens is None:
        return False
    where, since = (stored.slack_team, stored.slack_user, stored.github), stored.signed_in_at
    identity = Identity(*where, IdentitySource.SIGN_IN.value, since, stored.slack_user)
    try:
        token = await _fresh(context, identity, stored)
        await context.github.as_person(token.access).account()
    except (Refused, GitHubUnauthorized):
        return False
    return True


async def _opened(context: Context, identity: Identity, stored: SignIn) -> UserTokens:
    """The decrypted tokens; raises Refused, and suspends a sign-in whose tokens can't be decrypted."""
    assert stored.tokens is not None
    if context.keyring is None:
        # The setting is missing, which the person can't help: their sign-in counts again once it is back.
        log.error("token_not_usable", reason="STANCH_ENCRYPTION_KEYS is not set")
        raise own_name_refusals.token_not_usable("STANCH_ENCRYPTION_KEYS")
    try:
        return unseal(context.keyring, _owner(stored), stored.tokens)
    except Undecryptable as error:
        log.error("token_undecryptable", user=stored.slack_user, reason=str(error))
    await _suspend(context, stored, Suspension.UNDECRYPTABLE)
    raise ended(context, identity, Suspension.UNDECRYPTABLE)


async def _refresh(context: Context, identity: Identity, stored: SignIn, tokens: UserTokens) -> PersonToken:
    """Refresh the tokens, unless another process does. Both old tokens end at GitHub with its answer.

    If this process dies before it has stored the new ones, the next refresh is refused, and the sign-in suspended.
    """
    if context.oauth is None or context.keyring is None:
        log.error("token_not_usable", reason="GITHUB_APP_CLIENT_SECRET is not set")
        raise own_name_refusals.token_not_usable("GITHUB_APP_CLIENT_SECRET")
    process = secrets.token_hex(8)
    async with context.db.begin() as tx:
        has_claim = await sign_ins.begin_refresh(tx, stored, process, tx.now + LEASE)
    if not has_claim:
        raise _wait(context)
    new, refused = None, tokens.refresh is None
    try:
        if tokens.refresh is not None:
            new = await context.oauth.refresh(tokens.refresh)
    except OAuthRefused as error:
        refused = error.reason in PERSON_REFUSED
        log.warning("token_not_refreshed", user=stored.slack_user, reason=str(error))
        if not refused:
            await _give_up_claim(context, stored, process)
            raise
    except GitHubError:
        await _give_up_claim(context, stored, process)
        raise
    if new is None:
        if await _suspend(context, stored, Suspension.TOKEN_REFUSED, process=process):
            raise ended(context, identity, Suspension.TOKEN_REFUSED)
        raise _wait(context)
    return await _store(context, stored, new)


async def _store(context: Context, stored: SignIn, new: UserTokens) -> PersonToken:
    """Store the new tokens; if the sign-in has changed meanwhile, delete them at GitHub."""
    assert context.keyring is not None
    sealed = seal(context.keyring, _owner(stored), new)
    async with context.db.begin() as tx:
        is_stored = await sign_ins.replace_tokens(tx, stored, sealed)
        now = await sign_ins.load(tx, stored.slack_team, stored.slack_user)
        if not is_stored:
            await jobs.enqueue(tx, deletion(_owner(stored), sealed))
    if not is_stored or now is None:
        raise _wait(context)
    log.info("token_refreshed", user=stored.slack_user)
    return PersonToken(new.access, now)


async def _give_up_claim(context: Context, stored: SignIn, process: str) -> None:
    async with context.db.begin() as tx:
        await sign_ins.end_refresh(tx, stored, process)


async def _suspend(context: Context, stored: SignIn, why: Suspension, *, process: str | None = None) -> bool:
    async with context.db.begin() as tx:
        return await _suspend_in(tx, stored, why, process=process)


async def _suspend_in(tx: Tx, stored: SignIn, why: Suspension, *, process: str | None = None) -> bool:
    """Drop the tokens and suspend the sign-in; those concerned are told. False if it has changed meanwhile."""
    # `settle` takes this lock before it changes the sign-ins of others. In another order two could block each other.
    await audit.lock(tx)
    if not await sign_ins.suspend(tx, stored, why, process=process):
        return False
    if why is Suspension.LAPSED and stored.tokens is not None:
        # In the other cases GitHub does not accept them any more, or nobody can read them.
        await jobs.enqueue(tx, deletion(_owner(stored), stored.tokens))
    await settle_identity.settle(
        tx, stored.slack_team, users=[stored.slack_user], accounts=[stored.github.id], by="github"
    )
    log.warning("sign_in_suspended", user=stored.slack_user, github_id=stored.github.id, reason=why.value)
    return True


def _owner(stored: SignIn) -> TokenOwner:
    return TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)


def _wait(context: Context) -> RetryLater:
    return RetryLater(_soon(context), "another process refreshes the person's token", holds=False)


def _soon(context: Context) -> UnixTime:
    return context.clock.now() + WAIT
