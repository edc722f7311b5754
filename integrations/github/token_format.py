"""Recognises and masks GitHub's own tokens."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum

from integrations.literal import Literal


class TokenKind(StrEnum):
    """GitHub's kinds of tokens; each has a prefix of its own."""

    CLASSIC = "classic"
    FINE_GRAINED = "fine_grained"
    OAUTH = "oauth"
    APP_USER = "app_user"
    INSTALLATION = "installation"
    REFRESH = "refresh"


REVOCABLE = frozenset(TokenKind) - {TokenKind.INSTALLATION}
"""The kinds that `POST /credentials/revoke` accepts (GitHub's docs)."""

_KINDS_OF_TYPE: Mapping[str, frozenset[TokenKind]] = {
    "github_personal_access_token": frozenset({TokenKind.CLASSIC, TokenKind.FINE_GRAINED}),
    "github_oauth_access_token": frozenset({TokenKind.OAUTH}),
    "github_app_installation_access_token": frozenset({TokenKind.INSTALLATION}),
    "github_refresh_token": frozenset({TokenKind.REFRESH}),
    "github_ssh_private_key": frozenset(),
    "github_test_token": frozenset(),
}

# GitHub's docs: tokens may become up to 255 characters long. The shortest whole token is as long as today's.
_SHAPES: Mapping[TokenKind, re.Pattern[str]] = {
    TokenKind.CLASSIC: re.compile(r"ghp_[A-Za-z0-9]{36,251}"),
    TokenKind.FINE_GRAINED: re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59,221}"),
    TokenKind.OAUTH: re.compile(r"gho_[A-Za-z0-9]{36,251}"),
    TokenKind.APP_USER: re.compile(r"ghu_[A-Za-z0-9]{36,251}"),
    # The second form is the stateless token of 2026: `ghs_APPID_JWT`, about 520 characters.
    TokenKind.INSTALLATION: re.compile(
        r"ghs_(?:[A-Za-z0-9]{36,251}|[0-9]{1,20}_[\w-]{10,1000}\.[\w-]{10,2000}\.[\w-]{10,1000})", re.ASCII
    ),
    TokenKind.REFRESH: re.compile(r"ghr_[A-Za-z0-9]{36,251}"),
}
_LIKE_A_TOKEN = re.compile(r"(?:gh[a-z]_|github_pat_)[A-Za-z0-9][\w.-]{7,}", re.ASCII)


def kinds_of_type(secret_type: str) -> frozenset[TokenKind]:
    """Return the kinds that a secret of GitHub's type `secret_type` may be; empty for other secrets.

    GitHub's docs list no type for app user tokens, so any `github_…` type that is not listed may be one.
    """
    unlisted = (
        frozenset({TokenKind.APP_USER}) if secret_type.startswith("github_") else frozenset[TokenKind]()
    )
    return _KINDS_OF_TYPE.get(secret_type, unlisted)


def kind_of(secret_type: str, literal: Literal) -> TokenKind | None:
    """Return the token's kind; None unless `secret_type` is a GitHub token's and the literal is a whole token."""
    return _shape_of(literal.reveal()) if kinds_of_type(secret_type) else None


def _shape_of(text: str) -> TokenKind | None:
    return next((kind for kind, shape in _SHAPES.items() if shape.fullmatch(text)), None)


def decode(literal: Literal, base64_encoded: bool) -> Literal | None:
    """Decode a literal that GitHub found Base64-encoded; return it as it is otherwise. None if it is not Base64."""
    text = literal.reveal().strip()
    if not base64_encoded or _shape_of(text):
        return literal
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return Literal(decoded.strip())


def mask_tokens(text: str) -> str:
    """Replace everything that looks like a GitHub token, or like the beginning of one, by `[masked]`."""
    return _LIKE_A_TOKEN.sub("[masked]", text)
