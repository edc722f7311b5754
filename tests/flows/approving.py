"""Helpers of the tests about reports that a second person approves."""

from integrations.sandbox.slack import SlackMessage
from tests.flows.stage import ADMIN, CHANNEL, Stage, plain
from tests.flows.test_report import sent

BUTTONS = ["approve_report", "deny_report"]


def requests(stage: Stage) -> list[SlackMessage]:
    """The requests for approval in the thread of the only card, with or without their buttons."""
    thread = stage.slack.thread(CHANNEL, stage.card().ts)
    return [message for message in thread if "asks for approval" in message.shown_text]


def request(stage: Stage) -> SlackMessage:
    """The last of them."""
    return requests(stage)[-1]


def read_request(stage: Stage) -> str:
    return plain(request(stage).shown_text)


async def ask(stage: Stage, user: str = ADMIN) -> None:
    """Leak a secret, check that it works, and ask for approval of its report."""
    if not stage.slack.cards(CHANNEL):
        await stage.leak()
        await stage.click(user, "check_validity")
    before = len(sent(stage))
    await stage.report(user)
    assert len(sent(stage)) == before
    assert request(stage).action_ids == BUTTONS


async def decide(
    stage: Stage,
    user: str,
    action: str = "approve_report",
    *,
    value: str | None = None,
    shown: SlackMessage | None = None,
    force: bool = False,
) -> str:
    """Press a button of the last request; returns the private answer without markup."""
    ts = request(stage).ts
    await stage.slack.click(user, CHANNEL, ts, action, value=value, shown=shown, force=force)
    await stage.work(within=3)
    return stage.answer_to(user)
