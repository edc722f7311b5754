"""Helpers of the tests about subscriptions: channels, typed commands, and the buttons of their answers."""

from integrations.sandbox.slack import SlackMessage
from storage import subscriptions
from storage.records import ChannelId, Subscription
from tests.flows.stage import ADMIN, MANAGER, OWNER, READER, UNLINKED, Stage

TEAM_CHANNEL = "C0TEAM"
"""A private channel without guests."""
OPEN_CHANNEL = "C0OPEN"
"""A public channel."""
GUEST = "U0GUEST"


def add_channels(stage: Stage) -> None:
    """A private and a public channel."""
    people = [OWNER, ADMIN, MANAGER, READER, UNLINKED]
    stage.slack.workspace.add_channel(TEAM_CHANNEL, name="payments-team", members=people, private=True)
    stage.slack.workspace.add_channel(OPEN_CHANNEL, name="open", members=people)


def invite_guest(stage: Stage, channel: str) -> None:
    """Let a guest join a channel."""
    stage.slack.workspace.add_user(GUEST, name="visitor", is_restricted=True)
    members = stage.slack.workspace.channels[channel].members | {GUEST}
    stage.slack.workspace.change_channel(channel, members=members)


async def type_in(stage: Stage, user: str, text: str, channel: str = TEAM_CHANNEL) -> str:
    """Type `/leaks …` in a channel, and return the private answer without markup."""
    await stage.slack.command(user, channel, text)
    await stage.work(within=3)
    return stage.answer_to(user)


def last_answer(stage: Stage, user: str) -> SlackMessage:
    """The last private answer to a user."""
    return stage.slack.private_messages(user)[-1]


async def press(stage: Stage, user: str, action: str, message: SlackMessage | None = None) -> str:
    """Press a button of the last private answer, or of another message; returns the answer."""
    clicked = message or last_answer(stage, user)
    await stage.slack.click(user, clicked.channel, clicked.ts, action)
    await stage.work(within=15)
    return stage.answer_to(user)


async def subscribe(stage: Stage, user: str, words: str, channel: str = TEAM_CHANNEL) -> str:
    """Type `/leaks subscribe …`, and press the button of the preview."""
    await type_in(stage, user, f"subscribe {words}", channel)
    return await press(stage, user, "subscribe")


async def stored(stage: Stage, channel: str = TEAM_CHANNEL) -> Subscription | None:
    """The channel's subscription."""
    async with stage.context.db.read() as tx:
        return await subscriptions.of_channel(tx, ChannelId(channel))


def said(stage: Stage, channel: str = TEAM_CHANNEL) -> list[str]:
    """The channel's messages, without cards."""
    return [one.shown_text for one in stage.slack.channel_messages(channel) if not one.action_ids]
