"""The manifest of the Slack app, derived from `manifest.yml`: for Socket Mode, or for requests over HTTP."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

REQUESTS = "/slack/events"
"""Where Slack sends all its requests, below the public address."""


@dataclass(frozen=True, slots=True)
class SlackAppManifest:
    """What an app is created from, and the scopes in it."""

    json: str
    """Without spaces, since it goes into an address."""
    scopes: frozenset[str]
    """Without these Stanch does not work."""
    optional_scopes: frozenset[str]


def slack_app_manifest(source: str, public_url: str | None = None) -> SlackAppManifest:
    """The manifest in the text of `manifest.yml`: for requests to `public_url`, or for Socket Mode."""
    manifest: dict[str, Any] = yaml.safe_load(source)
    settings = manifest["settings"]
    settings["socket_mode_enabled"] = public_url is None
    if public_url is not None:
        address = public_url + REQUESTS
        settings["event_subscriptions"]["request_url"] = address
        settings["interactivity"]["request_url"] = address
        for command in manifest["features"]["slash_commands"]:
            command["url"] = address
    scopes = manifest["oauth_config"]["scopes"]
    return SlackAppManifest(
        json.dumps(manifest, separators=(",", ":"), ensure_ascii=False),
        frozenset(scopes["bot"]),
        frozenset(scopes.get("bot_optional", ())),
    )
