"""Records of the GitHub App itself, of its webhook and of the log of deliveries, read from GitHub's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.github.accounts import GitHubAccount, account
from integrations.github.errors import Malformed
from integrations.github.json_fields import (
    identifier,
    json_object,
    json_objects,
    strings,
    text,
    timestamp,
    web_address,
)
from integrations.json_types import JsonObject

ENTERPRISE = "Enterprise"
_SCANS = (
    *("incremental_scans", "pattern_update_scans", "backfill_scans"),
    *("custom_pattern_backfill_scans", "generic_secrets_backfill_scans"),
)


@dataclass(frozen=True, slots=True)
class AppFacts:
    """The GitHub App itself."""

    owner: GitHubAccount
    """For an enterprise: its own id, and its slug in place of a login."""
    owner_type: str
    """`Organization` or `User`, as GitHub spells it; ENTERPRISE for an enterprise, which has no type."""
    slug: str = ""
    """Its name in addresses; empty where it is missing."""
    client_id: str = ""
    html_url: str = ""
    """Its public page, below which it is installed."""
    permissions: Mapping[str, str] = field(default_factory=dict)
    """What it asks for: an installation may have accepted less."""
    events: frozenset[str] = frozenset()
    """What it subscribes to."""


@dataclass(frozen=True, slots=True)
class HookFacts:
    """The App's webhook."""

    url: str
    """Empty if the App has none."""
    insecure: bool
    """Whether GitHub sends without verifying the certificate."""


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """One attempt to deliver a webhook, from GitHub's delivery log."""

    id: int
    guid: str
    """The delivery's id, the same for all its attempts."""
    delivered_at: float
    """Unix seconds."""
    ok: bool
    status: str = ""
    """GitHub's words: `OK`, `Invalid HTTP Response: 401`, `timed out`, …"""
    status_code: int = 0
    """The receiver's; 0 where GitHub gives none."""


def parse_app(raw: JsonObject) -> AppFacts:
    """Read the App. Raises Malformed without an owner.

    GitHub's REST description: the owner is a user, an organization, or an enterprise with a slug and no login.
    """
    raw_owner = json_object(raw.get("owner")) or {}
    owner, owner_type = account(raw_owner), text(raw_owner.get("type")) or "unknown"
    if owner is None:
        number, slug = identifier(raw_owner.get("id")), text(raw_owner.get("slug"))
        if number is None or slug is None:
            raise Malformed("the App has no owner")
        owner, owner_type = GitHubAccount(number, slug), ENTERPRISE
    asked = json_object(raw.get("permissions")) or {}
    return AppFacts(
        owner,
        owner_type,
        slug=text(raw.get("slug")) or "",
        client_id=text(raw.get("client_id")) or "",
        html_url=web_address(raw.get("html_url")) or "",
        permissions={name: level for name, value in asked.items() if (level := text(value))},
        events=frozenset(strings(raw.get("events"))),
    )


def parse_hook(raw: JsonObject) -> HookFacts:
    """Read the App's webhook; its secret, which GitHub masks, is left out."""
    return HookFacts(web_address(raw.get("url")) or "", raw.get("insecure_ssl") in ("1", 1))


def parse_delivery(raw: JsonObject) -> DeliveryFacts:
    """Read a row of GitHub's delivery log. Raises Malformed without id, guid or time.

    GitHub's docs: a failed connection also has a status code, so success is read from `status`, which is then `OK`.
    """
    number, guid, at = identifier(raw.get("id")), text(raw.get("guid")), timestamp(raw.get("delivered_at"))
    if number is None or guid is None or at is None:
        raise Malformed("the delivery has no usable id, guid or time")
    status = text(raw.get("status")) or ""
    return DeliveryFacts(number, guid, at, status == "OK", status, identifier(raw.get("status_code")) or 0)


def has_completed_scan(raw: JsonObject) -> bool:
    """Whether a repository's scan history has a scan of any kind that was completed."""
    return any(scan.get("status") == "completed" for kind in _SCANS for scan in json_objects(raw.get(kind)))
