"""The installation that the doctor checks, and the facts that it reads from the database first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from bot.context import Context
from bot.flows.messages.time_away import LONGEST_SILENCE
from bot.options import Options
from bot.our_accounts import OurAccounts
from bot.setting_warnings import questionable_settings
from bot.settings import UNREADABLE_FILE, Settings, only_in_file, variables
from integrations.github.api import GitHub
from integrations.github.oauth import OAuth
from integrations.slack.api import Slack
from integrations.slack.app_level_client import AppLevelClient
from storage.clock import Clock
from storage.db import Database
from storage.records import Identity, SlackUserId, Subscription, UnixTime


@dataclass(frozen=True, slots=True)
class Examined:
    """An installation; a part that its settings don't allow to build is None."""

    clock: Clock
    session: aiohttp.ClientSession
    settings: Settings | None
    options: Options
    db: Database | None
    slack: Slack | None
    app_token: AppLevelClient | None
    github: GitHub | None
    ours: OurAccounts | None
    """The accounts that are served; it is loaded from the database, and nothing is stored."""
    oauth: OAuth | None = None
    github_url: str = "https://github.com"
    faults: tuple[str, ...] = ()
    """What is wrong with the settings and options, a sentence for each."""
    questionable: tuple[tuple[str, str], ...] = ()
    """Settings that the start warns of, each as its name and what to do."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Every variable of the environment and of `.env`."""
    only_in_file: frozenset[str] = frozenset()
    """The names of those that only `.env` has."""
    mounts: str = ""
    """The text of `/proc/self/mounts`; empty where there is none."""
    most_repositories: int = 500
    """How many repositories of an installation are asked about."""


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """The facts in the database; empty if it can't be read."""

    team: str | None = None
    """The workspace in which `stanch serve` ran last."""
    subscriptions: tuple[Subscription, ...] = ()
    identities: tuple[Identity, ...] = ()
    running_at: UnixTime = 0.0
    """When a worker last noted that it runs, which it does every minute."""
    is_known: bool = False
    """Whether the database could be read."""

    def is_running(self, now: UnixTime) -> bool:
        """Whether a worker runs."""
        return now - self.running_at < LONGEST_SILENCE

    def is_linked(self, user: SlackUserId) -> bool:
        """Whether the Slack user has a link that counts."""
        return any(one.slack_user == user and one.suspension is None for one in self.identities)


def examined_server(context: Context) -> Examined:
    """The installation to which this server belongs."""
    settings, known = context.settings, read_variables()
    token = settings.slack_app_token
    return Examined(
        clock=context.clock,
        session=context.session,
        settings=settings,
        options=context.options,
        db=context.db,
        slack=context.slack,
        app_token=app_level_client(token, settings.slack_api_url, context.session),
        github=context.github,
        ours=context.platforms.accounts,
        oauth=context.oauth,
        github_url=context.github_url,
        # The file may have changed since the start.
        faults=() if known else (UNREADABLE_FILE,),
        questionable=tuple(questionable_settings(settings)) if known else (),
        variables=known,
        only_in_file=only_in_file() if known else frozenset(),
        mounts=read_mounts(),
    )


def app_level_client(
    token: SecretStr | None, api_url: str, session: aiohttp.ClientSession
) -> AppLevelClient | None:
    """The client for Socket Mode; None without its token."""
    return None if token is None else AppLevelClient(token.get_secret_value(), api_url, session)


def read_variables() -> Mapping[str, str]:
    """Every variable of the environment and of `.env`; empty if that file can't be read."""
    try:
        return variables()
    except (OSError, UnicodeDecodeError):
        return {}


def read_mounts() -> str:
    """Which file systems are mounted where, on Linux; empty elsewhere."""
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
