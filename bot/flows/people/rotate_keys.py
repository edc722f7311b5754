"""Encrypts the stored tokens again with the first key, beside a running server."""

from dataclasses import dataclass, field

from bot.flows.people.sealed_tokens import TokenOwner, seal, unseal
from storage import sign_ins
from storage.db import Database
from storage.encryption import Keyring, Undecryptable
from storage.records import SignIn

BATCH = 100
"""Sign-ins that are read at a time."""
ROUNDS = 10
"""How often tokens are tried again that are being refreshed."""
PAUSE = 3.0
"""Seconds between two rounds."""


@dataclass(slots=True)
class Rotation:
    """What became of the sign-ins that have tokens."""

    encrypted: int = 0
    """Encrypted with the first key now."""
    had_it: int = 0
    """Were encrypted with it before."""
    undecryptable: list[tuple[SignIn, str]] = field(default_factory=list)
    """With the reason."""
    busy: list[SignIn] = field(default_factory=list)
    """Were being refreshed all the time."""


async def rotate_keys(db: Database, keyring: Keyring) -> Rotation:
    """Encrypt every token again that another key than the first one encrypted; raises StorageUnavailable.

    A token that the server changes meanwhile is left alone, and looked at again: the server encrypts with the first
    key of its own settings, which may be another one.
    """
    rotation = Rotation()
    for round_ in range(ROUNDS):
        if round_:
            await db.clock.sleep(PAUSE)
        rotation = await _round(db, keyring, encrypted=rotation.encrypted)
        if not rotation.busy:
            break
    return rotation


async def _round(db: Database, keyring: Keyring, *, encrypted: int) -> Rotation:
    rotation, last = Rotation(encrypted), ("", "")
    while True:
        async with db.read() as tx:
            batch = await sign_ins.with_tokens(tx, last, BATCH)
        if not batch:
            rotation.had_it -= rotation.encrypted
            return rotation
        for stored in batch:
            await _one(db, keyring, stored, rotation)
        last = (batch[-1].slack_team, batch[-1].slack_user)


async def _one(db: Database, keyring: Keyring, stored: SignIn, rotation: Rotation) -> None:
    assert stored.tokens is not None  # The query asks for those that have tokens.
    if stored.tokens.key_id == keyring.first_id:
        rotation.had_it += 1
        return
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    try:
        again = seal(keyring, owner, unseal(keyring, owner, stored.tokens))
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
