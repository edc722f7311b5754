"""Finds the Slack workspace of a command."""

import re

from bot.app import open_session
from bot.database import SLACK_TEAM
from bot.errors import StartRefused
from bot.settings import IdentitySettings
from integrations.slack.api import Slack
from integrations.slack.errors import SlackError, SlackUnauthorized
from storage import saved_values
from storage.db import Database
from storage.records import SlackTeamId

TEAM = re.compile(r"[TE][A-Z0-9]{2,20}")


async def find_workspace(db: Database, settings: IdentitySettings, team: str | None) -> SlackTeamId:
    """The workspace of `--team`, else the one that `serve` saved, else the bot token's; raises StartRefused."""
    if team is not None:
        if not TEAM.fullmatch(team):
            raise StartRefused(f"{team[:40]!r} is not a Slack workspace id, which looks like T012AB3CD.")
        return SlackTeamId(team)
    async with db.read() as tx:
        saved = await saved_values.load(tx, SLACK_TEAM)
    return SlackTeamId(saved if isinstance(saved, str) else await _ask(settings))


async def _ask(settings: IdentitySettings) -> str:
    if settings.slack_bot_token is None:
        raise StartRefused(
            "The workspace is not known yet: set SLACK_BOT_TOKEN, start stanch serve once, "
            "or name it with --team T012AB3CD."
        )
    async with open_session() as session:
        slack = Slack(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        try:
            return (await slack.whoami()).team_id
        except SlackUnauthorized as error:
            raise StartRefused(
                f"Slack at {settings.slack_api_url} refuses SLACK_BOT_TOKEN ({error.code}): "
                "take the current bot token from the app's page OAuth & Permissions."
            ) from None
        except SlackError as error:
            raise StartRefused(
                f"Slack at {settings.slack_api_url} could not be asked for the workspace ({error.code}): "
                "name it with --team T012AB3CD."
            ) from None
