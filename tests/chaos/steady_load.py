"""The load of the steady run: what people and GitHub do in a usual hour, without any fault."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from integrations.sandbox.slack import SlackMessage
from tests.chaos.random_events import SITE_CHANNEL, RandomEvents
from tests.processes.scene import CHANNEL, PEOPLE

RECENT = 40
"""People work on the newest cards of a channel."""
LOOK_UPS = ("list", "list repo:octo/site", "mine", "search payments", "history payments#1", "whoami", "help")


class SteadyLoad(RandomEvents):
    """Leaks, closes, checks, reports, look-ups and repeated requests, at an even rate."""

    async def run_at(self, rate: float, seconds: float) -> None:
        """Start `rate` events a second for `seconds`, then wait until all have ended."""
        events: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self._leak, 3.0),
            (self._close_on_github, 0.7),
            (self._reopen_on_github, 0.3),
            (self._click_check, 0.8),
            (self._click_take, 0.8),
            (self._close_by_form, 1.2),
            (self._reopen_by_form, 0.3),
            (self._report_by_form, 0.6),
            (self._look_up, 1.5),
            (self._repeat_request, 1.0),
            (self._repeat_delivery, 0.5),
        ]
        what, weights = zip(*events, strict=True)
        began = time.monotonic()
        number = 0
        while (at := number / rate) < seconds:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            [event] = self._dice.choices(what, weights)
            task = asyncio.create_task(self._try(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            number += 1
        await asyncio.gather(*self._tasks)

    async def _click_take(self) -> None:
        user, card = self._dice.choice(list(PEOPLE)), self._some_card("take")
        await self.scene.slack.click(user, card.channel, card.ts, "take")
        self.notes.counts["takes"] += 1

    async def _look_up(self) -> None:
        typed = self._dice.choice(LOOK_UPS)
        result = await self.scene.slack.command(self._dice.choice(list(PEOPLE)), CHANNEL, typed)
        assert result.status == 200
        self.notes.counts["look-ups"] += 1

    async def _repeat_request(self) -> None:
        """Slack sends one of the last clicks and submits again."""
        sent = [one.request for one in self.scene.slack.deliveries[-20:] if one.status == 200 and one.payload]
        requests = [one for one in sent if one is not None and one.body.startswith(b"payload=")]
        if requests:
            assert (await self.scene.slack.resend(self._dice.choice(requests))).status == 200
            self.notes.counts["requests of Slack sent again"] += 1

    async def _repeat_delivery(self) -> None:
        """GitHub sends one of the last deliveries again."""
        if self.scene.github.deliveries:
            self.scene.github.redeliver(self._dice.choice(self.scene.github.deliveries[-20:]))
            self.notes.counts["deliveries of GitHub sent again"] += 1

    def _some_card(self, control: str) -> SlackMessage:
        cards = [
            card for channel in (CHANNEL, SITE_CHANNEL) for card in self.scene.slack.cards(channel)[-RECENT:]
        ]
        for card in random.Random(self._dice.random()).sample(cards, len(cards)):
            if card.control(control) is not None:
                return card
        raise AssertionError("no such card now")
