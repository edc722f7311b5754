"""The state of the stand-in workspace, and the builders that fill it."""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from integrations.sandbox.slack.blocks import Json, with_ids
from integrations.sandbox.slack.feed import Feed, SlackChange
from integrations.sandbox.slack.records import App, Channel, SlackMessage, SlackTeam, SlackUser, UserGroup


class SlackWorkspace:
    """People, channels and messages. Records are immutable: a change replaces the record."""

    def __init__(self, app: App, now: Callable[[], float], feed: Feed) -> None:
        self.app = app
        self.now = now
        self.feed = feed
        self.teams: dict[str, SlackTeam] = {}
        self.users: dict[str, SlackUser] = {}
        self.usergroups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[SlackMessage] = []
        self._messages: dict[str, dict[str, SlackMessage]] = {}
        # (channel, thread_ts) -> the ts of each reply; it keeps long channels fast.
        self._threads: dict[tuple[str, str], list[str]] = {}
        self._last_id = 0
        self._last_microsecond = 0
        self.add_team(app.team_id, domain=app.team_domain, name="Stand-in workspace")
        self.add_user(app.bot_user_id, name="stanch", is_bot=True)

    def new_id(self, prefix: str = "") -> str:
        """An id like Slack's, unique in this workspace."""
        self._last_id += 1
        return f"{prefix}{self._last_id:010d}" if prefix else secrets.token_urlsafe(4)

    def next_ts(self) -> str:
        """The `ts` of a message posted now: seconds with six decimals, always increasing."""
        self._last_microsecond = max(int(self.now() * 1_000_000), self._last_microsecond + 1)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    # People and channels

    def add_team(self, team_id: str, *, domain: str | None = None, name: str | None = None) -> SlackTeam:
        """Another organization's workspace; its people are external to the app's."""
        team = SlackTeam(team_id, domain or team_id.lower(), name or team_id)
        self.teams[team_id] = team
        return team

    def add_user(
        self,
        user_id: str,
        *,
        name: str | None = None,
        real_name: str | None = None,
        team_id: str | None = None,
        **fields: Any,
    ) -> SlackUser:
        """A person or a bot; `fields` are those of `SlackUser`."""
        name = name or user_id.lower()
        team_id = team_id or self.app.team_id
        if team_id not in self.teams:
            self.add_team(team_id)
        user = SlackUser(
            id=user_id, team_id=team_id, name=name, real_name=real_name or name.title(), **fields
        )
        self.users[user_id] = user
        return user

    def add_channel(
        self,
        channel_id: str,
        *,
        name: str | None = None,
        members: Iterable[str] = (),
        bot_in: bool = True,
        **fields: Any,
    ) -> Channel:
        """A channel with these members, and the bot if `bot_in`; `fields` are those of `Channel`."""
        everyone = frozenset(members) | (frozenset({self.app.bot_user_id}) if bot_in else frozenset())
        channel = Channel(id=channel_id, name=name or channel_id.lower(), members=everyone, **fields)
        self.channels[channel_id] = channel
        self._messages.setdefault(channel_id, {})
        return channel

    def add_usergroup(self, group_id: str, *, handle: str, users: Iterable[str] = ()) -> UserGroup:
        """A user group."""
        group = UserGroup(group_id, handle, tuple(users))
        self.usergroups[group_id] = group
        return group

    def change_user(self, user_id: str, **fields: Any) -> SlackUser:
        """Change fields of a user, such as `deleted=True` or `presence="away"`."""
        self.users[user_id] = replace(self.users[user_id], **fields)
        return self.users[user_id]

    def change_channel(self, channel_id: str, **fields: Any) -> Channel:
        """Change fields of a channel, such as `is_archived=True` or `members=frozenset(...)`."""
        self.channels[channel_id] = replace(self.channels[channel_id], **fields)
        return self.channels[channel_id]

    def dm(self, user: str) -> Channel:
        """The app's direct message channel with this person, created if missing."""
        existing = next((c for c in self.channels.values() if c.dm_user == user), None)
        return existing or self.add_channel(self.new_id("D"), members=[user], private=True, dm_user=user)

    def bot_is_in(self, channel: Channel) -> bool:
        return self.app.bot_user_id in channel.members

    # Messages

    def messages(self, channel: str) -> list[SlackMessage]:
        """All messages of a channel, oldest first: replies included, deleted ones not."""
        return [message for message in self._messages.get(channel, {}).values() if not message.deleted]

    def message(self, channel: str, ts: str) -> SlackMessage | None:
        """The message, or the tombstone of a deleted one with replies."""
        return self._messages.get(channel, {}).get(ts)

    def history(self, channel: str) -> list[SlackMessage]:
        """The messages that Slack lists: all of the channel, with tombstones of deleted ones with replies."""
        return list(self._messages.get(channel, {}).values())

    def replies(self, channel: str, ts: str) -> list[SlackMessage]:
        found = (self.message(channel, reply) for reply in self._threads.get((channel, ts), ()))
        return [reply for reply in found if reply is not None]

    def post_as_app(
        self,
        channel: str,
        text: str,
        blocks: Collection[Json] = (),
        *,
        metadata: Json | None = None,
        thread_ts: str | None = None,
        reply_broadcast: bool = False,
        ephemeral_to: str | None = None,
    ) -> SlackMessage:
        """Post as the app's bot, visible to everyone or (`ephemeral_to`) to one person."""
        message = SlackMessage(
            ts=self.next_ts(),
            channel=channel,
            user=self.app.bot_user_id,
            bot_id=self.app.bot_id,
            text=text,
            blocks=with_ids(blocks, self.new_id),
            metadata=metadata,
            thread_ts=thread_ts,
            reply_broadcast=reply_broadcast,
            ephemeral_to=ephemeral_to,
        )
        if ephemeral_to is None:
            self._add(message)
        else:
            self.ephemerals.append(message)
            self.feed.publish(SlackChange("ephemeral", channel=channel, ts=message.ts, user=ephemeral_to))
        return message

    def post_as_user(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None
    ) -> SlackMessage:
        """Post a person's message."""
        message = SlackMessage(ts=self.next_ts(), channel=channel, user=user, text=text, thread_ts=thread_ts)
        self._add(message)
        return message

    def _add(self, message: SlackMessage) -> None:
        self._messages[message.channel][message.ts] = message
        if message.thread_ts is not None:
            self._threads.setdefault((message.channel, message.thread_ts), []).append(message.ts)
        self.feed.publish(SlackChange("message_posted", channel=message.channel, ts=message.ts))

    def redraw(self, message: SlackMessage, **fields: Any) -> SlackMessage:
        """Replace a message with a changed copy."""
        if "blocks" in fields:
            fields["blocks"] = with_ids(fields["blocks"], self.new_id)
        changed = replace(message, **fields)
        if message.ephemeral_to is None:
            self._messages[message.channel][message.ts] = changed
        else:
            self.ephemerals = [changed if e.ts == message.ts else e for e in self.ephemerals]
        self.feed.publish(
            SlackChange("message_updated", channel=message.channel, ts=message.ts, user=message.ephemeral_to)
        )
        return changed

    def delete_message(self, channel: str, ts: str) -> None:
        """Delete a message; one with replies leaves a tombstone, so that its thread stays."""
        message = self._messages[channel].get(ts)
        if message is None:
            self.ephemerals = [e for e in self.ephemerals if e.ts != ts]
        elif self.replies(channel, ts):
            self._messages[channel][ts] = replace(message, deleted=True, text="", blocks=(), metadata=None)
        else:
            del self._messages[channel][ts]
        self.feed.publish(SlackChange("message_deleted", channel=channel, ts=ts))

    def ephemeral(self, user: str, ts: str) -> SlackMessage | None:
        return next((e for e in self.ephemerals if e.ts == ts and e.ephemeral_to == user), None)
