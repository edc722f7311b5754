"""Opens Socket Mode connections with Slack's app-level token."""

import aiohttp

from integrations.slack.errors import SlackUncertain
from integrations.slack.facts import text
from integrations.slack.web_api import WebApi, build_client

METHOD = "apps.connections.open"


class AppLevelClient:
    """Slack's Web API for one app-level token (`xapp-…`)."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        self.token = token
        self.client = build_client(token, api_url, session)
        self._api = WebApi(self.client)

    async def open_connection(self) -> str:
        """Return a WebSocket address for one connection, to be made at once. Never log it.

        Raises `SlackError`; `SlackUnauthorized` where Slack refuses the token.
        """
        url = text(await self._api.post(METHOD, {}), "url")
        if not url:
            raise SlackUncertain(METHOD, "unreadable_answer")
        return url
