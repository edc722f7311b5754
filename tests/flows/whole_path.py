"""One alert from the leak to its close by good practice, and the messages that Stanch sends on the way."""

from dataclasses import dataclass

from integrations.sandbox.github import GitHubAlert
from integrations.sandbox.slack import SlackMessage
from tests.flows.stage import ADMIN, CHANNEL, Stage

LEAKY = "U0LEAKY"
"""The Slack user of the leaked token's owner."""
STEPS = ("rotated", "services", "logs")


@dataclass(frozen=True, slots=True)
class Sent:
    """How many messages were sent for one alert."""

    channel: int
    replies: int
    direct: int
    """To the token's owner."""
    private: int
    """To everybody else: ephemeral and direct messages."""


MOST = Sent(channel=1, replies=4, direct=1, private=0)


async def add_owner(stage: Stage) -> None:
    """The token's owner gets a Slack user, linked by an operator."""
    stage.slack.workspace.add_user(LEAKY, name="leaky")
    await stage.link(LEAKY, stage.leaker)


async def tell_owner(stage: Stage) -> None:
    """Open the report form, and tell the owner first; the form stays open. The token was checked before."""
    await stage.click(ADMIN, "report_leak")
    await stage.slack.click_in_view(ADMIN, stage.form(ADMIN).id, "tell_owner")
    await stage.work(within=3)


def owner_message(stage: Stage) -> SlackMessage:
    """The only direct message to the owner."""
    [message] = stage.slack.private_messages(LEAKY)
    return message


async def answer_as_owner(stage: Stage, button: str) -> None:
    """Press a button of that message."""
    told = owner_message(stage)
    await stage.slack.click(LEAKY, told.channel, told.ts, button)
    await stage.work(within=3)


def checklist(stage: Stage) -> SlackMessage:
    """The checklist in the thread of the only card."""
    thread = stage.slack.thread(CHANNEL, stage.card().ts)
    return next(message for message in thread if "next_steps" in message.action_ids)


async def work_to_the_end(stage: Stage) -> GitHubAlert:
    """Check, take, tell the owner, report, confirmed, steps, close."""
    await add_owner(stage)
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "take")
    await tell_owner(stage)
    await answer_as_owner(stage, "owner_rotated")
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    await stage.work(within=70)
    for step in STEPS:
        await stage.slack.tick(ADMIN, CHANNEL, checklist(stage).ts, "next_steps", step)
        await stage.work(within=3)
    await stage.close_as(ADMIN, "revoked", "Rotated in vault.")
    await stage.work(within=10)
    return alert


def count_sent(stage: Stage) -> Sent:
    """What is in Slack now, for the only card's alert."""
    users = [user for user in stage.slack.workspace.users if user != LEAKY]
    return Sent(
        channel=len([one for one in stage.slack.channel_messages(CHANNEL) if one.bot_id is not None]),
        replies=len(stage.slack.thread(CHANNEL, stage.card().ts)),
        direct=len(stage.slack.private_messages(LEAKY)),
        private=sum(len(stage.slack.private_messages(user)) for user in users),
    )
