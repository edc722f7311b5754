"""GitHub's own tokens: which kind a leaked one is, how to ask whether it works, and what the answer means.

Pure; `token_probe.py` does the asking. GitHub has no API that starts its own validity check, so the token itself is
used for one harmless question.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum

from integrations.literal import Literal


class TokenKind(StrEnum):
    """GitHub's kinds of tokens, told apart by their prefix."""

    CLASSIC = "classic"
    FINE_GRAINED = "fine_grained"
    OAUTH = "oauth"
    APP_USER = "app_user"
    INSTALLATION = "installation"
    REFRESH = "refresh"


REVOCABLE = frozenset(TokenKind) - {TokenKind.INSTALLATION}
"""What `POST /credentials/revoke` takes, by GitHub's docs."""

_KINDS_OF_TYPE: Mapping[str, frozenset[TokenKind]] = {
    "github_personal_access_token": frozenset({TokenKind.CLASSIC, TokenKind.FINE_GRAINED}),
    "github_oauth_access_token": frozenset({TokenKind.OAUTH}),
    "github_app_installation_access_token": frozenset({TokenKind.INSTALLATION}),
    "github_refresh_token": frozenset({TokenKind.REFRESH}),
    "github_ssh_private_key": frozenset(),
    "github_test_token": frozenset(),
}

# GitHub's docs: tokens may grow to 255 characters, so today's lengths are the least that is a whole one.
_SHAPES: Mapping[TokenKind, re.Pattern[str]] = {
    TokenKind.CLASSIC: re.compile(r"ghp_[A-Za-z0-9]{36,251}"),
    TokenKind.FINE_GRAINED: re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59,221}"),
    TokenKind.OAUTH: re.compile(r"gho_[A-Za-z0-9]{36,251}"),
    TokenKind.APP_USER: re.compile(r"ghu_[A-Za-z0-9]{36,251}"),
    # The second form is the stateless one of 2026: `ghs_APPID_JWT`, about 520 characters.
    TokenKind.INSTALLATION: re.compile(
        r"ghs_(?:[A-Za-z0-9]{36,251}|[0-9]{1,20}_[\w-]{10,1000}\.[\w-]{10,2000}\.[\w-]{10,1000})", re.ASCII
    ),
    TokenKind.REFRESH: re.compile(r"ghr_[A-Za-z0-9]{36,251}"),
}
_LIKE_A_TOKEN = re.compile(r"(?:gh[a-z]_|github_pat_)[A-Za-z0-9][\w.-]{7,}", re.ASCII)


def kinds_of_type(secret_type: str) -> frozenset[TokenKind]:
    """Which kinds a secret of this type may be; none for what isn't a GitHub token.

    GitHub's docs have no slug of their own for app user tokens, so an unlisted `github_…` may be one.
    """
    unlisted = (
        frozenset({TokenKind.APP_USER}) if secret_type.startswith("github_") else frozenset[TokenKind]()
    )
    return _KINDS_OF_TYPE.get(secret_type, unlisted)


def kind_of(secret_type: str, literal: Literal) -> TokenKind | None:
    """Which kind of token this is; None unless GitHub's type says so and the literal is a whole token."""
    return _shape_of(literal.reveal()) if kinds_of_type(secret_type) else None


def _shape_of(text: str) -> TokenKind | None:
    return next((kind for kind, shape in _SHAPES.items() if shape.fullmatch(text)), None)


def decode(literal: Literal, base64_encoded: bool) -> Literal | None:
    """The token inside a literal that GitHub found Base64-encoded; None where none comes out."""
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
    """Blank out whatever looks like a GitHub token, or like the beginning of one."""
    return _LIKE_A_TOKEN.sub("[masked]", text)
