"""The columns in which a person's encrypted tokens are stored, of a sign-in or one under way."""

from typing import Any

from storage.records import StoredTokens
from storage.rows import Columns, build

_NAMES = ("key_id", "access", "refresh", "access_until", "refresh_until")


def token_values(tokens: StoredTokens | None) -> dict[str, Any]:
    """The values of the columns."""
    return {name: getattr(tokens, name) if tokens else None for name in _NAMES}


def stored_tokens(columns: Columns) -> StoredTokens | None:
    """The tokens in the columns, or None."""
    return None if columns["access"] is None else build(StoredTokens, columns)
