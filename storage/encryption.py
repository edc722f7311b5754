"""Encrypts what is stored of a person's GitHub tokens, with keys that can be replaced."""

import hashlib
import json
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.records import GitHubId, Sealed, SlackTeamId, SlackUserId

KEY_LENGTH = 32
"""Bytes of a key, as AES-256 needs them."""
_NONCE = 12
"""Bytes of AES-GCM's nonce, which is random and stands before the ciphertext (NIST SP 800-38D, 8.2.2)."""
_TAG = 16


class Undecryptable(Exception):
    """A ciphertext has no key here, was made for another row or field, or was changed. It is never shown."""


def token_context(team: SlackTeamId, user: SlackUserId, account: GitHubId, field: str) -> bytes:
    """The associated data of a person's token: with it, a ciphertext that is copied into another row is worthless."""
    return json.dumps([team, user, account, field], separators=(",", ":")).encode()


def key_id(key: bytes) -> str:
    """Names a key without telling anything about it: eight hexadecimal digits."""
    return hashlib.sha256(b"stanch key id" + key).hexdigest()[:8]


class Keyring:
    """The keys of STANCH_ENCRYPTION_KEYS: the first one encrypts, all of them decrypt."""

    __slots__ = ("__keys", "first_id")

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take keys of 32 bytes; ValueError if there is none, or one has another length."""
        if not keys:
            raise ValueError("no key")
        self.__keys = {key_id(key): AESGCM(_checked(key)) for key in keys}
        self.first_id = key_id(keys[0])
        """The id of the key that encrypts."""

    def has(self, name: str) -> bool:
        """Whether one of the keys has this id."""
        return name in self.__keys

    def encrypt(self, plain: bytes, context: bytes) -> Sealed:
        """Encrypt with the first key; `context` is not stored, and has to be the same when it is decrypted."""
        nonce = secrets.token_bytes(_NONCE)
        return Sealed(self.first_id, nonce + self.__keys[self.first_id].encrypt(nonce, plain, context))

    def decrypt(self, sealed: Sealed, context: bytes) -> bytes:
        """The plain bytes; raises Undecryptable."""
        cipher, stored = self.__keys.get(sealed.key_id), sealed.ciphertext
        if cipher is None:
            raise Undecryptable(f"STANCH_ENCRYPTION_KEYS has no key {sealed.key_id}")
        if len(stored) < _NONCE + _TAG:
            raise Undecryptable("the stored bytes are too short for a ciphertext")
        try:
            return cipher.decrypt(stored[:_NONCE], stored[_NONCE:], context)
        except InvalidTag:
            raise Undecryptable("it was made for another row or field, or was changed") from None

    def __repr__(self) -> str:
        return f"Keyring(first={self.first_id}, {len(self.__keys)} keys)"


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise ValueError(f"a key has {len(key)} bytes instead of {KEY_LENGTH}")
    return key
