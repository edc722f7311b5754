"""Reads single values of settings; a ValueError says what is wrong, as the end of a sentence about the setting."""

import base64
import binascii
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, SecretStr

from storage.database_url import read_url
from storage.encryption import KEY_LENGTH

_MARKS = "\ufeff\u200b"
"""Byte order mark and zero-width space: they come with copied text, and Python does not strip them."""
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_LOGIN_OR_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(\[bot\])?")


def strip(value: str) -> str:
    """The value without white space and invisible characters around it."""
    before = None
    while before != value:
        before, value = value, value.strip().strip(_MARKS)
    return value


def token_prefix(prefix: str, kind: str) -> AfterValidator:
    """A check that a token starts with the prefix of its kind."""

    def check(value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(prefix):
            raise ValueError(f"must be {kind}, which starts with {prefix}")
        return value

    return AfterValidator(check)


def check_database_url(value: str) -> str:
    """The address unchanged; ValueError unless `storage` can use it."""
    read_url(value)
    return value


def check_stream(value: str) -> str:
    """The path unchanged, or `-`; ValueError unless it can be a file. Whether it can be written shows later."""
    path = Path(value)
    other = path.is_dir() or path.is_fifo() or path.is_socket()
    if value != "-" and (other or not path.parent.is_dir()):
        raise ValueError("must be - for standard output, or the path of a file in a folder that exists")
    return value


def http_base(value: str) -> str:
    """The base address of an API without a slash at its end. With a user it is refused: credentials go in headers."""
    fault = ValueError("must be an http(s) address without user, query or fragment")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise fault from None
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise fault
    return value.rstrip("/")


def public_base(value: str) -> str:
    """The address that people's browsers reach, without a slash at its end: https, unless it is this machine."""
    base = http_base(value)
    parts = urlsplit(base)
    if parts.path:
        raise ValueError(
            "must have no path: the proxy passes /github/link and /github/callback on as they are"
        )
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("must start with https://: people sign in there (http is for this machine alone)")
    return base


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_encryption_keys(value: SecretStr) -> tuple[bytes, ...]:
    """The comma-separated keys of 32 bytes in URL-safe Base64, or the standard one, with or without its padding."""
    keys = []
    for number, written in enumerate(value.get_secret_value().split(","), 1):
        text = strip(written).rstrip("=")
        try:
            standard = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
            key = base64.b64decode(standard, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_LENGTH:
            raise ValueError(
                f"has no key of {KEY_LENGTH} bytes in URL-safe Base64 as entry {number}: "
                "make one with openssl rand -base64 32"
            )
        keys.append(key)
    if len(set(keys)) < len(keys):
        raise ValueError("has the same key twice")
    return tuple(keys)


def check_encryption_keys(value: SecretStr) -> SecretStr:
    """The keys as they were written."""
    read_encryption_keys(value)
    return value


def read_operators(value: str | frozenset[str]) -> frozenset[str]:
    """The comma-separated Slack user ids; the setting's default as it is."""
    if not isinstance(value, str):
        return value
    users = frozenset(user.strip() for user in value.split(",") if user.strip())
    if not users or not all(_SLACK_USER.fullmatch(user) for user in users):
        raise ValueError("must be Slack user ids, separated by commas, as U012AB3CD,U045EF6GH; names change")
    return users


def read_accounts(value: str | frozenset[str]) -> frozenset[str]:
    """The comma-separated logins, in lower case, and numeric ids; the setting's default as it is."""
    if not isinstance(value, str):
        return value
    accounts = frozenset(account.strip().lower() for account in value.split(",") if account.strip())
    if not accounts:
        raise ValueError("names no account: write logins or numeric ids, as octo,octo-labs, or unset it")
    for account in accounts:
        if not _LOGIN_OR_ID.fullmatch(account):
            raise ValueError(_account_fault(account))
    return accounts


def _account_fault(account: str) -> str:
    """What is wrong with an entry and what to write instead; only a login in an address is quoted."""
    address = account if "//" in account else f"//{account}"
    try:
        login = urlsplit(address).path.strip("/").partition("/")[0]
    except ValueError:
        login = ""
    if "/" in account and _LOGIN_OR_ID.fullmatch(login):
        return f"holds an address or a path: write the login alone, {login}"
    return "holds an entry that is no login and no numeric id: separate them with commas, as octo,octo-labs"


def read_key(value: SecretStr) -> SecretStr:
    """The App's private key as PEM text. `value` is that, its line ends possibly escaped, or a file's path."""
    text = value.get_secret_value()
    if "-----BEGIN" not in text:
        try:
            text = Path(text).expanduser().read_text(encoding="utf-8-sig")
        except (OSError, ValueError, RuntimeError):
            raise ValueError(
                "is neither a PEM private key nor the path of a readable file with one"
            ) from None
    text = text.replace("\\n", "\n").strip() + "\n"
    try:
        # The check of the numbers takes as long as half of a start. GitHub refuses the signatures of a wrong key.
        key = load_pem_private_key(text.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("does not hold a valid PEM private key without a passphrase") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("does not hold an RSA key, as GitHub makes them for Apps")
    return SecretStr(text)
