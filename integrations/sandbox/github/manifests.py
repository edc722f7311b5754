"""What GitHub accepts of an App's manifest and of the registration form, and the App that is created from it."""

from __future__ import annotations

import functools
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import urlsplit

from integrations.sandbox.github.apps import GitHubApp, Registration
from integrations.sandbox.github.openapi import DATA
from integrations.sandbox.github.records import GitHubUser, JsonObject, RepositoryOwner
from integrations.sandbox.github.world import GitHubWorld
from integrations.sandbox.hosts import is_loopback

MOST_CALLBACKS = 10
LONGEST_NAME = 34
EVENT_PERMISSIONS = {
    "secret_scanning_alert": "secret_scanning_alerts",
    "secret_scanning_alert_location": "secret_scanning_alerts",
    "secret_scanning_scan": "secret_scanning_alerts",
    "repository": "metadata",
    "member": "members",
    "membership": "members",
    "organization": "members",
    "team": "members",
    "team_add": "members",
    "security_and_analysis": "administration",
    "push": "contents",
    "issues": "issues",
    "pull_request": "pull_requests",
}
"""The events that the stand-in knows, and the permission that each needs (GitHub's docs, webhook events)."""
SENT_ANYWAY = ("installation", "installation_repositories", "github_app_authorization")
"""Every App gets these; none may be asked for."""
URL_FIELDS = ("url", "redirect_url", "setup_url")
KNOWN_FIELDS = frozenset(
    {
        "name",
        "url",
        "hook_attributes",
        "redirect_url",
        "callback_urls",
        "setup_url",
        "description",
        "public",
        "default_events",
        "default_permissions",
        "request_oauth_on_install",
        "setup_on_update",
    }
)


class InvalidManifest(Exception):
    """GitHub's page *Invalid GitHub App configuration*; `reasons` are its lines."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


@functools.cache
def known_permissions() -> Mapping[str, tuple[str, ...]]:
    """The permissions of an App with their levels, from GitHub's description."""
    schemas = json.loads((DATA / "openapi.json").read_text())["components"]["schemas"]
    return {name: tuple(each["enum"]) for name, each in schemas["app-permissions"]["properties"].items()}


def read_manifest(text: str) -> Registration:
    """The App that a manifest describes; raises InvalidManifest with all that GitHub refuses."""
    try:
        manifest = json.loads(text)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise InvalidManifest(["Error parsing manifest: it is not a JSON object"])
    hook = manifest.get("hook_attributes")
    permissions = manifest.get("default_permissions") or {}
    events = manifest.get("default_events") or []
    callbacks = manifest.get("callback_urls") or []
    reasons = [f"Unknown field: {name}" for name in manifest if name not in KNOWN_FIELDS]
    reasons += _shape_faults(manifest, hook, permissions, events, callbacks)
    if not reasons:
        reasons += [*permission_faults(permissions, events), *_address_faults(manifest, hook, callbacks)]
    if reasons:
        raise InvalidManifest(reasons)
    return Registration(
        name=str(manifest.get("name") or ""),
        url=str(manifest["url"]),
        permissions=_with_metadata(permissions),
        events=tuple(events),
        webhook_url=hook["url"] if hook and hook.get("active", True) else None,
        callback_urls=tuple(callbacks),
        redirect_url=manifest.get("redirect_url"),
        setup_url=manifest.get("setup_url"),
        public=manifest.get("public", False),
    )


def _shape_faults(
    manifest: JsonObject, hook: object, permissions: object, events: object, callbacks: object
) -> list[str]:
    faults = []
    if not isinstance(manifest.get("url"), str):
        faults.append('"url" wasn\'t supplied.')
    if hook is not None and (not isinstance(hook, dict) or not isinstance(hook.get("url"), str)):
        faults.append("Hook url can't be blank")
    if not isinstance(permissions, dict):
        faults.append("Default permissions must be an object")
    if not _are_texts(events):
        faults.append("Default events must be a list")
    if not _are_texts(callbacks) or len(cast("list[str]", callbacks)) > MOST_CALLBACKS:
        faults.append(f"Callback urls must be a list of at most {MOST_CALLBACKS}")
    if not isinstance(manifest.get("public", False), bool):
        faults.append("Public must be a boolean")
    return faults


def permission_faults(permissions: Mapping[str, object], events: Iterable[str]) -> list[str]:
    """What is wrong with permissions, and with events that they have to allow."""
    faults = []
    known = known_permissions()
    for name, level in permissions.items():
        if name not in known:
            faults.append(f"Default permission records resource is not included in the list: {name}")
        elif level not in known[name]:
            faults.append(f"Default permission records action is not included in the list: {name}")
    unsupported = [name for name in events if name in SENT_ANYWAY or name not in EVENT_PERMISSIONS]
    if unsupported:
        faults.append(f"Default events unsupported: {_sentence(unsupported)}")
    held = _with_metadata(permissions)
    refused = [name for name in events if EVENT_PERMISSIONS.get(name) not in held]
    if refused:
        faults.append(f"Default events are not supported by permissions: {_sentence(refused)}")
    return faults


def _address_faults(manifest: JsonObject, hook: JsonObject | None, callbacks: list[str]) -> list[str]:
    given = {name: manifest[name] for name in URL_FIELDS if manifest.get(name) is not None}
    given |= {f"callback_urls[{index}]": each for index, each in enumerate(callbacks)}
    faults = [f"{name} must be a valid URL" for name, value in given.items() if not is_address(value)]
    if hook is not None:
        faults += webhook_faults(hook["url"])
    return faults


def webhook_faults(url: object) -> list[str]:
    """What is wrong with a webhook's address: GitHub has to reach it."""
    if not is_address(url):
        return ["Hook url must be a valid URL"]
    host = urlsplit(str(url)).hostname or ""
    if is_loopback(host):
        return [
            f"Hook url is not supported because it isn't reachable over the public Internet ({host})",
        ]
    return []


def name_faults(world: GitHubWorld, name: str) -> list[str]:
    """What is wrong with an App's name: users, organizations and Apps share one space of names."""
    slug = slug_of(name)
    if not slug:
        return ["Name can't be blank"]
    if len(name) > LONGEST_NAME:
        return [f"Name is too long (maximum is {LONGEST_NAME} characters)"]
    if any(each.slug == slug for each in world.apps.values()):
        return ["Name is already in use"]
    if world.account(slug) is not None:
        return ["Name is already taken: an account has this name"]
    return []


def slug_of(name: str) -> str:
    """The name as it is in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def create_app(world: GitHubWorld, registration: Registration, owner: RepositoryOwner) -> GitHubApp:
    """Create an App without a key; from now on it is the App under test."""
    app = GitHubApp(
        id=world.next_id(),
        slug=slug_of(registration.name),
        name=registration.name,
        created_at=world.now(),
        owner=owner,
        webhook_url=registration.webhook_url,
        webhook_secret=secrets.token_hex(20) if registration.webhook_url else "",
        callback_urls=list(registration.callback_urls),
        setup_url=registration.setup_url,
        external_url=registration.url,
        public=registration.public,
        permissions=dict(registration.permissions),
        events=registration.events,
    )
    world.apps[app.id] = app
    world.app = app
    bot = GitHubUser(world.next_id(), f"{app.slug}[bot]", world.now(), bot=True)
    world.index_account(bot)
    world.bot = bot
    return app


def is_address(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _with_metadata(permissions: Mapping[str, object]) -> dict[str, str]:
    """GitHub's docs: an App that has any permission may read metadata."""
    return {"metadata": "read", **{name: str(level) for name, level in permissions.items()}}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _sentence(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
