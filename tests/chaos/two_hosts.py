"""Two hosts with a web and a worker process each, on one PostgreSQL: one is cut off in the middle of work."""

import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.jobs.worker import LEASE
from integrations.sandbox.faults import Gate
from integrations.sandbox.github import generate_private_key
from integrations.sandbox.slack import SlackMessage
from tests.chaos import gestures
from tests.chaos.checks import find_failures
from tests.chaos.databases import start_server
from tests.chaos.hold_lock import LOCKED
from tests.chaos.network import HERE, NETWORK, Host, two_hosts
from tests.chaos.parts import run_part
from tests.chaos.random_events import Notes
from tests.chaos.runner import say
from tests.processes.bot import ROOT, Bot
from tests.processes.postgresql import OwnServer
from tests.processes.scene import ADMIN, ANY_ALERT, CHANNEL, OWNER, RECOVERED, Scene, open_scene
from tests.processes.waiting import until

CUT_FOR = 2 * LEASE + 10.0
"""Seconds: the leases have passed, and so have the waits for calls and statements."""
LEAKS = 6
CLOSED = "Closed as revoked"


@dataclass(slots=True)
class Cluster:
    """Both hosts' processes."""

    scene: Scene
    hosts: tuple[Host, Host]
    webs: list[Bot] = field(default_factory=list)
    workers: list[Bot] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    async def start(self) -> None:
        """Start a web and a worker process on each host."""
        for host in self.hosts:
            for role, bots in (("web", self.webs), ("worker", self.workers)):
                bot = self.scene.new_bot(role, host=host.address, namespace=host.name)
                await bot.start()
                bots.append(bot)
        for web in self.webs:
            # Otherwise the stand-ins send requests to this machine's loopback alone.
            for stand_in in (self.scene.github, self.scene.slack):
                stand_in.hosts[web.address] = web.address
        self.scene.point_at(self.webs[0])
        await self.scene.idle()

    async def leak(self, name: str) -> None:
        """Leak a secret and wait until its webhook is answered."""
        self.scene.github.leak(self.scene.repository, token=self.scene.live_token(), path=f"{name}.env")
        await self.scene.github.settle()


def run_and_report() -> int:
    """Run it and print what happened; returns the exit status."""
    return run_part("two hosts, one cut off", _run)


async def _run(directory: Path) -> list[str]:
    with two_hosts() as hosts:
        server = start_server(Path(tempfile.mkdtemp(prefix="stanch-pg-")))
        try:
            return await run(OwnServer(server).listen(HERE, _free_port(), NETWORK), directory, hosts)
        finally:
            server.cleanup()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        return int(listener.getsockname()[1])


async def run(url: str, directory: Path, hosts: tuple[Host, Host]) -> list[str]:
    """Run on one database; returns the failures, a sentence each."""
    async with open_scene(url, directory, generate_private_key(), host=HERE) as scene:
        this = Cluster(scene, hosts)
        await this.start()
        for number in range(LEAKS):
            scene.point_at(this.webs[number % 2])
            await this.leak(f"before{number}")
        await until(lambda: len(scene.slack.cards(CHANNEL)) == LEAKS, "cards", within=RECOVERED)
        await scene.idle()
        cards = scene.slack.cards(CHANNEL)
        gates = await _begin_on_first_host(this, cards)
        holder = await _hold_lock(url, hosts[0])
        began = time.monotonic()
        hosts[0].cut_off()
        try:
            for gate in gates:
                gate.open()
            this.workers[1].resume()
            await _go_on_meanwhile(this, cards)
            await until(lambda: _is_taken_over(scene, cards), "its work is done by the other host", within=90)
            say(f"  the work of the host that was cut off was done after {time.monotonic() - began:.0f} s")
            await asyncio.sleep(max(0.0, CUT_FOR - (time.monotonic() - began)))
        finally:
            hosts[0].connect()
            holder.kill()
        await _go_on_after(this)
        return [*await find_failures(scene, this.notes), *gestures.repeated_calls(scene), *_not_well(this)]


async def _begin_on_first_host(this: Cluster, cards: Sequence[SlackMessage]) -> list[Gate]:
    """A close, a report and a post by the first host's worker, whose answers do not come."""
    scene, faults = this.scene, (this.scene.github.faults, this.scene.slack.faults)
    # Within its lease, so it loses nothing.
    this.workers[1].pause()
    scene.point_at(this.webs[0])
    gates = [
        faults[0].gate(rf"PATCH {ANY_ALERT}", at="after"),
        faults[0].gate(rf"POST {gestures.REVOKE}", at="after"),
        faults[1].gate("chat.postMessage", at="after"),
    ]
    await gestures.close(scene, this.notes, OWNER, cards[0])
    await gates[0].reached(timeout=RECOVERED)
    await gestures.report(scene, this.notes, ADMIN, cards[1])
    await gates[1].reached(timeout=RECOVERED)
    await this.leak("posted")
    await gates[2].reached(timeout=RECOVERED)
    return gates


async def _hold_lock(url: str, host: Host) -> asyncio.subprocess.Process:
    """A process of that host that is in the middle of a transaction."""
    words = ("netns", "exec", host.name, sys.executable, "-m", "tests.chaos.hold_lock", url)
    holder = await asyncio.create_subprocess_exec("ip", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    assert (await holder.stdout.readline()).decode().strip() == LOCKED
    return holder


async def _go_on_meanwhile(this: Cluster, cards: Sequence[SlackMessage]) -> None:
    """The other host gets requests, and posts cards at once; webhooks to the first one are not answered."""
    scene = this.scene
    await this.leak("lost")
    assert scene.github.deliveries[-1].status_code != 202, "a host that is cut off answers"
    scene.point_at(this.webs[1])
    began, before = time.monotonic(), len(scene.slack.cards(CHANNEL))
    await this.leak("meanwhile")
    await until(lambda: len(scene.slack.cards(CHANNEL)) > before, "a card meanwhile", within=RECOVERED)
    say(f"  the other host posted a new card after {time.monotonic() - began:.1f} s")
    await gestures.close(scene, this.notes, OWNER, cards[2])


def _is_taken_over(scene: Scene, cards: Sequence[SlackMessage]) -> bool:
    shown = [gestures.present(scene, card).shown_text for card in cards[:3]]
    for text, words in zip(shown, (CLOSED, "Reported", CLOSED), strict=True):
        assert words in text, text
    return True


async def _go_on_after(this: Cluster) -> None:
    """The first host goes on by itself, in the end alone."""
    scene, began = this.scene, time.monotonic()
    await until(this.webs[0].readiness, "the web process is ready", within=RECOVERED)
    assert await this.workers[1].stop() == 0
    scene.point_at(this.webs[0])
    await _redeliver(scene)
    before = len(scene.slack.cards(CHANNEL))
    await this.leak("after")
    await until(lambda: len(scene.slack.cards(CHANNEL)) > before, "a card afterwards", within=RECOVERED)
    await gestures.close(scene, this.notes, ADMIN, scene.slack.cards(CHANNEL)[-1])
    await until(scene.is_idle, "nothing is left to do", within=90)
    say(f"  after it was connected, the first host was done alone in {time.monotonic() - began:.0f} s")


async def _redeliver(scene: Scene) -> None:
    """As a sync asks GitHub to."""
    for delivery in [each for each in scene.github.deliveries if each.status_code != 202]:
        assert await scene.github.send(delivery) == 202


def _not_well(this: Cluster) -> list[str]:
    return [
        f"a {bot.role} process has ended"
        for bot in (*this.webs, this.workers[0])
        if (bot.starts, bot.runs) != (1, True)
    ]
