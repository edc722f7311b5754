"""Tells Slack's tokens and secrets apart by their form."""

import re
from enum import StrEnum


class SlackSecret(StrEnum):
    """A kind of Slack's tokens and secrets."""

    BOT = "bot"
    APP_LEVEL = "app_level"
    USER = "user"
    CONFIGURATION = "configuration"
    """A token for managing apps, or one that renews another."""
    BROWSER = "browser"
    """The token of somebody's browser session."""
    SIGNING = "signing"
    """The signing secret; client secret and verification token may look alike."""
    UNKNOWN = "unknown"


PREFIXES = {
    "xoxb-": SlackSecret.BOT,
    "xapp-": SlackSecret.APP_LEVEL,
    "xoxp-": SlackSecret.USER,
    "xoxe": SlackSecret.CONFIGURATION,
    "xoxc-": SlackSecret.BROWSER,
    "xoxd-": SlackSecret.BROWSER,
}
SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")


def kind_of(secret: str) -> SlackSecret:
    """The kind of a token or secret."""
    for prefix, kind in PREFIXES.items():
        if secret.startswith(prefix) and secret.isascii() and not any(map(str.isspace, secret)):
            return kind
    return SlackSecret.SIGNING if SIGNING_SECRET.fullmatch(secret) else SlackSecret.UNKNOWN
