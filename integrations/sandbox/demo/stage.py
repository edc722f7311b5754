"""Starts both stand-ins, furnished, and holds them for the page and the bot."""

import asyncio
import contextlib
import time
from collections import defaultdict
from types import TracebackType
from typing import Self

from integrations.sandbox.demo.faults import Switchboard
from integrations.sandbox.demo.leaks import Leak, leak_secrets
from integrations.sandbox.demo.world import furnish_github, furnish_slack
from integrations.sandbox.github import GitHubAlert, GitHubChange, GitHubRepository, GitHubSandbox
from integrations.sandbox.slack import SlackSandbox

REVOKE_SECONDS = 5.0
"""How long a reported token lives on here, so that "reported, not yet confirmed" can be seen."""
LEAKS_AT_ONCE = 10
CARD_TIMEOUT = 20.0
QUIET_SECONDS = 1.0


class Stage:
    """The two stand-ins with the page's world in them."""

    def __init__(self, *, private_key: str | None = None) -> None:
        self.slack = SlackSandbox(now=time.time)
        self.github = GitHubSandbox(now=time.time, private_key=private_key)
        self.github.revoke_delay = REVOKE_SECONDS
        # A page that is clicked on for an afternoon is no reason to run into GitHub's hourly limits.
        self.github.core_limit = self.github.unauthenticated_limit = 100_000
        self.switches = Switchboard(self.slack, self.github)
        self.timelines: dict[tuple[int, int], list[GitHubChange]] = defaultdict(list)
        furnish_slack(self.slack)
        furnish_github(self.github)
        self.github.watch(self._keep)

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
        """Let Slack and GitHub call the bot at this base address from now on."""
        self.slack.events_url = f"{address}/slack/events"
        self.github.webhook_url = f"{address}/github/webhooks"

    async def leak(self, repository: GitHubRepository, leak: Leak) -> list[GitHubAlert]:
        """Leak on GitHub, a few at a time: a push of hundreds doesn't hold up everything else."""
        alerts = []
        for number, alert in enumerate(leak_secrets(self.github, repository, leak)):
            alerts.append(alert)
            if number % LEAKS_AT_ONCE == LEAKS_AT_ONCE - 1:
                await asyncio.sleep(0)
        return alerts

    async def open_scene(self) -> None:
        """What has happened before somebody opens the page: three leaks, one of them closed on GitHub.

        The bot looks through GitHub when it starts. What it finds then is old to it, so let it finish.
        """
        await self._quiet()
        named = {each.name: each for each in self.github.repositories.values()}
        await self.leak(named["web"], Leak("stripe"))
        await self.leak(named["infra"], Leak("aws", bypassed=True))
        [dead] = await self.leak(named["payments"], Leak("dead"))
        await self._card_in("C0PAYMENTS")
        self.github.close(dead, self.github.user("ana-ruiz"), "revoked", "Rotated in the vault this morning")
        await self.github.settle()

    async def _quiet(self) -> None:
        """Wait until the bot has asked GitHub something, and then nothing more for a moment."""
        asked = -1
        while asked < len(self.github.requests) or not asked:
            asked = len(self.github.requests)
            await asyncio.sleep(QUIET_SECONDS)

    async def _card_in(self, channel: str) -> None:
        """Wait for the first card of a channel, but not for ever: the bot may be in trouble."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CARD_TIMEOUT):
                with contextlib.closing(self.slack.subscribe()) as changes:
                    while not self.slack.cards(channel):
                        await anext(changes)

    def _keep(self, change: GitHubChange) -> None:
        if change.repository_id is not None and change.alert_number is not None:
            self.timelines[change.repository_id, change.alert_number].append(change)
