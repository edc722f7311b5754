"""What Slack's app-level token is for: the address of a Socket Mode connection."""

import logging

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from integrations.slack.errors import SlackUncertain
from integrations.slack.facts import text
from integrations.slack.web_api import WebApi

METHOD = "apps.connections.open"


class AppLevelClient:
    """Slack for one app's `xapp-` token."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        # The SDK logs whole answers at DEBUG, and the address in this one lets its holder in.
        logger = logging.getLogger("integrations.slack.sdk")
        logger.setLevel(logging.INFO)
        self.token = token
        self.client = AsyncWebClient(
            token, base_url=api_url, session=session, logger=logger, retry_handlers=[]
        )
        # The SDK's own choice ignores NO_PROXY; the session knows the right one for each address.
        self.client.proxy = None
        self._api = WebApi(self.client)

    async def open_connection(self) -> str:
        """A WebSocket address, good for one connection that is made at once; keep it out of every log.

        Raises `SlackError`s, `Unauthorized` where the token is refused.
        """
        url = text(await self._api.post(METHOD, {}), "url")
        if not url:
            raise SlackUncertain(METHOD, "unreadable_answer")
        return url
