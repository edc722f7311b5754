"""The outside, in one frozen bag: all that flows and actions may talk to."""

import asyncio
from dataclasses import dataclass, field

import aiohttp

from bot.metrics import Metrics
from bot.options import Options
from bot.platforms import Platforms
from integrations.github.api import GitHub
from integrations.slack.api import Slack
from storage.batch_writer import BatchWriter
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, RepositoryId, UnixTime


@dataclass(frozen=True, slots=True)
class Context:
    """Built once at the start; tests build it against the sandbox."""

    db: Database
    batch_writer: BatchWriter
    slack: Slack
    github: GitHub
    session: aiohttp.ClientSession
    clock: Clock
    options: Options
    platforms: Platforms
    metrics: Metrics
    user_agent: str
    github_url: str
    github_api_url: str
    default_channel: ChannelId | None
    hears_webhooks: bool
    """A secret for GitHub's deliveries is set; else alerts come by sweep alone."""
    sync_interval: int
    """Seconds between sweeps; 0 for none but the one at the start."""
    repositories_read: dict[RepositoryId, UnixTime] = field(default_factory=dict)
    """When this process last read each repository's facts from GitHub."""
    probing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Probes go one after another: several 401s in a short time can lock logins out (GitHub's docs)."""
