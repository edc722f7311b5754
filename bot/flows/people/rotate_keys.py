"""Encrypts the stored tokens again with the first key, beside a running server.

Tokens are stored in three places: finished sign-ins, sign-ins under way, and jobs that delete dropped tokens.
"""

from dataclasses import dataclass, field, replace

from bot.errors import UnusableJob
from bot.flows.people.linking import pending_owner
from bot.flows.people.sealed_tokens import (
    TokenOwner,
    deletion,
    seal,
    seal_verifier,
    to_delete,
    unseal,
    unseal_verifier,
)
from bot.job_rows import read_job
from bot.people_job_kinds import DeleteTokens
from storage import jobs, link_requests, sign_ins
from storage.db import Database
from storage.encryption import Keyring, Undecryptable
from storage.records import Job, LinkPage, LinkRequest, SignIn, StoredTokens

BATCH = 100
"""Sign-ins or jobs that are read at a time."""
ROUNDS = 10
"""How often tokens are tried again that are being refreshed."""
PAUSE = 3.0
"""Seconds between two rounds."""


@dataclass(slots=True)
class Rotation:
    """What was done with the stored tokens."""

    encrypted: int = 0
    """Encrypted with the first key now."""
    had_it: int = 0
    """Were encrypted with it before."""
    undecryptable: list[tuple[SignIn, str]] = field(default_factory=list)
    """With the reason."""
    never_deleted: list[tuple[TokenOwner, str]] = field(default_factory=list)
    """Dropped tokens that can't be deleted at GitHub, since they can't be decrypted; with the reason."""
    busy: list[SignIn] = field(default_factory=list)
    """Were being refreshed all the time."""


async def rotate_keys(db: Database, keyring: Keyring) -> Rotation:
    """Encrypt every token again that another key than the first one encrypted; raises StorageUnavailable.

    A token that the server changes meanwhile is left alone and read again later. The server encrypts with the first
    key of its own settings, which may be another one. Tokens go from a page to a sign-in to a deletion; the places
    are worked in this order, so that none is missed.
    """
    encrypted = await _under_way(db, keyring)
    rotation = Rotation()
    for round_ in range(ROUNDS):
        if round_:
            await db.clock.sleep(PAUSE)
        rotation = await _sign_ins(db, keyring, encrypted=rotation.encrypted)
        if not rotation.busy:
            break
    rotation.encrypted += encrypted
    await _deletions(db, keyring, rotation)
    return rotation


async def _under_way(db: Database, keyring: Keyring) -> int:
    """Rotate the pages of sign-ins under way; returns how many. People start anew what can't be decrypted."""
    async with db.read() as tx:
        found = await link_requests.with_secrets(tx)
    done = 0
    for request, page in found:
        try:
            again = _page(keyring, request, page)
        except Undecryptable:
            continue
        if again != page:
            async with db.begin() as tx:
                done += await link_requests.reseal(tx, page, again)
    return done


def _page(keyring: Keyring, request: LinkRequest, page: LinkPage) -> LinkPage:
    """The page under the first key; the same page if it has it. Raises Undecryptable."""
    if page.verifier is not None and not page.verifier.startswith(keyring.first_id.encode()):
        verifier = unseal_verifier(keyring, page.state_hash, page.verifier)
        page = replace(page, verifier=seal_verifier(keyring, page.state_hash, verifier))
    if page.tokens is not None and page.tokens.key_id != keyring.first_id:
        page = replace(page, tokens=_again(keyring, pending_owner(request, page), page.tokens))
    return page


def _again(keyring: Keyring, owner: TokenOwner, stored: StoredTokens) -> StoredTokens:
    return seal(keyring, owner, unseal(keyring, owner, stored))


async def _sign_ins(db: Database, keyring: Keyring, *, encrypted: int) -> Rotation:
    rotation, last = Rotation(encrypted), ("", "")
    while True:
        async with db.read() as tx:
            batch = await sign_ins.with_tokens(tx, last, BATCH)
        if not batch:
            # Those that this run encrypted, in this round or an earlier one, were counted as well.
            rotation.had_it -= rotation.encrypted
            return rotation
        for stored in batch:
            await _sign_in(db, keyring, stored, rotation)
        last = (batch[-1].slack_team, batch[-1].slack_user)


async def _sign_in(db: Database, keyring: Keyring, stored: SignIn, rotation: Rotation) -> None:
    assert stored.tokens is not None  # The query asks for those that have tokens.
    if stored.tokens.key_id == keyring.first_id:
        rotation.had_it += 1
        return
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    try:
        again = _again(keyring, owner, stored.tokens)
    except Undecryptable as error:
        rotation.undecryptable.append((stored, str(error)))
        return
    async with db.begin() as tx:
        done = await sign_ins.reseal(tx, stored, again)
    if done:
        rotation.encrypted += 1
        rotation.had_it += 1
    else:
        rotation.busy.append(stored)


async def _deletions(db: Database, keyring: Keyring, rotation: Rotation) -> None:
    """Rotate the jobs that wait until GitHub answers, and those that are parked."""
    last = 0
    while True:
        async with db.read() as tx:
            batch = await jobs.unfinished(tx, DeleteTokens.kind, last, BATCH)
        if not batch:
            return
        for job in batch:
            await _deletion(db, keyring, job, rotation)
        last = batch[-1].id


async def _deletion(db: Database, keyring: Keyring, job: Job, rotation: Rotation) -> None:
    try:
        todo = read_job(job)
    except UnusableJob:
        # Of another version, which knows what to do with it.
        return
    if not isinstance(todo, DeleteTokens) or todo.key_id == keyring.first_id:
        return
    owner, stored = to_delete(todo)
    try:
        again = deletion(owner, _again(keyring, owner, stored))
    except Undecryptable as error:
        rotation.never_deleted.append((owner, str(error)))
        return
    async with db.begin() as tx:
        rotation.encrypted += await jobs.save_payload(tx, job.id, again.payload)
