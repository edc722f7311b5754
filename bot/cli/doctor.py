"""`stanch doctor`: checks the whole installation, changes nothing, and says what to do."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, replace
from typing import Annotated, TypeVar

import aiohttp
import typer
from yarl import URL

from bot.app import build_accounts, build_github, build_oauth, open_session
from bot.cli.console import say
from bot.database import build_database
from bot.errors import StartRefused
from bot.flows.doctor.examine import examine
from bot.flows.doctor.examined import Examined, app_level_client, read_mounts, read_variables
from bot.logs import set_up_logging
from bot.options import Options
from bot.partial_settings import AddressSettings, SlackSettings
from bot.rules.check_results import CheckResult
from bot.rules.network_needs import NetworkNeed, Servers, network_needs
from bot.setting_warnings import questionable_settings
from bot.settings import (
    GitHubSettings,
    Settings,
    SettingsBase,
    StorageSettings,
    load_all,
    load_options,
    load_settings,
    only_in_file,
)
from bot.version import VERSION
from bot.views.doctor import report_json, report_lines
from integrations.proxies import proxy_fault, proxy_for
from integrations.slack.api import Slack
from storage.clock import Clock
from storage.db import Database
from storage.engines import open_engines

S = TypeVar("S", bound=SettingsBase)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    network: Annotated[
        bool, typer.Option("--network", help="Only list the hosts and ports that are needed.")
    ] = False,
) -> None:
    """Check settings, Slack, GitHub, channels, webhooks, database and queue; change nothing."""
    if network:
        fault = proxy_fault()
        if fault is not None:
            raise StartRefused(fault)
        needs = network_needs(_servers(load_settings(AddressSettings)))
        _print_network([_through_proxy(need) for need in needs], as_json=as_json)
        return
    # A refusal of GitHub's is a result here, so it is not logged as well.
    set_up_logging("error", "text")
    results = asyncio.run(run_doctor())
    if as_json:
        say(json.dumps(report_json(results, VERSION), indent=2))
    else:
        for line in report_lines(results):
            say(line)
    if any(result.is_finding for result in results):
        raise typer.Exit(1)


async def run_doctor() -> tuple[CheckResult, ...]:
    """The results of all checks that the settings allow."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        connects = proxy_fault() is None
        # With a malformed proxy nothing is asked, since a direct call might go where none should.
        session = await stack.enter_async_context(open_session() if connects else aiohttp.ClientSession())
        faults, settings, options = _load()
        storage = settings or _usable(StorageSettings)
        github = settings or _usable(GitHubSettings) if connects else None
        slack = settings or _usable(SlackSettings) if connects else None
        db = _database(storage, clock) if storage else None
        if db is not None:
            stack.push_async_callback(db.close)
        client = build_github(github, session, clock) if github else None
        known = read_variables()
        examined = Examined(
            clock=clock,
            session=session,
            settings=settings,
            options=options,
            db=db,
            slack=_slack(slack, session) if slack else None,
            app_token=app_level_client(slack.slack_app_token, slack.slack_api_url, session)
            if slack
            else None,
            github=client,
            ours=build_accounts(github, client, db) if github and client and db else None,
            oauth=build_oauth(settings, client, session, clock) if settings and client else None,
            github_url=github.github_url if github else "",
            faults=tuple(faults),
            questionable=tuple(questionable_settings(storage)) if storage else (),
            variables=known,
            only_in_file=only_in_file() if known else frozenset(),
            mounts=read_mounts(),
        )
        return await examine(examined)


def _load() -> tuple[list[str], Settings | None, Options]:
    """What is wrong with settings and options, and what of them can be used all the same."""
    try:
        settings, options = load_all(Settings)
    except StartRefused as refused:
        options = Options()
        with suppress(StartRefused):
            options = load_options(_usable(StorageSettings) or load_settings(StorageSettings))
        return str(refused).splitlines(), _usable(Settings), options
    return [], settings, options


def _usable(kind: type[S]) -> S | None:
    try:
        return load_settings(kind)
    except StartRefused:
        return None


def _database(settings: StorageSettings, clock: Clock) -> Database:
    """The database, whose files keep their modes."""
    return build_database(settings, clock, open_engines(settings.database_url, makes_private=False))


def _slack(settings: Settings | SlackSettings, session: aiohttp.ClientSession) -> Slack:
    return Slack(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)


def _servers(settings: AddressSettings) -> Servers:
    http = settings.slack_signing_secret is not None and settings.slack_app_token is None
    return Servers(
        slack_api_url=settings.slack_api_url,
        github_url=settings.github_url,
        github_api_url=settings.github_api_url,
        database_url=build_database(settings, Clock()).name,
        socket_mode=not http,
        webhooks=settings.github_webhook_secret is not None,
        public_url=settings.stanch_public_url,
        host=settings.host,
        port=settings.port,
    )


def _through_proxy(need: NetworkNeed) -> NetworkNeed:
    """The connection with the proxy through which it goes by the environment, if any."""
    if need.direction == "in" or need.protocol == "postgresql":
        return need
    proxy = proxy_for(URL.build(scheme=need.protocol, host=need.host.replace("*", "wss"), port=need.port))
    return need if proxy is None else replace(need, proxy=str(proxy.with_user(None)))


def _print_network(needs: list[NetworkNeed], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps([asdict(need) for need in needs], indent=2))
        return
    for need in needs:
        way = f" (through the proxy {need.proxy})" if need.proxy else ""
        say(f"{need.direction}\t{need.protocol}\t{need.host}:{need.port}\t{need.purpose}{way}")
