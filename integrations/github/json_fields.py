"""Reads JSON leniently: each reader of a value returns None for one of another type."""

import json
from datetime import UTC, datetime

from integrations.json_types import JsonObject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_ID = 2**63 - 1


def decode_object(body: bytes) -> JsonObject | None:
    """The JSON object in a body; None for any other body."""
    try:
        return json_object(json.loads(body))
    except (ValueError, RecursionError):
        return None


def text(value: object) -> str | None:
    """A string that is not empty."""
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
    """A positive whole number, also as `3.0`: GitHub's description gives line numbers the type `number`."""
    if isinstance(value, float) and value.is_integer():
        return identifier(int(value))
    return identifier(value)


def timestamp(value: object) -> float | None:
    """Unix seconds, from ISO 8601 text or from a number of seconds.

    GitHub's description has text everywhere, but captured installation deliveries hold whole seconds.
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
    """The objects in a JSON list; empty for any other value."""
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def strings(value: object) -> tuple[str, ...]:
    """The strings in a JSON list; empty for any other value."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def web_address(value: object) -> str | None:
    """An http(s) address."""
    address = text(value)
    return address if address and address.startswith(("https://", "http://")) else None
