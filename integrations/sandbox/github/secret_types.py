"""Secret types by GitHub's slugs, and the formats of GitHub's own tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from integrations.sandbox.github.records import TokenKind

GENERIC_TYPES = frozenset(
    {
        "ec_private_key",
        "generic_private_key",
        "http_basic_authentication_header",
        "http_bearer_authentication_header",
        "mongodb_connection_string",
        "mysql_connection_url",
        "openssh_private_key",
        "password",
        "pgp_private_key",
        "postgres_connection_string",
        "rsa_private_key",
    }
)
"""GitHub's docs: slugs of non-provider patterns and AI detection; lists omit them unless named."""

GITHUB_TYPES: Mapping[str, tuple[TokenKind, str]] = {
    "github_personal_access_token": ("classic", "GitHub Personal Access Token"),
    "github_oauth_access_token": ("oauth", "GitHub OAuth Access Token"),
    "github_app_installation_access_token": ("installation", "GitHub App Installation Access Token"),
    "github_refresh_token": ("refresh", "GitHub Refresh Token"),
}
TOKEN_SHAPES: Mapping[TokenKind, tuple[str, *tuple[int, ...]]] = {
    "classic": ("ghp_", 36),
    "fine_grained": ("github_pat_", 22, 59),
    "oauth": ("gho_", 36),
    "app_user": ("ghu_", 36),
    "installation": ("ghs_", 36),
    "refresh": ("ghr_", 76),
}
"""A token's prefix and the lengths of its parts, joined by underscores."""


def make_literal(kind: TokenKind, seed: str) -> str:
    """A well-formed token of this kind, the same for the same seed."""
    prefix, *lengths = TOKEN_SHAPES[kind]
    digits = hashlib.sha512(seed.encode()).hexdigest()
    return prefix + "_".join(digits[:length] for length in lengths)


def display_name_of(secret_type: str) -> str:
    """GitHub's name for a type, or its slug in readable form."""
    known = GITHUB_TYPES.get(secret_type)
    return known[1] if known else secret_type.replace("_", " ").title()
