"""GitHub's own examples, as the tests read them."""

import json
from pathlib import Path

from integrations.json_types import JsonValue

DATA = Path(__file__).parents[2] / "data" / "github"
WEBHOOKS = sorted([*DATA.glob("webhooks-real/*.json"), *DATA.glob("webhooks-constructed/*.json")])


def event_of(path: Path) -> str:
    """The word in `X-GitHub-Event`, which begins the file's name."""
    return path.name.partition(".")[0]


def load(path: Path) -> dict[str, JsonValue]:
    loaded: dict[str, JsonValue] = json.loads(path.read_bytes())
    return loaded


def webhook(name: str) -> dict[str, JsonValue]:
    """A webhook by the beginning of its file's name, constructed ones first."""
    found = next(path for path in reversed(WEBHOOKS) if path.name.startswith(name))
    constructed = DATA / "webhooks-constructed" / f"{name}.json"
    return load(constructed if constructed.exists() else found)


def rest(name: str) -> list[dict[str, JsonValue]]:
    """A REST answer's objects, one or many."""
    path = next(path for path in sorted(DATA.glob("rest/*.json")) if path.name.startswith(name))
    loaded = json.loads(path.read_bytes())
    return loaded if isinstance(loaded, list) else [loaded]
