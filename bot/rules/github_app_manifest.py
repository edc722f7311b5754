"""What the GitHub App of a set-up is: its permissions, its events, and the manifest from which GitHub makes it. Pure.

GitHub's docs: "Registering a GitHub App from a manifest" and "Registering a GitHub App using URL parameters".
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

LONGEST_NAME = 34
"""GitHub's docs: characters of an App's name."""


@dataclass(frozen=True, slots=True)
class AppPermission:
    """A permission of the App, and what Stanch needs it for."""

    name: str
    """As GitHub's API writes it."""
    title: str
    """As GitHub's pages write it."""
    access: str
    reason: str
    asked: bool = True
    """False for one that is left out unless the person ticks it."""
    required: bool = False
    """Whether Stanch can't work without it."""


PERMISSIONS = (
    AppPermission(
        "metadata",
        "Metadata (repository)",
        "read",
        "names, ids, and a person's permission in a repository",
        required=True,
    ),
    AppPermission(
        "secret_scanning_alerts",
        "Secret scanning alerts (repository)",
        "write",
        "reading, closing and reopening alerts, writing a verdict and an assignee",
        required=True,
    ),
    AppPermission(
        "members",
        "Members (organization)",
        "read",
        "who is an owner, who holds the security manager role",
        required=True,
    ),
    AppPermission(
        "organization_custom_org_roles",
        "Custom organization roles (organization)",
        "read",
        "without it, security managers and custom organization roles are not recognized",
    ),
    AppPermission(
        "organization_custom_roles",
        "Custom repository roles (organization)",
        "read",
        "without it, custom repository roles give no rights in Stanch",
    ),
    AppPermission(
        "administration",
        "Administration (repository)",
        "read",
        "whether delegated alert dismissal is on; without it, GitHub's refusal tells",
        asked=False,
    ),
    AppPermission(
        "contents",
        "Contents (repository)",
        "read",
        "who made the commit that a secret was found in",
        asked=False,
    ),
)
EVENTS = {
    "secret_scanning_alert": "secret_scanning_alerts",
    "secret_scanning_alert_location": "secret_scanning_alerts",
    "repository": "metadata",
    "member": "members",
    "membership": "members",
    "organization": "members",
    "team": "members",
    "team_add": "members",
    "security_and_analysis": "administration",
}
"""Each event, and the permission without which GitHub refuses it. Installation events come by themselves."""


@dataclass(frozen=True, slots=True)
class AppPlan:
    """The App that somebody wants."""

    name: str
    homepage: str
    """GitHub's docs: without a website of the App's own, the page of its owner."""
    public: bool
    """Whether other accounts than its owner can install it."""
    public_url: str | None = None
    """Where people's browsers reach Stanch, without a slash at its end."""
    webhooks: bool = False
    """Whether GitHub reaches that address too."""
    more_permissions: frozenset[str] = field(default_factory=frozenset)
    """Those that are left out unless they are ticked."""

    @property
    def permissions(self) -> dict[str, str]:
        """The permissions to ask for, with the access to each."""
        return {one.name: one.access for one in PERMISSIONS if one.asked or one.name in self.more_permissions}

    @property
    def events(self) -> tuple[str, ...]:
        """The events to subscribe to; none without webhooks, and none without its permission."""
        return tuple(
            event for event, needed in EVENTS.items() if self.webhooks and needed in self.permissions
        )

    @property
    def webhook_url(self) -> str | None:
        """Where GitHub sends webhooks."""
        return f"{self.public_url}/github/webhooks" if self.webhooks and self.public_url else None

    @property
    def callback_urls(self) -> list[str]:
        """Where people come back from GitHub's sign-in."""
        return [f"{self.public_url}/github/callback"] if self.public_url else []


DESCRIPTION = "Brings secret scanning alerts into Slack, where the right people work them to their end."


def manifest(plan: AppPlan, redirect_url: str) -> str:
    """The manifest as JSON. `redirect_url` is our own page, on this machine.

    `hook_attributes` are left out without webhooks: without an address in them GitHub refuses the manifest. There is
    no `setup_url`, which would stay after the set-up has ended.
    """
    content: dict[str, object] = {
        "name": plan.name,
        "url": plan.homepage,
        "description": DESCRIPTION,
        "redirect_url": redirect_url,
        "public": plan.public,
        "request_oauth_on_install": False,
        "default_permissions": plan.permissions,
    }
    if plan.callback_urls:
        content["callback_urls"] = plan.callback_urls
    if plan.webhook_url:
        content |= {
            "hook_attributes": {"url": plan.webhook_url, "active": True},
            "default_events": list(plan.events),
        }
    return json.dumps(content)


def registration_query(plan: AppPlan) -> str:
    """The same as parameters of the address of GitHub's registration page; without the webhook's secret."""
    query: list[tuple[str, str]] = [
        ("name", plan.name),
        ("url", plan.homepage),
        ("description", DESCRIPTION),
        ("public", _word(plan.public)),
        ("request_oauth_on_install", "false"),
        ("webhook_active", _word(plan.webhook_url is not None)),
        *plan.permissions.items(),
        *(("callback_urls[]", address) for address in plan.callback_urls),
        *(("events[]", event) for event in plan.events),
    ]
    if plan.webhook_url:
        query.append(("webhook_url", plan.webhook_url))
    return urlencode(query)


def app_name(account: str) -> str:
    """The name to propose: names of Apps are unique on a server, so it has the account's."""
    return f"stanch-{account.lower()}"[:LONGEST_NAME].rstrip("-")


def is_app_name(name: str) -> bool:
    """Whether GitHub would take it as a name, as far as can be told here."""
    return len(name) <= LONGEST_NAME and re.search(r"[A-Za-z0-9]", name) is not None


def _word(value: bool) -> str:
    return "true" if value else "false"
