"""Opens Socket Mode connections with Slack's app-level token."""

import logging

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from integrations.slack.errors import SlackUncertain
from integrations.slack.facts import text
from integrations.slack.web_api import WebApi

METHOD = "apps.connections.open"


class AppLevelClient:
    """Slack's Web API for one app-level token (`xapp-…`)."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        # The SDK logs whole responses at DEBUG, and this one holds an address that needs no other credential.
        logger = logging.getLogger("integrations.slack.sdk")
        logger.setLevel(logging.INFO)
        self.token = token
        self.client = AsyncWebClient(
            token, base_url=api_url, session=session, logger=logger, retry_handlers=[]
        )
        # The SDK's own choice of a proxy ignores NO_PROXY; the session chooses it for each address.
        self.client.proxy = None
        self._api = WebApi(self.client)

    async def open_connection(self) -> str:
        """Return a WebSocket address for one connection, to be made at once. Never log it.

        Raises `SlackError`; `SlackUnauthorized` where Slack refuses the token.
        """
        url = text(await self._api.post(METHOD, {}), "url")
        if not url:
            raise SlackUncertain(METHOD, "unreadable_answer")
        return url
