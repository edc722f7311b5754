"""Which feature needs which Slack scope, and which permission and event of the GitHub App. Pure tables."""

from collections.abc import Iterable, Mapping

from bot.options import Options
from bot.rules.github_app_manifest import EVENTS as PERMISSION_OF_EVENT
from bot.rules.github_app_manifest import PERMISSIONS, AppPermission

SCOPES: Mapping[str, str] = {
    "chat:write": "cards, their threads and private answers",
    "commands": "the command /leaks",
    "channels:read": "seeing whether a public channel is archived or shared with another organization",
    "groups:read": "seeing whether a private channel is archived or shared with another organization",
    "channels:history": "finding out whether a message in a public channel was posted when Slack's answer was lost",
    "groups:history": "finding out whether a message in a private channel was posted when Slack's answer was lost",
    "im:write": "direct messages",
    "users:read": "telling guests, bots and people of other organizations apart",
}
"""Slack's bot scopes that every installation needs, each with what does not work without it."""
ADDRESSES_SCOPE = "users:read.email"
DIRECTORY = "the option directory.source"
"""What needs the scope for addresses."""


VITAL = frozenset({"metadata", "secret_scanning_alerts", "members"})
"""Permissions without which Stanch has no alerts, or nobody may do anything; without others it knows less."""
EVENTS: Mapping[str, str] = {
    "secret_scanning_alert": "new and changed alerts",
    "secret_scanning_alert_location": "new places of a secret",
    "repository": "renamed, transferred and deleted repositories",
    "member": "changed rights of collaborators",
    "membership": "changed members of teams",
    "organization": "people who join or leave the organization",
    "team": "changed rights of teams",
    "team_add": "repositories that a team was given",
    "security_and_analysis": "delegated alert dismissal turned on or off",
}
"""The events of the App, each with what comes late without it."""
_RANK = {"read": 1, "write": 2, "admin": 3}


def missing_scopes(granted: Iterable[str], options: Options) -> dict[str, str]:
    """The scopes that the token lacks, each with what does not work without it."""
    held = set(granted)
    needed = {**SCOPES, **({ADDRESSES_SCOPE: DIRECTORY} if options.directory.source != "off" else {})}
    return {scope: feature for scope, feature in needed.items() if scope not in held}


def missing_permissions(granted: Mapping[str, str], account_type: str) -> list[AppPermission]:
    """What was not granted, or only to read. An account that is no organization has no members and no roles."""
    return [
        needed
        for needed in PERMISSIONS
        if needed.asked
        and (account_type == "Organization" or "(organization)" not in needed.title)
        and _RANK.get(granted.get(needed.name, ""), 0) < _RANK[needed.access]
    ]


def missing_events(subscribed: Iterable[str], permissions: Iterable[str]) -> dict[str, str]:
    """The events that an App with these permissions may subscribe to and does not, each with what comes late then."""
    held, allowed = set(subscribed), set(permissions)
    return {
        event: feature
        for event, feature in EVENTS.items()
        if event not in held and PERMISSION_OF_EVENT[event] in allowed
    }
