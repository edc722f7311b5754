"""What Slack accepts of an app's manifest: the part that the stand-in knows; everything else is refused."""

import json
import re
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.slack.blocks import Json

LONGEST_NAME = 35
LONGEST_DESCRIPTION = 140
FIELDS: dict[str, frozenset[str]] = {
    "": frozenset({"_metadata", "display_information", "features", "oauth_config", "settings"}),
    "display_information": frozenset({"name", "description", "background_color", "long_description"}),
    "features": frozenset({"app_home", "bot_user", "slash_commands", "shortcuts"}),
    "oauth_config": frozenset({"scopes", "redirect_urls"}),
    "oauth_config.scopes": frozenset({"bot", "bot_optional"}),
    "settings": frozenset(
        {
            "event_subscriptions",
            "interactivity",
            "org_deploy_enabled",
            "socket_mode_enabled",
            "token_rotation_enabled",
        }
    ),
    "settings.event_subscriptions": frozenset({"request_url", "bot_events"}),
    "settings.interactivity": frozenset({"is_enabled", "request_url", "message_menu_options_url"}),
}
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "links:read",
        "links:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
BOT_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_shared",
        "channel_unshared",
        "tokens_revoked",
    }
)


class InvalidSlackManifest(Exception):
    """Slack's errors about a manifest, each with the place."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class AppManifest:
    """What a manifest says about an app."""

    name: str
    required_scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    socket_mode: bool
    request_url: str


def read_manifest(text: str) -> AppManifest:
    """The manifest in this JSON text; raises InvalidSlackManifest."""
    try:
        manifest = json.loads(text)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise InvalidSlackManifest(["The manifest is not a JSON object"])
    errors = [
        f"/{path.replace('.', '/')}: unknown field {name}"
        for path, known in FIELDS.items()
        for name in sorted(_at(manifest, path).keys() - known)
    ]
    scopes, events = _at(manifest, "oauth_config.scopes"), _at(manifest, "settings.event_subscriptions")
    socket_mode = _at(manifest, "settings").get("socket_mode_enabled", False) is True
    required, optional = tuple(scopes.get("bot", ())), tuple(scopes.get("bot_optional", ()))
    errors += [
        f"/oauth_config/scopes: unknown scope {name}" for name in (*required, *optional) if name not in SCOPES
    ]
    errors += [
        f"/settings/event_subscriptions: unknown event {name}"
        for name in events.get("bot_events", ())
        if name not in BOT_EVENTS
    ]
    errors += _display_errors(manifest) + _address_errors(manifest, socket_mode)
    if errors:
        raise InvalidSlackManifest(errors)
    name = str(_at(manifest, "display_information")["name"])
    return AppManifest(name, required, optional, socket_mode, str(events.get("request_url", "")))


def _display_errors(manifest: Json) -> list[str]:
    display, errors = _at(manifest, "display_information"), []
    name = display.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        errors.append(f"/display_information/name: must have 1 to {LONGEST_NAME} characters")
    if len(str(display.get("description", ""))) > LONGEST_DESCRIPTION:
        errors.append(f"/display_information/description: at most {LONGEST_DESCRIPTION} characters")
    if not _at(manifest, "features.bot_user").get("display_name"):
        errors.append("/features/bot_user: a bot user needs a display_name")
    return errors


def _address_errors(manifest: Json, socket_mode: bool) -> list[str]:
    """Without Socket Mode each kind of request needs an address; Slack wants HTTPS."""
    errors = []
    places = {
        "/settings/event_subscriptions": (
            "Event Subscription",
            _at(manifest, "settings.event_subscriptions"),
        ),
        "/settings/interactivity": ("Interactivity", _at(manifest, "settings.interactivity")),
    }
    for pointer, (word, place) in places.items():
        address = place.get("request_url")
        if address is None and place and not socket_mode:
            errors.append(f"{pointer}: {word} requires either Request URL or Socket Mode Enabled")
        if address is not None and not re.fullmatch(r"https://[^/\s]+\S*", str(address)):
            errors.append(f"{pointer}: {word} Request URL must be an HTTPS address")
    for command in _at(manifest, "features").get("slash_commands", ()):
        if not str(command.get("command", "")).startswith("/"):
            errors.append("/features/slash_commands: a command begins with /")
        if not socket_mode and not str(command.get("url", "")).startswith("https://"):
            errors.append("/features/slash_commands: a command requires a URL or Socket Mode Enabled")
    return errors


def _at(manifest: Json, path: str) -> dict[str, Any]:
    """The object at a path, empty if there is none."""
    value: Any = manifest
    for step in path.split(".") if path else ():
        value = value.get(step, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {}
