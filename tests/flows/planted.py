"""Secrets planted for a test, every form in which one may leak, and the search for them."""

import base64
import hashlib
import random
import string
from collections.abc import Iterator, Mapping

_LETTERS = string.ascii_letters + string.digits
# A prefix and the lengths of the parts that underscores join; whole tokens stand nowhere in this code.
_SHAPES: Mapping[str, tuple[str, *tuple[int, ...]]] = {
    "github": ("ghp_", 36),
    "github fine-grained": ("github_pat_", 22, 59),
    "aws": ("AKIA", 16),
    "slack": ("xoxb-", 48),
    "stripe": ("sk_live_", 24),
    "gitlab": ("glpat-", 20),
    "npm": ("npm_", 36),
}


def make_secret(name: str, shape: str = "github") -> str:
    """A secret of a real token's shape, always the same for one name and different for any two."""
    prefix, *lengths = _SHAPES[shape]
    letters = string.ascii_uppercase + string.digits if shape == "aws" else _LETTERS
    dice = random.Random(name)
    return prefix + "_".join("".join(dice.choices(letters, k=length)) for length in lengths)


def encoded(secret: str) -> str:
    """The secret in Base64."""
    return base64.b64encode(secret.encode()).decode()


def traces(secret: str) -> Iterator[tuple[str, str]]:
    """What must be nowhere, by name: the secret, its encodings, its digests and its ends."""
    raw = secret.encode()
    digest = hashlib.sha256(raw).digest()
    yield "the secret", secret
    # Without the padding the others are found as well.
    yield "Base64", base64.b64encode(raw).decode().rstrip("=")
    yield "URL-safe Base64", base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield "hex", raw.hex()
    yield "upper-case hex", raw.hex().upper()
    yield "SHA-256", digest.hex()
    yield "SHA-256 in Base64", base64.b64encode(digest).decode().rstrip("=")
    yield "URL-safe SHA-256", base64.urlsafe_b64encode(digest).decode().rstrip("=")
    yield "the last 8 characters", secret[-8:]
    yield "the first 12 characters", secret[:12]


def find_traces(outputs: Mapping[str, bytes], planted: Mapping[str, str]) -> list[str]:
    """Where anything of a planted secret stands: "the log: the last 8 characters of path"."""
    return [
        f"{place}: {form} of {name}"
        for place, content in outputs.items()
        for name, secret in planted.items()
        for form, text in traces(secret)
        if text.encode() in content
    ]
