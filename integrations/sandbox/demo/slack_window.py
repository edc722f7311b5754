"""One person's view of Slack, as JSON for the page."""

from typing import Any

from integrations.sandbox.demo.world import CHANNELS, PEOPLE, DemoPerson
from integrations.sandbox.slack import Channel, Json, SlackMessage, SlackSandbox, View

BOT_NAME = "Stanch"
DIRECT_TOPIC = "Messages from Stanch to you alone"
DIRECT_EMPTY = "Stanch writes here when a secret of yours has leaked, and when you need to know of a change."


class SlackWindow:
    """Reads what this person's client would show, and nothing else."""

    def __init__(self, slack: SlackSandbox, person: DemoPerson) -> None:
        self.slack = slack
        self.person = person

    def sees(self, channel_id: str) -> bool:
        """Whether the channel or direct message channel is in this person's list."""
        channel = self.slack.workspace.channels.get(channel_id)
        return channel is not None and self.person.slack_id in channel.members

    def channels(self) -> list[Json]:
        """The person's channels in the page's order, then their direct message channels."""
        order = {each.slack_id: number for number, each in enumerate(CHANNELS)}
        own = [c for c in self.slack.workspace.channels.values() if self.sees(c.id)]
        own.sort(key=lambda channel: order.get(channel.id, len(order)))
        return [self._channel(channel) for channel in own]

    def history(self) -> list[Json]:
        """All messages that this person sees, including replies and private ones, oldest first."""
        workspace = self.slack.workspace
        posted = [m for c in workspace.channels if self.sees(c) for m in workspace.messages(c)]
        private = [e for e in workspace.ephemerals if e.ephemeral_to == self.person.slack_id]
        return [self.message(m) for m in sorted([*posted, *private], key=lambda m: m.ts)]

    def find(self, channel: str, ts: str) -> SlackMessage | None:
        """A message that this person sees; None if it is deleted or not visible to them."""
        if not self.sees(channel) and self.slack.workspace.ephemeral(self.person.slack_id, ts) is None:
            return None
        workspace = self.slack.workspace
        found = workspace.message(channel, ts) or workspace.ephemeral(self.person.slack_id, ts)
        return None if found is None or found.deleted else found

    def message(self, message: SlackMessage) -> Json:
        """One message, with the state of its controls in this person's client."""
        user = self.person.slack_id
        return {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "bot": message.bot_id is not None,
            "text": message.text,
            "blocks": message.blocks,
            "thread": message.thread_ts if message.is_reply else None,
            "broadcast": message.reply_broadcast,
            "private": message.ephemeral_to is not None,
            "state": self.slack.world.modals.state_values(user, message.ts, message.blocks),
        }

    def views(self) -> list[Json]:
        """The person's open modals, the lowest first."""
        return [self._view(view) for view in self.slack.views(self.person.slack_id)]

    def _view(self, view: View) -> Json:
        content: dict[str, Any] = view.content
        return {
            "id": view.id,
            "hash": view.hash,
            "callback_id": view.callback_id,
            "title": content.get("title"),
            "submit": content.get("submit"),
            "close": content.get("close"),
            "blocks": view.blocks,
            "errors": view.errors,
            "state": self.slack.world.modals.state_values(self.person.slack_id, view.id, view.blocks),
        }

    def _channel(self, channel: Channel) -> Json:
        known = next((each for each in CHANNELS if each.slack_id == channel.id), None)
        return {
            "id": channel.id,
            "name": BOT_NAME if channel.is_im else channel.name,
            "topic": DIRECT_TOPIC if channel.is_im else known.topic if known else "",
            "empty": DIRECT_EMPTY if channel.is_im else known.empty if known else "",
            "direct": channel.is_im,
            "shared": channel.is_ext_shared,
            "members": len(channel.members),
        }


def people(slack: SlackSandbox) -> list[Json]:
    """All people on the page and the bot, with the names for mentions."""
    listed: list[Json] = [
        {
            "id": person.slack_id,
            "name": person.name,
            "login": person.login,
            "part": person.part,
            "may": person.may,
            "kind": person.kind,
            "linked": person.linked,
        }
        for person in PEOPLE
    ]
    return [*listed, {"id": slack.bot_user_id, "name": BOT_NAME, "kind": "bot"}]
