"""Lenient reading of single JSON values: each reader gives None for what isn't of its kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, object]
"""A JSON object whose values nobody has looked at yet."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_ID = 2**63 - 1
# Letters, digits and hyphens; managed users have an underscore, and bots end in `[bot]`.
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?")


@dataclass(frozen=True, slots=True)
class GitHubAccount:
    """A GitHub user, organization or bot."""

    id: int
    login: str


def text(value: object) -> str | None:
    """A string that isn't empty."""
    return value if isinstance(value, str) and value else None


def flag(value: object) -> bool | None:
    """A boolean."""
    return value if isinstance(value, bool) else None


def identifier(value: object) -> int | None:
    """A positive whole number that fits a database's 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_ID:
        return value
    return None


def line_number(value: object) -> int | None:
    """A positive whole number, written with or without a fraction: GitHub calls line numbers `number`."""
    if isinstance(value, float) and value.is_integer():
        return identifier(int(value))
    return identifier(value)


def timestamp(value: object) -> float | None:
    """Unix seconds from ISO 8601 text or from a number of seconds.

    GitHub's description has text everywhere; captured installation deliveries have whole seconds.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    return float(seconds) if (seconds := identifier(value)) else None


def json_object(value: object) -> JsonObject | None:
    """A JSON object."""
    return value if isinstance(value, dict) else None


def json_objects(value: object) -> tuple[JsonObject, ...]:
    """The objects in a JSON list; nothing for anything else."""
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def words(value: object) -> tuple[str, ...]:
    """The strings in a JSON list; nothing for anything else."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def account(value: object) -> GitHubAccount | None:
    """An account, from GitHub's `simple-user` or from an organization object."""
    raw = json_object(value)
    if raw is None:
        return None
    number, login = identifier(raw.get("id")), text(raw.get("login"))
    return GitHubAccount(number, login) if number and login else None


def web_address(value: object) -> str | None:
    """An http(s) address."""
    address = text(value)
    return address if address and address.startswith(("https://", "http://")) else None


def is_login(value: str) -> bool:
    """Whether this can be an account's login: safe to put into a path."""
    return _LOGIN.fullmatch(value) is not None
