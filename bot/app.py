"""Builds everything from the settings, and starts and stops it in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
import structlog
from aiohttp import web

from bot.context import Context, SignInSettings
from bot.database import SLACK_TEAM, build_database, refuse_unfinished_move
from bot.errors import StartRefused
from bot.flows.alerts.sync import request_sync
from bot.flows.messages.time_away import note_start
from bot.flows.people.tokens import finish_refreshes
from bot.inbound.github_webhooks import LARGEST
from bot.inbound.routes import request_routes, status_routes
from bot.inbound.slack_app import SlackApp
from bot.inbound.socket_mode import PING, SocketMode
from bot.jobs import housekeeping
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.metrics import Metrics
from bot.options import Options
from bot.our_accounts import OurAccounts
from bot.platforms import Platforms
from bot.setting_warnings import missing_settings
from bot.settings import GitHubSettings, Settings
from bot.version import VERSION
from integrations.github.api import GitHub
from integrations.github.oauth import OAuth
from integrations.literal import Literal
from integrations.proxies import ProxiedRequest, proxy_fault
from integrations.slack.api import Slack
from integrations.slack.app_level_client import AppLevelClient
from storage import saved_values
from storage.batch_writer import BatchWriter
from storage.clock import Clock
from storage.db import Database
from storage.encryption import Keyring
from storage.engines import Engines
from storage.records import ChannelId, SlackUserId
from storage.server_lock import only_server

log = structlog.get_logger(__name__)
AT_START = 10.0
"""Processes that start within so many seconds of each other request one sync in all."""


class Role(StrEnum):
    """Whether a process serves requests, works jobs, or both."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Running:
    """A running Stanch."""

    context: Context
    worker: Worker
    slack: SlackApp
    host: str
    port: int


def build_context(
    settings: Settings, options: Options, db: Database, session: aiohttp.ClientSession, clock: Clock
) -> Context:
    """The context of flows and actions."""
    slack = Slack(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    github = build_github(settings, session, clock)
    channel = settings.stanch_default_channel
    return Context(
        db=db,
        batch_writer=BatchWriter(db),
        slack=slack,
        github=github,
        session=session,
        clock=clock,
        options=options,
        platforms=Platforms(
            slack,
            github,
            db,
            clock,
            accounts=build_accounts(settings, github, db),
            github_api_url=settings.github_api_url,
        ),
        metrics=Metrics(),
        settings=settings,
        user_agent=github.user_agent,
        github_url=settings.github_url,
        github_api_url=settings.github_api_url,
        default_channel=ChannelId(channel) if channel else None,
        receives_webhooks=settings.github_webhook_secret is not None,
        sync_interval=settings.stanch_sync_interval,
        sign_in=_sign_in(settings),
        oauth=build_oauth(settings, github, session, clock),
        keyring=Keyring(keys) if (keys := settings.encryption_keys()) else None,
        operators=frozenset(map(SlackUserId, settings.stanch_operators)),
    )


def _sign_in(settings: Settings) -> SignInSettings | None:
    secret, public_url = settings.github_app_client_secret, settings.stanch_public_url
    if settings.github_app_client_id is None or secret is None or public_url is None:
        return None
    return SignInSettings(settings.github_app_client_id, secret.get_secret_value(), public_url)


def build_oauth(
    settings: Settings, github: GitHub, session: aiohttp.ClientSession, clock: Clock
) -> OAuth | None:
    """GitHub's OAuth endpoints with the App's client id and secret; None without them. No call is made yet."""
    client_id, secret = settings.github_app_client_id, settings.github_app_client_secret
    if client_id is None or secret is None:
        return None
    return OAuth(
        session=session,
        url=settings.github_url,
        api_url=settings.github_api_url,
        client_id=client_id,
        client_secret=Literal(secret.get_secret_value()),
        user_agent=github.user_agent,
        now=clock.now,
    )


def build_github(settings: GitHubSettings, session: aiohttp.ClientSession, clock: Clock) -> GitHub:
    """The App's client for GitHub; no call is made yet."""
    return GitHub(
        session,
        api_url=settings.github_api_url,
        url=settings.github_url,
        app_id=settings.github_app_id,
        private_key=settings.github_app_private_key.get_secret_value(),
        version=VERSION,
        now=clock.now,
    )


def build_accounts(settings: GitHubSettings, github: GitHub, db: Database) -> OurAccounts:
    """The accounts that we serve; no call is made yet."""
    return OurAccounts(
        github, db, settings.github_accounts, api_url=settings.github_api_url, app_id=settings.github_app_id
    )


@asynccontextmanager
async def run(
    settings: Settings,
    options: Options,
    *,
    role: Role = Role.ALL,
    clock: Clock | None = None,
    runs_jobs: bool = True,
    alone: bool = False,
    socket_ping: float = PING,
    engines: Engines | None = None,
) -> AsyncIterator[Running]:
    """Start Stanch, and stop it at the end; raises StartRefused or StorageUnavailable.

    With `runs_jobs` False no job runs by itself: tests call `Worker.run_due`. With `alone`, no other server may use
    the same SQLite file. `socket_ping` is the real time in seconds between two pings of Socket Mode.
    `engines` are the database's, if they are open already.
    """
    clock = clock or Clock()
    async with AsyncExitStack() as stack:
        # 1. The database, migrated to this version.
        db = build_database(settings, clock, engines)
        if alone:
            await stack.enter_async_context(only_server(db))
        stack.push_async_callback(db.close)
        await db.migrate()
        await refuse_unfinished_move(db)
        # 2. Slack and GitHub: the start fails if one refuses us, but not if it does not answer.
        session = await stack.enter_async_context(open_session())
        context = build_context(settings, options, db, session, clock)
        await _check_platforms(context)
        await _save_workspace(context)
        # 3. The writer and the routes: if the port is in use, the start fails before any job is touched.
        if role is not Role.WORKER:
            await context.batch_writer.start()
            stack.push_async_callback(context.batch_writer.stop)
        slack_app = SlackApp(context)
        stack.push_async_callback(slack_app.forms.stop)
        site, host, port = await _listen(stack, settings, context, role, slack_app)
        if role is not Role.WORKER:
            await _connect(stack, settings, context, slack_app, socket_ping)
        # 4. The worker. At the stop the routes close first.
        worker = Worker(context, HANDLERS)
        if role is not Role.WEB:
            await note_start(context)
            await worker.take_over()
            await request_sync(context, every=AT_START)
        if runs_jobs:
            await _start_tasks(stack, worker, context, role)
        stack.push_async_callback(site.stop)
        for name, consequence in missing_settings(settings):
            log.warning("not_set", setting=name, means=consequence)
        log.info("serving", host=host, port=port, role=role, version=VERSION)
        yield Running(context, worker, slack_app, host, port)
        log.info("stopping")


def open_session() -> aiohttp.ClientSession:
    """The process's HTTP session: no cookies, ten seconds for a call; raises StartRefused for a bad proxy setting."""
    fault = proxy_fault()
    if fault:
        raise StartRefused(fault)
    return aiohttp.ClientSession(
        request_class=ProxiedRequest,
        timeout=aiohttp.ClientTimeout(total=10.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=100),
    )


async def _check_platforms(context: Context) -> None:
    """Ask Slack and GitHub who we are; raises StartRefused if one of them refuses us."""
    checks = (context.platforms.check_slack(), context.platforms.check_github())
    # Both are waited for, so that no call is left running when one of them fails.
    for result in await asyncio.gather(*checks, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
    for name, state in (("slack", context.platforms.slack), ("github", context.platforms.github)):
        if not state.ok:
            log.warning("serving_without", server=name, reason=state.reason)


async def _save_workspace(context: Context) -> None:
    """Store the workspace's id, for commands of the command line that don't ask Slack."""
    if context.platforms.workspace is not None:
        async with context.db.begin() as tx:
            await saved_values.save(tx, SLACK_TEAM, context.platforms.workspace.team_id)


async def _start_tasks(stack: AsyncExitStack, worker: Worker, context: Context, role: Role) -> None:
    """Start the background tasks; at the stop, jobs that are running may finish."""
    tasks = [asyncio.create_task(housekeeping.keep_platforms_checked(context), name="platforms")]
    workers = []
    if role is not Role.WEB:
        workers.append(asyncio.create_task(worker.run(), name="worker"))
        tasks.append(asyncio.create_task(housekeeping.run_housekeeping(context), name="housekeeping"))

    async def stop() -> None:
        worker.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*workers, *tasks, return_exceptions=True)
        await finish_refreshes(context)

    stack.push_async_callback(stop)


async def _listen(
    stack: AsyncExitStack, settings: Settings, context: Context, role: Role, slack_app: SlackApp
) -> tuple[web.TCPSite, str, int]:
    web_app = web.Application(client_max_size=LARGEST)
    web_app.add_routes(status_routes(context))
    if role is not Role.WORKER:
        web_app.add_routes(request_routes(settings, context, slack_app))
    runner = web.AppRunner(web_app, access_log=None, shutdown_timeout=1.0, lingering_time=2.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise StartRefused(
            f"HOST and PORT: {settings.host}:{settings.port} can't be listened on "
            f"({error.strerror or error}); end what uses it or choose another PORT."
        ) from None
    host, port = runner.addresses[0][:2]
    return site, str(host), int(port)


async def _connect(
    stack: AsyncExitStack, settings: Settings, context: Context, slack_app: SlackApp, ping: float
) -> None:
    if settings.slack_app_token is None:
        return
    token = settings.slack_app_token.get_secret_value()
    slack = AppLevelClient(token, settings.slack_api_url, context.session)
    socket = SocketMode(context, slack_app, slack, ping=ping)
    stack.push_async_callback(socket.stop)
    await socket.start()
