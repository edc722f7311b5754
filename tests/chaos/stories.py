"""What people and GitHub do, as stories that are played once for each point at which something can fail."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.flows.alerts.sync import request_sync
from integrations.sandbox.github import GitHubAlert, Organization
from integrations.sandbox.slack import ImpossibleGesture
from tests.flows.sign_in import identity_of, link
from tests.flows.stage import ADMIN, CHANNEL, UNLINKED, Stage

REVOKE = "/credentials/revoke"
FLOOD = 28
"""Alerts at once; up to 25 of a minute get a card of their own."""
Step = Callable[[Stage], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Story:
    """One story; `play` is one try of a person, who tries again while `is_done` is false."""

    name: str
    prepare: Step
    play: Step
    is_done: Callable[[Stage], Awaitable[bool]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of `open_stage`."""
    audited: str | None = None
    """The action's name in the audit log; it is done once."""
    is_thorough: bool = False
    """Whether it is played with every mode on both kinds of databases."""


async def _nothing(_stage: Stage) -> None:
    """Everything happens in the story itself."""


async def _leak(stage: Stage) -> None:
    await stage.leak()


def _only_alert(stage: Stage) -> GitHubAlert:
    [alert] = stage.github.alerts.values()
    return alert


def _shows(*words: str) -> Callable[[Stage], Awaitable[bool]]:
    async def shows(stage: Stage) -> bool:
        cards = stage.slack.cards(CHANNEL)
        return len(cards) == 1 and all(word in stage.read() for word in words)

    return shows


async def _new_alert(stage: Stage) -> None:
    if not stage.github.alerts:
        await stage.leak()


async def _check(stage: Stage) -> None:
    # The same alert is asked about at most once in 30 seconds.
    stage.clock.advance(31)
    await stage.click(ADMIN, "check_validity")


async def _report(stage: Stage) -> None:
    await stage.report(ADMIN)
    await stage.work(within=70)


async def _is_reported(stage: Stage) -> bool:
    token = stage.github.token_of(_only_alert(stage))
    assert token is not None
    # Where no probe was answered before the report, a later 401 confirms nothing: GitHub also gives it for tokens of
    # other servers.
    ends = ("reported and confirmed inactive", "reported and not valid on this GitHub")
    return token.revoked_at is not None and any(words in stage.read() for words in ends)


async def _close(stage: Stage) -> None:
    try:
        await stage.pick(ADMIN, "close_as", "revoked")
    except ImpossibleGesture:
        # It is picked from a try whose form was not filled, and Slack does not send the same pick again.
        await stage.pick(ADMIN, "close_as", "wont_fix")
        await stage.slack.close_view(ADMIN, stage.form(ADMIN).id)
        await stage.pick(ADMIN, "close_as", "revoked")
    await stage.submit(ADMIN, {"comment": {"comment": "Rotated."}})


async def _leak_and_close(stage: Stage) -> None:
    await stage.leak()
    await _close(stage)


async def _reopen(stage: Stage) -> None:
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN)


async def _is_reopened(stage: Stage) -> bool:
    return _only_alert(stage).state == "open" and "close_as" in stage.card().action_ids


async def _take(stage: Stage) -> None:
    await stage.click(ADMIN, "take")


async def _is_taken(stage: Stage) -> bool:
    assigned = _only_alert(stage).assigned_to
    return f"<@{ADMIN}>" in stage.card().shown_text and assigned is stage.people[ADMIN]


async def _add_newcomer(stage: Stage) -> None:
    octo = stage.github.app_owner
    assert isinstance(octo, Organization)
    stage.people[UNLINKED] = stage.github.add_user("octo-new")
    stage.github.add_member(octo, stage.people[UNLINKED])


async def _link(stage: Stage) -> None:
    await link(stage, UNLINKED, stage.people[UNLINKED])


async def _is_linked(stage: Stage) -> bool:
    identity = await identity_of(stage, UNLINKED)
    return identity is not None and identity.github.login == "octo-new"


async def _flood(stage: Stage) -> None:
    if not stage.github.alerts:
        for number in range(FLOOD):
            stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
    await stage.work(within=80)


async def _is_summarized(stage: Stage) -> bool:
    summaries = [one for one in stage.slack.channel_messages(CHANNEL) if "show_list" in one.action_ids]
    folded = FLOOD - len(stage.slack.cards(CHANNEL))
    return len(summaries) == 1 and f"{folded} new alerts" in summaries[0].shown_text


async def _leak_unheard(stage: Stage) -> None:
    """Alerts of which no webhook comes."""
    stage.github.webhook_url = None
    for number in range(3):
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")


async def _sync(stage: Stage) -> None:
    stage.clock.advance(60)
    await request_sync(stage.context, every=60)
    await stage.work(within=30)


async def _all_have_cards(stage: Stage) -> bool:
    return len(stage.slack.cards(CHANNEL)) == len(stage.github.alerts)


STORIES: Mapping[str, Story] = {
    story.name: story
    for story in (
        Story("new-alert", _nothing, _new_alert, _shows("Found"), is_thorough=True),
        Story("report", _leak, _report, _is_reported, audited="report_leak", is_thorough=True),
        Story("close", _leak, _close, _shows("Closed as revoked"), audited="close_alert", is_thorough=True),
        Story("check", _leak, _check, _shows("live token"), audited="check_validity"),
        Story("reopen", _leak_and_close, _reopen, _is_reopened, audited="reopen_alert"),
        Story("take", _leak, _take, _is_taken, audited="take"),
        Story("link", _add_newcomer, _link, _is_linked, settings={"sign_in": True}),
        Story("flood", _nothing, _flood, _is_summarized),
        Story("sync", _leak_unheard, _sync, _all_have_cards),
    )
}
