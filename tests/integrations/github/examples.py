"""Loads GitHub's example payloads."""

import json
from pathlib import Path

from integrations.json_types import JsonValue

DATA = Path(__file__).parents[2] / "data" / "github"
WEBHOOKS = sorted([*DATA.glob("webhooks-real/*.json"), *DATA.glob("webhooks-constructed/*.json")])


def event_of(path: Path) -> str:
    """The value of `X-GitHub-Event`: the first part of the file's name."""
    return path.name.partition(".")[0]


def load(path: Path) -> dict[str, JsonValue]:
    loaded: dict[str, JsonValue] = json.loads(path.read_bytes())
    return loaded


def webhook(name: str) -> dict[str, JsonValue]:
    """The webhook whose file name starts with `name`; constructed ones come first."""
    found = next(path for path in reversed(WEBHOOKS) if path.name.startswith(name))
    constructed = DATA / "webhooks-constructed" / f"{name}.json"
    return load(constructed if constructed.exists() else found)


def rest(name: str) -> list[dict[str, JsonValue]]:
    """The objects of the REST response whose file name starts with `name`."""
    path = next(path for path in sorted(DATA.glob("rest/*.json")) if path.name.startswith(name))
    loaded = json.loads(path.read_bytes())
    return loaded if isinstance(loaded, list) else [loaded]
