"""The random events of the run: leaks, clicks, changes on GitHub, faults of both servers, and kill -9."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.faults import FaultPlan
from integrations.sandbox.github import GitHubAlert, GitHubChange, GitHubRepository
from integrations.sandbox.slack import ImpossibleGesture, SlackMessage, View
from tests.processes.scene import CHANNEL, OWNER, PEOPLE, Scene, alert_of
from tests.processes.waiting import until

SITE_CHANNEL = "C0SITE"
REASONS = ("revoked", "false_positive", "used_in_tests", "wont_fix")
FORM_WITHIN = 8.0
"""Seconds to wait for a form."""
BOT = "stanch[bot]"
WRITES = (r"PATCH .*", r"POST /credentials/revoke", r"chat\.postMessage")
GITHUB_CALLS = (r".*", r"GET .*", r"PATCH .*", r"POST /credentials/revoke", r"POST .*")
SLACK_METHODS = (r".*", r"chat\.postMessage", r"chat\.update", r"conversations\..*", r"views\..*")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A click or submit that was answered with 200."""

    user: str
    action: str
    repository_id: int
    number: int


@dataclass(slots=True)
class Notes:
    """What happened, for the checks and the printed counts."""

    counts: Counter[str] = field(default_factory=Counter)
    submitted: list[Submitted] = field(default_factory=list)
    closed_by_bot: list[tuple[int | None, int | None, str | None]] = field(default_factory=list)
    """Repository id, alert number and comment of each closure by Stanch on GitHub."""
    starts: list[float] = field(default_factory=list)
    """Seconds that each start took until it was ready."""


class RandomEvents:
    """Random events; the same seed chooses the same events, but their timing differs."""

    def __init__(self, scene: Scene, seed: int, repositories: list[GitHubRepository]) -> None:
        self.scene = scene
        self.notes = Notes()
        self._dice = random.Random(seed)
        self._repositories = repositories
        self._tasks: set[asyncio.Task[None]] = set()
        self._user_locks = {user: asyncio.Lock() for user in PEOPLE}
        self._restarting = asyncio.Lock()
        scene.github.watch(self._note_closure)

    async def run(self, seconds: float) -> None:
        """Start events for `seconds`, then wait until all have ended."""
        events: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self._leak, 1.2),
            (self._close_on_github, 1.0),
            (self._reopen_on_github, 0.7),
            (self._click_check, 1.5),
            (self._close_by_form, 3.0),
            (self._reopen_by_form, 1.5),
            (self._report_by_form, 2.0),
            (self._fault, 2.5),
            (self._kill, 0.6),
        ]
        what, weights = zip(*events, strict=True)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            [event] = self._dice.choices(what, weights)
            task = asyncio.create_task(self._try(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(self._dice.uniform(0.1, 0.6))
        await asyncio.gather(*self._tasks)

    async def _try(self, event: Callable[[], Awaitable[None]]) -> None:
        """Run an event, which is given up if its control is not there or no form opens."""
        try:
            await event()
        except (ImpossibleGesture, AssertionError):
            self.notes.counts["gestures given up"] += 1

    def _note_closure(self, change: GitHubChange) -> None:
        if change.kind == "secret_scanning_alert.resolved" and change.by == BOT:
            assert change.repository_id is not None
            assert change.alert_number is not None
            alert = self.scene.github.alerts[change.repository_id, change.alert_number]
            self.notes.closed_by_bot.append(
                (change.repository_id, change.alert_number, alert.resolution_comment)
            )

    # GitHub's side

    async def _leak(self) -> None:
        repository = self._dice.choice(self._repositories)
        validity: Any = self._dice.choice(("unknown", "active"))
        self.scene.github.leak(
            repository,
            token=self.scene.live_token(),
            validity=validity,
            path=f"src/{self._dice.randrange(999)}.py",
        )
        self.notes.counts["leaks"] += 1

    async def _close_on_github(self) -> None:
        if alert := self._some("open"):
            reason = self._dice.choice(REASONS)
            self.scene.github.close(alert, by=self.scene.people[OWNER], resolution=reason, comment="By hand.")
            self.notes.counts["closed on GitHub"] += 1

    async def _reopen_on_github(self) -> None:
        if alert := self._some("resolved"):
            self.scene.github.reopen(alert, by=self.scene.people[OWNER])
            self.notes.counts["reopened on GitHub"] += 1

    def _some(self, state: str) -> GitHubAlert | None:
        found = [alert for alert in self.scene.github.alerts.values() if alert.state == state]
        return self._dice.choice(found) if found else None

    # Slack's side

    async def _click_check(self) -> None:
        user, card = self._dice.choice(list(PEOPLE)), self._some_card("check_validity")
        result = await self.scene.slack.click(user, card.channel, card.ts, "check_validity")
        if result.status == 200 and result.error is None:
            self._note(user, "check_validity", card)

    async def _close_by_form(self) -> None:
        reason, number = self._dice.choice(REASONS), self._dice.randrange(10**9)

        async def open_form(user: str, card: SlackMessage) -> None:
            await self.scene.slack.select(user, card.channel, card.ts, "close_as", reason)

        values = {"resolution": {"resolution": reason}, "comment": {"comment": f"chaos {number}"}}
        await self._by_form("close_as", "close_alert", "resolution", values, open_form)

    async def _reopen_by_form(self) -> None:
        async def open_form(user: str, card: SlackMessage) -> None:
            await self.scene.slack.click(user, card.channel, card.ts, "reopen")

        await self._by_form("reopen", "reopen_alert", "comment", {}, open_form)

    async def _report_by_form(self) -> None:
        async def open_form(user: str, card: SlackMessage) -> None:
            await self.scene.slack.click(user, card.channel, card.ts, "report_leak")

        values = {"consequence": {"understood": ["yes"]}}
        await self._by_form("report_leak", "report_leak", "understood", values, open_form)

    async def _by_form(
        self,
        button: str,
        action: str,
        control: str,
        values: dict[str, Any],
        open_form: Callable[[str, SlackMessage], Awaitable[None]],
    ) -> None:
        user, card = self._dice.choice(list(PEOPLE)), self._some_card(button)
        async with self._user_locks[user]:
            try:
                await open_form(user, card)
                view = await until(lambda: self._form(user, control), "a form", within=FORM_WITHIN)
                assert view is not None
                result = await self.scene.slack.submit(user, view.id, values)
                if result.status == 200 and result.error is None and not result.view_errors:
                    self._note(user, action, card)
            finally:
                await self._close_form(user)

    def _form(self, user: str, control: str) -> View | None:
        view = self.scene.slack.view(user)
        return view if view is not None and view.control(control) is not None else None

    async def _close_form(self, user: str) -> None:
        view = self.scene.slack.view(user)
        if view is not None:
            with contextlib.suppress(ImpossibleGesture):
                await self.scene.slack.close_view(user, view.id, whole_stack=True)

    def _some_card(self, control: str) -> SlackMessage:
        """Any card with that control; raises AssertionError if there is none."""
        cards = [card for channel in (CHANNEL, SITE_CHANNEL) for card in self.scene.slack.cards(channel)]
        fit = [card for card in cards if card.control(control) is not None]
        assert fit, "no such card now"
        return self._dice.choice(fit)

    def _note(self, user: str, action: str, card: SlackMessage) -> None:
        repository_id, number = alert_of(card)
        self.notes.submitted.append(Submitted(user, action, repository_id, number))
        self.notes.counts[f"accepted {action}"] += 1

    # Faults

    async def _fault(self) -> None:
        github = self._dice.random() < 0.5
        plan: FaultPlan = self.scene.github.faults if github else self.scene.slack.faults
        pattern = self._dice.choice(GITHUB_CALLS if github else SLACK_METHODS)
        kinds: dict[str, dict[str, Any]] = {
            "429": {"status": 429, "headers": {"retry-after": "1"}},
            "503": {"status": 503},
            "hang": {"hang": True},
            "drop before": {"drop": "before"},
            "drop after": {"drop": "after"},
            "slow": {"slow": 0.7},
        }
        kind = self._dice.choice(list(kinds))
        if pattern in WRITES:
            # These calls are rare, so the fault stays until the next ones, and faults in them do the most harm.
            plan.add(pattern, times=self._dice.choice((1, 1, 2)), **kinds[kind])
        else:
            rule = plan.add(pattern, **kinds[kind])
            await asyncio.sleep(self._dice.uniform(0.5, 4.0))
            with contextlib.suppress(ValueError):
                plan.remove(rule)
        self.notes.counts[f"{'GitHub' if github else 'Slack'} {kind}"] += 1

    async def _kill(self) -> None:
        if self._restarting.locked():
            return
        async with self._restarting:
            await self.scene.bot.kill()
            self.notes.counts["kill -9"] += 1
            await asyncio.sleep(self._dice.choice((0.0, 0.5, 2.0)))
            self.notes.starts.append(await self.scene.bot.start())
            self.scene.point_at(self.scene.bot)
