"""Reads what people see in Slack: channels, threads, private answers, modals, push notifications."""

from integrations.sandbox.slack.feed import FeedSubscription
from integrations.sandbox.slack.records import SlackMessage, View
from integrations.sandbox.slack.world import SlackWorld


class Viewer:
    """Reads the workspace as a person's client would."""

    def __init__(self, world: SlackWorld) -> None:
        self._world = world

    def message(self, channel: str, ts: str) -> SlackMessage | None:
        return self._world.workspace.message(channel, ts)

    def channel_messages(self, channel: str) -> list[SlackMessage]:
        """The messages of a channel, oldest first; replies only where they were broadcast."""
        return [m for m in self._world.workspace.messages(channel) if not m.is_reply or m.reply_broadcast]

    def thread(self, channel: str, ts: str) -> list[SlackMessage]:
        """The replies of a thread, oldest first."""
        return self._world.workspace.replies(channel, ts)

    def cards(self, channel: str) -> list[SlackMessage]:
        """The messages whose metadata names an alert."""
        messages = self._world.workspace.messages(channel)
        return [m for m in messages if (m.metadata or {}).get("event_type") == "stanch_alert"]

    def private_messages(self, user: str) -> list[SlackMessage]:
        """What only this person saw: ephemerals, private answers, direct messages; oldest first."""
        workspace = self._world.workspace
        own = [e for e in workspace.ephemerals if e.ephemeral_to == user]
        direct = [
            m for c in workspace.channels.values() if c.dm_user == user for m in workspace.messages(c.id)
        ]
        return sorted([*own, *(m for m in direct if m.bot_id is not None)], key=lambda m: float(m.ts))

    def push_previews(self, user: str) -> list[str]:
        """The texts of this person's push notifications, oldest first."""
        channels = [c for c in self._world.workspace.channels.values() if user in c.members]
        messages = [m for c in channels for m in self._world.workspace.messages(c.id) if m.user != user]
        return [m.text for m in sorted(messages, key=lambda m: float(m.ts))]

    def view(self, user: str) -> View | None:
        """The modal on top, if one is open."""
        stack = self._world.modals.stack(user)
        return stack[-1] if stack else None

    def views(self, user: str) -> list[View]:
        """The stack of modals, the root first."""
        return self._world.modals.stack(user)

    def home(self, user: str) -> View | None:
        return self._world.modals.home(user)

    def subscribe(self) -> FeedSubscription:
        """The changes from now on; call its `close` when done."""
        return self._world.workspace.feed.subscribe()
