"""Checks Slack: the bot token and its scopes, the workspace, Socket Mode or the signing secret."""

import re
from contextlib import suppress

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, fault, ok, warning
from bot.rules.platform_needs import ADDRESSES_SCOPE, missing_scopes
from bot.rules.slack_addresses import app_address
from bot.settings import Settings
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.app_level_client import AppLevelClient
from integrations.slack.facts import BotFacts
from integrations.slack.installation import SlackInstallation, app_of_token

SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")
"""What Slack's signing secrets look like; no call can check one."""
CONNECTIONS = "connections:write"
NO_ANSWER = ("slack.no_answer", "slack.certificate")
REASONS = {"no_answer": "no connection", "timeout": "nothing in time"}
"""Our own codes in words; Slack's are shown as they are."""
OAUTH, BASIC, SOCKET = "oauth", "general", "socket-mode"
"""Slack's pages of an app."""


async def check_slack(examined: Examined, stored: StoredFacts) -> tuple[list[CheckResult], bool]:
    """The results, and whether Slack takes the bot token, without which nothing else can be asked."""
    found: list[CheckResult] = []
    slack, client, settings = examined.slack, examined.app_token, examined.settings
    bot, app = None, app_of_token(client.token) if client is not None else None
    if slack is not None:
        try:
            bot = await slack.whoami()
            own = await _app_id(slack, bot)
            found += _bot_token(examined, slack, stored, bot, own or app)
            if own and app and own != app:
                page = app_address(slack.client.base_url, own, BASIC)
                return [
                    *found,
                    fault("slack.other_app", "SLACK_APP_TOKEN", app=app, bot=own, page=page),
                ], True
            app = own or app
        except errors.SlackError as error:
            page = app_address(slack.client.base_url, app, OAUTH)
            found.append(_failure(error, slack.client.base_url, "SLACK_BOT_TOKEN", page))
    if any(one.code in NO_ANSWER for one in found):
        return found, False
    if client is not None:
        found += await _app_token(client, app)
    elif slack is not None and _is_odd(settings):
        page = app_address(slack.client.base_url, app, BASIC)
        found.append(warning("slack.odd_signing_secret", "SLACK_SIGNING_SECRET", page=page))
    return found, bot is not None


def _is_odd(settings: Settings | None) -> bool:
    """Whether there is a signing secret that can't be one of Slack's."""
    secret = settings.slack_signing_secret if settings is not None else None
    return secret is not None and not SIGNING_SECRET.fullmatch(secret.get_secret_value())


async def _app_id(slack: Slack, bot: BotFacts) -> str | None:
    """The id of the bot's app, for the addresses of its pages; None if Slack does not say."""
    with suppress(errors.SlackError):
        return await SlackInstallation(slack).app_id(bot.bot_id)
    return None


def _bot_token(
    examined: Examined, slack: Slack, stored: StoredFacts, bot: BotFacts, app: str | None
) -> list[CheckResult]:
    found = []
    if stored.team is not None and stored.team != bot.team_id:
        found.append(fault("slack.other_workspace", bot.team_id, former=stored.team, url=bot.url))
    page = app_address(slack.client.base_url, app, OAUTH)
    # Slack sends the scopes with every answer; if it did not, they can't be checked.
    for scope, feature in missing_scopes(slack.scopes, examined.options).items() if slack.scopes else ():
        level = warning if scope == ADDRESSES_SCOPE or scope.endswith(":history") else fault
        found.append(level("slack.scope_missing", scope, feature=feature, page=page))
    return found or [ok("slack.ok", bot.team_id, url=bot.url)]


async def _app_token(client: AppLevelClient, app: str | None) -> list[CheckResult]:
    """Ask for an address to connect to, and don't use it: Slack lets it lapse."""
    server = client.client.base_url
    try:
        await client.open_connection()
    except errors.SlackError as error:
        page = app_address(server, app, BASIC)
        if error.code == "missing_scope":
            return [fault("slack.app_token_scope", "SLACK_APP_TOKEN", scope=CONNECTIONS, page=page)]
        if isinstance(error, errors.Rejected):
            page = app_address(server, app, SOCKET)
            return [fault("slack.no_socket_mode", "SLACK_APP_TOKEN", reason=error.code, page=page)]
        return [_failure(error, server, "SLACK_APP_TOKEN", page)]
    return [ok("slack.socket_ok")]


def _failure(error: errors.SlackError, server: str, setting: str, page: str) -> CheckResult:
    if isinstance(error, errors.SlackUntrusted):
        return fault("slack.certificate", server, reason=error.reason)
    if isinstance(error, errors.SlackUnauthorized):
        code = "slack.token_refused" if setting == "SLACK_BOT_TOKEN" else "slack.app_token_refused"
        return fault(code, setting, server=server, reason=error.code, page=page)
    return fault("slack.no_answer", server, reason=REASONS.get(error.code, error.code))
