"""A database that takes no changes for a while: what is refused meanwhile, and what is done afterwards."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from integrations.sandbox.github import WebhookDelivery, generate_private_key
from integrations.sandbox.slack import View
from tests.chaos import gestures
from tests.chaos.checks import find_failures
from tests.chaos.random_events import Notes
from tests.chaos.runner import say
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, OWNER, RECOVERED, Scene, open_scene
from tests.processes.waiting import until

Trouble: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Begins when it is entered, and has ended when it is left."""
LASTS = 25.0
"""Seconds, so that each wait for a lock ends."""
GITHUB_WAITS = 10.0
SLACK_WAITS = 3.0
"""Seconds until they give up (GitHub's docs, "Handling webhook deliveries"; Slack's, "Acknowledging requests")."""
REFUSALS = 3
"""Webhooks that are refused before people come."""
MOST_LEAKS = 15
CLOSED = "Closed as revoked"


@dataclass(slots=True)
class Run:
    """One process in trouble, and what was seen."""

    scene: Scene
    notes: Notes = field(default_factory=Notes)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    """Seconds of the slowest answer to a webhook."""

    async def leak(self) -> WebhookDelivery:
        """Leak a secret and wait for the answer to its webhook."""
        github = self.scene.github
        github.leak(self.scene.repository, token=self.scene.live_token(), path=f"src/{len(github.alerts)}.py")
        await github.settle()
        delivery = github.deliveries[-1]
        self.slowest = max(self.slowest, delivery.duration)
        if delivery.status_code not in (202, 503):
            self.wrong.append(f"a webhook is answered {delivery.status_code} ({delivery.status})")
        return delivery


async def run(url: str, directory: Path, trouble: Trouble) -> list[str]:
    """Run on one database with one process; returns the failures, a sentence each."""
    async with open_scene(url, directory, generate_private_key()) as scene:
        bot, this = await scene.start(), Run(scene)
        for number in range(3):
            await scene.leak(path=f"before{number}.env")
        first, second, third = scene.slack.cards(CHANNEL)
        # In the middle of a job: the alert is closed on GitHub, and can't be recorded.
        form = await gestures.open_close_form(scene, OWNER, first)
        gate = scene.github.faults.gate(rf"PATCH {ANY_ALERT}", at="after")
        await gestures.submit(scene, this.notes, OWNER, first, "close_alert", form, {})
        await gate.reached(timeout=RECOVERED)
        form = await gestures.open_close_form(scene, ADMIN, second)
        async with trouble():
            began = time.monotonic()
            gate.open()
            await _refuse_webhooks(this)
            refused = await _refuse_submit(this, form)
            await asyncio.sleep(max(0.0, LASTS - (time.monotonic() - began)))
        began = time.monotonic()
        await _go_on(this)
        if refused:
            # The person tries again.
            await gestures.submit(scene, this.notes, ADMIN, second, "close_alert", form, {})
        await gestures.close(scene, this.notes, OWNER, third)
        await until(lambda: _is_done(scene), "all alerts have a card, three are closed", within=RECOVERED)
        await scene.idle()
        say(f"  {_numbers(this)}, all done {time.monotonic() - began:.0f} s after its end")
        if (bot.starts, bot.runs) != (1, True):
            this.wrong.append("the process has ended")
        return [*this.wrong, *await find_failures(scene, this.notes), *gestures.repeated_calls(scene)]


async def _refuse_webhooks(this: Run) -> None:
    """Leak until some webhooks in a row were refused; little may still fit in at the beginning."""
    in_a_row = 0
    while in_a_row < REFUSALS and len(this.scene.github.alerts) < MOST_LEAKS:
        delivery = await this.leak()
        in_a_row = in_a_row + 1 if delivery.status_code == 503 else 0
    if in_a_row < REFUSALS:
        this.wrong.append("webhooks are accepted in spite of it")
    if this.slowest >= GITHUB_WAITS:
        this.wrong.append(f"the answer to a webhook took {this.slowest:.1f} s")


async def _refuse_submit(this: Run, form: View) -> bool:
    """Whether a submit is refused, which is right, as is an acknowledgement of what was stored."""
    began = time.monotonic()
    card = this.scene.slack.cards(CHANNEL)[1]
    result = await gestures.submit(this.scene, this.notes, ADMIN, card, "close_alert", form, {})
    seconds = time.monotonic() - began
    if seconds >= SLACK_WAITS or result.status not in (200, 503):
        this.wrong.append(f"a submit is answered {result.status} ({result.error}) after {seconds:.1f} s")
    say(f"  a submit is answered {result.status} after {seconds:.1f} s")
    return result.status != 200


async def _go_on(this: Run) -> None:
    """New webhooks are accepted again, and the refused ones are delivered again, as a sync asks GitHub to."""
    await until(lambda: _is_accepted(this), "a webhook is accepted", within=RECOVERED)
    refused = {each.guid: each for each in this.scene.github.deliveries if each.status_code == 503}
    for delivery in refused.values():
        if await this.scene.github.send(delivery) != 202:
            this.wrong.append("a webhook is refused after the end")


async def _is_accepted(this: Run) -> bool:
    return (await this.leak()).status_code == 202


async def _is_done(scene: Scene) -> bool:
    cards = scene.slack.cards(CHANNEL)
    closed = sum(CLOSED in card.shown_text for card in cards)
    assert (len(cards), closed) == (len(scene.github.alerts), 3), f"{len(cards)} cards, {closed} closed"
    return True


def _numbers(this: Run) -> str:
    answers = [each.status_code for each in this.scene.github.deliveries]
    waits = sum(line["event"] == "job_waits" for line in this.scene.bot.log_lines())
    return (
        f"{answers.count(503)} webhooks refused, the slowest after {this.slowest:.1f} s; "
        f"{waits} jobs interrupted; {len(this.scene.github.alerts)} alerts"
    )
