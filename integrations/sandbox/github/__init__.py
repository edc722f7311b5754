"""A strict stand-in for GitHub, over real HTTP, for tests and the demo."""

from integrations.sandbox.github.authentication import generate_private_key
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.records import (
    Alert,
    Installation,
    LiveToken,
    Location,
    Organization,
    Repository,
    Team,
    User,
)
from integrations.sandbox.github.sandbox import GitHubSandbox
from integrations.sandbox.github.webhooks import Delivery

__all__ = [
    "Alert",
    "Delivery",
    "GitHubSandbox",
    "Installation",
    "LiveToken",
    "Location",
    "Organization",
    "RecordedRequest",
    "Repository",
    "Team",
    "User",
    "generate_private_key",
]
