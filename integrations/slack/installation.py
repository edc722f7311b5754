"""What Slack says of the installation of our app: its app id and its channels. And takes a message away again."""

import re

from integrations.json_types import JsonObject
from integrations.slack.api import Slack
from integrations.slack.errors import MessageGone
from integrations.slack.facts import ChannelFacts, items, member, parse_channel, text
from integrations.slack.web_api import WebApi

PAGE = 200
APP_OF_TOKEN = re.compile(r"xapp-\d+-([A-Z0-9]+)-")


class SlackInstallation:
    """The app of one bot token in its workspace. Methods raise SlackError."""

    def __init__(self, slack: Slack) -> None:
        self._api = WebApi(slack.client)

    async def app_id(self, bot_id: str) -> str | None:
        """The id of the app that this bot belongs to; None if Slack does not say. Needs the scope `users:read`."""
        found = await self._api.get("bots.info", {"bot": bot_id})
        return text(member(found, "bot"), "app_id") or None

    async def channels(self) -> tuple[ChannelFacts, ...]:
        """The channels that the bot is in, without archived ones. Needs `channels:read` and `groups:read`."""
        found: list[ChannelFacts] = []
        arguments: dict[str, object] = {
            "types": "public_channel,private_channel",
            "exclude_archived": True,
            "limit": PAGE,
        }
        while True:
            page = await self._api.get("users.conversations", arguments)
            # The bot asks for its own channels, so that it is in each, whatever the list leaves out.
            found += [_channel(each) for each in items(page, "channels") if isinstance(each, dict)]
            arguments["cursor"] = text(member(page, "response_metadata"), "next_cursor")
            if not arguments["cursor"]:
                return tuple(found)

    async def take_away(self, channel: str, ts: str) -> None:
        """Delete a message of ours; one that is gone already is no error."""
        try:
            await self._api.post("chat.delete", {"channel": channel, "ts": ts})
        except MessageGone:
            return


def app_of_token(token: str) -> str | None:
    """The id of the app that an app-level token belongs to, which is a part of it; None in another form."""
    found = APP_OF_TOKEN.match(token)
    return found[1] if found else None


def _channel(raw: JsonObject) -> ChannelFacts:
    return parse_channel({"channel": {**raw, "is_member": True}})
