"""The frozen bag of everything outside that flows and actions use."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import aiohttp

from bot.metrics import Metrics
from bot.options import Options
from bot.platforms import Platforms
from bot.rules.rights import Need
from bot.settings import Settings
from integrations.github.api import GitHub
from integrations.github.oauth import OAuth
from integrations.slack.api import Slack
from storage.batch_writer import BatchWriter
from storage.clock import Clock
from storage.db import Database
from storage.encryption import Keyring
from storage.records import ChannelId, RepositoryId, SlackUserId, UnixTime


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """What people sign in with."""

    client_id: str
    client_secret: str = field(repr=False)
    public_url: str
    """Where people's browsers reach Stanch, without a slash at its end."""


@dataclass(frozen=True, slots=True)
class TimeAway:
    """A time in which this database was not in use, and another copy of it may have been."""

    since: UnixTime
    until: UnixTime
    """When the first worker started on this copy."""
    rows: int
    """How many rows the audit log of this copy had then."""
    is_backup: bool
    """Whether it is known to be a backup; else a server may just have been stopped."""


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
    settings: Settings = field(repr=False)
    """For the doctor alone, which checks them; all others use the fields made of them."""
    user_agent: str
    github_url: str
    github_api_url: str
    default_channel: ChannelId | None
    receives_webhooks: bool
    """GITHUB_WEBHOOK_SECRET is set; otherwise alerts come by sync alone."""
    sync_interval: int
    """Seconds between syncs; 0 for the one at the start alone."""
    sign_in: SignInSettings | None = None
    """None if people can't sign in here: operators and the directory link them."""
    oauth: OAuth | None = None
    """GitHub's OAuth endpoints, with the App's client id and secret; there if `sign_in` is."""
    keyring: Keyring | None = None
    """Encrypts people's tokens; None if they are not kept."""
    operators: frozenset[SlackUserId] = frozenset()
    """Who is told of suspended links."""
    repositories_read: dict[RepositoryId, UnixTime] = field(default_factory=dict)
    """When this process last read each repository's facts from GitHub."""
    entitled_asked: dict[tuple[RepositoryId, Need], tuple[UnixTime, frozenset[int]]] = field(
        default_factory=dict
    )
    """When this process last asked GitHub who has a right in a repository, and the answer."""
    times_away: list[TimeAway] = field(default_factory=list)
    """The last times in which another copy of the database may have been in use, as of this process's start."""
    refreshes: "set[asyncio.Task[object]]" = field(default_factory=set)
    """Refreshes of people's tokens under way; they go on when the request that needs them is given up."""
    flood_locks: WeakValueDictionary[RepositoryId, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """Deliveries of a repository's flood are worked together by one job of this process at a time."""
    flood_storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One such batch is stored at a time: on SQLite others would wait for all that are ready."""
    flood_pauses: dict[RepositoryId, float] = field(default_factory=dict)
    """Until when, by the monotonic clock, those of a repository are worked one by one: together it failed."""
    probe_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One probe at a time: GitHub's docs say that several 401s in a short time can lock a login out."""
