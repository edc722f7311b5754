"""What people do in channels: click, choose, tick, type a command, use a shortcut."""

from urllib.parse import urlsplit

from integrations.sandbox.slack import payloads
from integrations.sandbox.slack.blocks import Control, Json
from integrations.sandbox.slack.calls import ApiError
from integrations.sandbox.slack.gestures import (
    MENUS,
    ImpossibleGesture,
    acting_user,
    button_fields,
    choose,
    pick_control,
    toggle,
)
from integrations.sandbox.slack.records import Channel, SlackMessage, SlackUser
from integrations.sandbox.slack.response_urls import ResponseUrls, json_object
from integrations.sandbox.slack.sender import Sender
from integrations.sandbox.slack.transport import DeliveryResult
from integrations.sandbox.slack.world import SlackWorld


class MessageGestures:
    """Gestures on messages, slash commands and shortcuts.

    `shown` is an older state of the message that the person's client still shows. `force` sends what Slack's
    client would not offer.
    """

    def __init__(self, world: SlackWorld, sender: Sender, response_urls: ResponseUrls) -> None:
        self._world = world
        self._sender = sender
        self._response_urls = response_urls

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: str | None = None,
        block_id: str | None = None,
        shown: SlackMessage | None = None,
        force: bool = False,
    ) -> DeliveryResult:
        """Press a button of a message; `value` or `block_id` tell buttons with one action id apart."""
        message = self._message(user, channel, ts, shown, force=force)
        control = pick_control(
            message.blocks, ("button",), action_id, value=value, block_id=block_id, force=force
        )
        return await self._act(user, message, control, button_fields(control, value))

    async def select(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: str | None,
        *,
        block_id: str | None = None,
        shown: SlackMessage | None = None,
        force: bool = False,
    ) -> DeliveryResult:
        """Choose an option of a menu; None clears it. The option that is shown can't be chosen again."""
        message = self._message(user, channel, ts, shown, force=force)
        control = pick_control(message.blocks, MENUS, action_id, block_id=block_id, force=force)
        option = choose(self._world, user, message.ts, control, value, force=force)
        return await self._act(user, message, control, {"selected_option": option})

    async def tick(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: str,
        *,
        block_id: str | None = None,
        shown: SlackMessage | None = None,
        force: bool = False,
    ) -> DeliveryResult:
        """Tick or untick one box. Slack sends all boxes that are ticked in this person's client."""
        message = self._message(user, channel, ts, shown, force=force)
        control = pick_control(message.blocks, ("checkboxes",), action_id, block_id=block_id, force=force)
        ticked = toggle(self._world, user, message.ts, control, value, force=force)
        return await self._act(user, message, control, {"selected_options": ticked})

    async def command(self, user: str, channel: str, text: str, *, force: bool = False) -> DeliveryResult:
        """Type a slash command. Slack's docs: only people of the app's workspace have it."""
        person = acting_user(self._world, user, force=force)
        found = self._visible_channel(person, channel, force=force)
        if not has_app(self._world, person) and not force:
            raise ImpossibleGesture(f"{user} is of another organization, where the command does not exist")
        url = self._response_urls.make("commands", user, channel)
        trigger_id = self._world.triggers.make(user)
        payload = payloads.slash_command(
            self._world, user, found, "/leaks", text, trigger_id=trigger_id, response_url=url
        )
        result = await self._sender.send("slash_commands", payload)
        if result.status == 200 and result.body:
            self._show_answer(urlsplit(url).path, result)
        return result

    async def message_shortcut(
        self, user: str, channel: str, ts: str, callback_id: str, *, force: bool = False
    ) -> DeliveryResult:
        """Choose one of the app's entries in a message's menu; other organizations don't have them."""
        message = self._message(user, channel, ts, None, force=force)
        if not has_app(self._world, self._world.workspace.users[user]) and not force:
            raise ImpossibleGesture(f"{user} is of another organization, where the shortcut does not exist")
        url = self._response_urls.make("actions", user, channel, message)
        trigger_id = self._world.triggers.make(user)
        payload = payloads.message_shortcut(self._world, user, message, callback_id, trigger_id, url)
        return await self._sender.send("interactive", payload)

    async def global_shortcut(self, user: str, callback_id: str) -> DeliveryResult:
        """Choose one of the app's global shortcuts."""
        acting_user(self._world, user, force=False)
        trigger_id = self._world.triggers.make(user)
        payload = payloads.global_shortcut(self._world, user, callback_id, trigger_id)
        return await self._sender.send("interactive", payload)

    async def _act(self, user: str, message: SlackMessage, control: Control, fields: Json) -> DeliveryResult:
        url = self._response_urls.make("actions", user, message.channel, message)
        payload = payloads.message_actions(
            self._world,
            user,
            message,
            payloads.action(self._world, control, fields),
            self._world.triggers.make(user),
            url,
        )
        return await self._sender.send("interactive", payload)

    def _visible_channel(self, user: SlackUser, channel_id: str, *, force: bool) -> Channel:
        """The channel, if the user is in it or it is a public one of their workspace."""
        channel = self._world.workspace.channels[channel_id]
        sees = user.id in channel.members or (
            not channel.private
            and has_app(self._world, user)
            and not (user.is_restricted or user.is_ultra_restricted)
        )
        if not sees and not force:
            raise ImpossibleGesture(f"{user.id} is not in {channel_id}")
        return channel

    def _message(
        self, user: str, channel: str, ts: str, shown: SlackMessage | None, *, force: bool
    ) -> SlackMessage:
        person = acting_user(self._world, user, force=force)
        found = self._visible_channel(person, channel, force=force)
        workspace = self._world.workspace
        message = workspace.message(channel, ts) or workspace.ephemeral(user, ts)
        if force and message is None:
            message = next((e for e in workspace.ephemerals if e.ts == ts), None)
        if message is None or message.deleted:
            raise ImpossibleGesture(f"{user} sees no message {ts} in {found.id}")
        return shown or message

    def _show_answer(self, path: str, result: DeliveryResult) -> None:
        """Slack's docs: a command's acknowledgement may be its answer, as plain text or as a message."""
        is_json = result.headers.get("Content-Type", "").startswith("application/json")
        try:
            payload = json_object(result.body.encode()) if is_json else {"text": result.body}
            if payload:
                self._response_urls.answer(path, payload)
        except ApiError as error:
            self._world.note("command", error)


def has_app(world: SlackWorld, person: SlackUser) -> bool:
    """Whether a person is of the app's workspace, or on Enterprise Grid a member of it from elsewhere."""
    app, grid = world.app, person.enterprise_user
    on_grid = grid is not None and grid.get("enterprise_id") == app.enterprise_id
    return person.team_id == app.team_id or (on_grid and app.team_id in (grid or {}).get("teams", ()))
