"""The frozen bag of everything outside that flows and actions use."""

import asyncio
from dataclasses import dataclass, field

import aiohttp

from bot.metrics import Metrics
from bot.options import Options
from bot.platforms import Platforms
from bot.rules.permissions import Need
from integrations.github.api import GitHub
from integrations.slack.api import Slack
from storage.batch_writer import BatchWriter
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId, RepositoryId, UnixTime


@dataclass(frozen=True, slots=True)
class Context:
    """Built once at the start; in tests against the sandbox."""

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
    receives_webhooks: bool
    """GITHUB_WEBHOOK_SECRET is set; otherwise alerts come by sync alone."""
    sync_interval: int
    """Seconds between syncs; 0 for the one at the start alone."""
    repositories_read: dict[RepositoryId, UnixTime] = field(default_factory=dict)
    """When this process last read each repository's facts from GitHub."""
    entitled_asked: dict[tuple[RepositoryId, Need], tuple[UnixTime, frozenset[int]]] = field(
        default_factory=dict
    )
    """When this process last asked GitHub who has a right in a repository, and the answer."""
    probe_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One probe at a time: GitHub's docs say that several 401s in a short time can lock a login out."""
