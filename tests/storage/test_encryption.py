"""Encrypted tokens: which key and which row they belong to."""

from dataclasses import replace

import pytest

from storage.encryption import Keyring, Undecryptable, key_id, token_context
from storage.records import GitHubId, Sealed, SlackTeamId, SlackUserId

NEW, OLD = bytes(range(32)), bytes(range(1, 33))
PLAIN = b"gh" + b"u_planted"
CONTEXT = token_context(SlackTeamId("T1"), SlackUserId("U1"), GitHubId(7), "access")


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = Keyring([OLD]).encrypt(PLAIN, CONTEXT)
    both = Keyring([NEW, OLD])
    new = both.encrypt(PLAIN, CONTEXT)
    assert (old.key_id, new.key_id) == (Keyring([OLD]).first_id, Keyring([NEW]).first_id)
    assert both.decrypt(old, CONTEXT) == both.decrypt(new, CONTEXT) == PLAIN
    with pytest.raises(Undecryptable, match=f"has no key {old.key_id}"):
        Keyring([NEW]).decrypt(old, CONTEXT)
    assert both.has(key_id(OLD))
    assert not Keyring([NEW]).has(key_id(OLD))


@pytest.mark.parametrize(
    "other",
    [
        ("T2", "U1", 7, "access"),
        ("T1", "U2", 7, "access"),
        ("T1", "U1", 8, "access"),
        ("T1", "U1", 7, "refresh"),
        # The parts are kept apart: none of these may read as the row above.
        ("T1U", "1", 7, "access"),
        ('T1","U1', "", 7, "access"),
    ],
)
def test_a_ciphertext_of_another_row_or_field_is_refused(other: tuple[str, str, int, str]) -> None:
    team, user, account, field = other
    context = token_context(SlackTeamId(team), SlackUserId(user), GitHubId(account), field)
    keyring = Keyring([NEW])
    with pytest.raises(Undecryptable, match="another row or field"):
        keyring.decrypt(keyring.encrypt(PLAIN, CONTEXT), context)


def test_a_changed_ciphertext_is_refused_at_each_byte() -> None:
    keyring = Keyring([NEW])
    sealed = keyring.encrypt(PLAIN, CONTEXT)
    for at in range(len(sealed.ciphertext)):
        changed = bytearray(sealed.ciphertext)
        changed[at] ^= 1
        with pytest.raises(Undecryptable):
            keyring.decrypt(replace(sealed, ciphertext=bytes(changed)), CONTEXT)
    for length in (0, 12, 27):
        with pytest.raises(Undecryptable, match="too short"):
            keyring.decrypt(Sealed(sealed.key_id, sealed.ciphertext[:length]), CONTEXT)


def test_no_two_ciphertexts_are_alike() -> None:
    keyring = Keyring([NEW])
    assert len({keyring.encrypt(PLAIN, CONTEXT).ciphertext for _ in range(100)}) == 100


def test_nothing_of_a_key_or_a_token_is_shown() -> None:
    keyring = Keyring([NEW, OLD])
    sealed = keyring.encrypt(PLAIN, CONTEXT)
    assert repr(sealed) == f"Sealed(key_id={sealed.key_id!r})"
    assert repr(keyring) == f"Keyring(first={keyring.first_id}, 2 keys)"


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"x" * 33]])
def test_keys_have_32_bytes(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(keys)
