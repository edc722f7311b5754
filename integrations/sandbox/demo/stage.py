"""Starts both stand-ins with the demo's people, channels and repositories."""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

from integrations.sandbox.demo.faults import Switchboard
from integrations.sandbox.demo.leaks import Leak, leak_secrets
from integrations.sandbox.demo.timelines import Timelines
from integrations.sandbox.demo.world import fill_github, fill_slack
from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox
from integrations.sandbox.slack import SlackSandbox

REVOKE_SECONDS = 5.0
"""Delay until a reported token stops working, so that "reported, not yet confirmed" can be seen."""
LEAKS_AT_ONCE = 10
CARD_TIMEOUT = 20.0
QUIET_SECONDS = 1.0


class Stage:
    """The two stand-ins, filled for the demo."""

    def __init__(self, *, private_key: str | None = None) -> None:
        self.slack = SlackSandbox(now=time.time)
        self.github = GitHubSandbox(now=time.time, private_key=private_key)
        self.github.revoke_delay = REVOKE_SECONDS
        # An afternoon of clicking must not reach GitHub's hourly limits.
        self.github.graphql_limit = self.github.core_limit = self.github.unauthenticated_limit = 100_000
        self.switches = Switchboard(self.slack, self.github)
        self.opened = asyncio.Event()
        """Set when the first secrets have leaked: from then on the page is for use."""
        self.timelines = Timelines(self.github.alerts)
        fill_slack(self.slack)
        self.github.watch(self.timelines.record)
        fill_github(self.github)

    async def __aenter__(self) -> Self:
        await self.slack.start()
        await self.github.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.slack.stop()
        await self.github.stop()

    def point_at(self, address: str) -> None:
        """Have Slack and GitHub call the bot at this base address from now on."""
        self.slack.events_url = f"{address}/slack/events"
        self.github.webhook_url = f"{address}/github/webhooks"
        self.github.callback_urls = [f"{address}/github/callback"]

    async def leak(self, repository: GitHubRepository, leak: Leak) -> list[GitHubAlert]:
        """Leak on GitHub, a few at a time, so that hundreds don't block the event loop."""
        alerts = []
        for number, alert in enumerate(leak_secrets(self.github, repository, leak)):
            alerts.append(alert)
            if number % LEAKS_AT_ONCE == LEAKS_AT_ONCE - 1:
                await asyncio.sleep(0)
        return alerts

    async def leak_first_secrets(self) -> None:
        """Leak three secrets before the page is used, and close one alert on GitHub; sets `opened`.

        The bot treats alerts that its first sync finds as old, so this waits for the end of the sync.
        """
        await self._first_sync_done()
        named = {each.name: each for each in self.github.repositories.values()}
        await self.leak(named["web"], Leak("stripe"))
        await self.leak(named["infra"], Leak("aws", bypassed=True))
        [dead] = await self.leak(named["payments"], Leak("dead"))
        await self._first_card("C0PAYMENTS")
        self.github.close(dead, self.github.user("ana-ruiz"), "revoked", "Rotated in the vault this morning")
        await self.github.settle()
        self.opened.set()

    async def _first_sync_done(self) -> None:
        """Wait until the bot has called GitHub, and then has made no call for `QUIET_SECONDS`."""
        count = -1
        while count < len(self.github.requests) or not count:
            count = len(self.github.requests)
            await asyncio.sleep(QUIET_SECONDS)

    async def _first_card(self, channel: str) -> None:
        """Wait for a channel's first card, at most `CARD_TIMEOUT` seconds, because the bot may fail."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CARD_TIMEOUT):
                with contextlib.closing(self.slack.subscribe()) as changes:
                    while not self.slack.cards(channel):
                        await anext(changes)
