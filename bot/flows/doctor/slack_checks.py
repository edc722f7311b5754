"""Checks Slack: the bot token and its scopes, the workspace, Socket Mode or the signing secret."""

import re

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.rules.check_results import CheckResult, fault, ok, warning
from bot.rules.platform_needs import ADDRESSES_SCOPE, missing_scopes
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.app_level_client import AppLevelClient
from integrations.slack.facts import BotFacts

SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")
"""What Slack's signing secrets look like; no call can check one."""
CONNECTIONS = "connections:write"


async def check_slack(examined: Examined, stored: StoredFacts) -> tuple[list[CheckResult], bool]:
    """The results, and whether Slack takes the bot token, without which nothing else can be asked."""
    found: list[CheckResult] = []
    bot = None
    if examined.slack is not None:
        try:
            bot = await examined.slack.whoami()
            found += _bot_token(examined, examined.slack, stored, bot)
        except errors.SlackError as error:
            found.append(_failure(error, examined.slack.client.base_url, "SLACK_BOT_TOKEN"))
    if examined.app_token is not None:
        found += await _app_token(examined.app_token)
    elif examined.settings is not None and examined.settings.slack_signing_secret is not None:
        secret = examined.settings.slack_signing_secret.get_secret_value()
        if not SIGNING_SECRET.fullmatch(secret):
            found.append(warning("slack.odd_signing_secret", "SLACK_SIGNING_SECRET"))
    return found, bot is not None


def _bot_token(examined: Examined, slack: Slack, stored: StoredFacts, bot: BotFacts) -> list[CheckResult]:
    found = []
    if stored.team is not None and stored.team != bot.team_id:
        found.append(fault("slack.other_workspace", bot.team_id, former=stored.team, url=bot.url))
    # Slack sends the scopes with every answer; without them nothing can be said about them.
    for scope, feature in (
        missing_scopes(slack.scopes or (), examined.options).items() if slack.scopes else ()
    ):
        level = warning if scope == ADDRESSES_SCOPE or scope.endswith(":history") else fault
        found.append(level("slack.scope_missing", scope, feature=feature))
    return found or [ok("slack.ok", bot.team_id, url=bot.url)]


async def _app_token(client: AppLevelClient) -> list[CheckResult]:
    """Ask for an address to connect to, and don't use it: Slack lets it lapse."""
    try:
        await client.open_connection()
    except errors.SlackError as error:
        if error.code == "missing_scope":
            return [fault("slack.app_token_scope", "SLACK_APP_TOKEN", scope=CONNECTIONS)]
        if isinstance(error, errors.Rejected):
            return [fault("slack.no_socket_mode", "SLACK_APP_TOKEN", reason=error.code)]
        return [_failure(error, client.client.base_url, "SLACK_APP_TOKEN")]
    return [ok("slack.socket_ok")]


def _failure(error: errors.SlackError, server: str, setting: str) -> CheckResult:
    if isinstance(error, errors.SlackUntrusted):
        return fault("slack.certificate", server, reason=error.reason)
    if isinstance(error, errors.SlackUnauthorized):
        code = "slack.token_refused" if setting == "SLACK_BOT_TOKEN" else "slack.app_token_refused"
        return fault(code, setting, server=server, reason=error.code)
    return fault("slack.no_answer", server, reason=error.code)
