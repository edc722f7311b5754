"""What people do in channels: click, choose, tick, type a command, use a shortcut."""

from urllib.parse import urlsplit

from integrations.sandbox.slack import payloads
from integrations.sandbox.slack.blocks import Control, Json, controls
from integrations.sandbox.slack.calls import ApiError
from integrations.sandbox.slack.records import Channel, SlackMessage, SlackUser
from integrations.sandbox.slack.response_urls import ResponseUrls, json_object
from integrations.sandbox.slack.transport import DeliveryResult, Kind, SlackDelivery, Transport
from integrations.sandbox.slack.world import SlackWorld


class ImpossibleGesture(Exception):
    """Slack's client would not offer this: no such control or option, not in the channel, nothing changed."""


class Gestures:
    """The base of everything that tells the app something."""

    world: SlackWorld
    transport: Transport
    response_urls: ResponseUrls
    deliveries: list[DeliveryResult]

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> DeliveryResult:
        """Deliver, and keep the result."""
        result = await self.transport.send(SlackDelivery(kind, payload, retry))
        self.deliveries.append(result)
        return result

    def somebody(self, user_id: str, *, force: bool) -> SlackUser:
        """A person who can use Slack at all."""
        user = self.world.workspace.users.get(user_id)
        if user is None:
            raise ImpossibleGesture(f"There is no {user_id}")
        if (user.deleted or user.is_bot) and not force:
            raise ImpossibleGesture(f"{user_id} is deactivated or a bot, and has no client")
        return user

    def pick(
        self,
        blocks: tuple[Json, ...],
        types: tuple[str, ...],
        action_id: str,
        *,
        value: str | None,
        block_id: str | None,
        force: bool,
    ) -> Control:
        """The one control that is meant. With `force`, one of another value, or a made-up one, will do."""
        named = [
            control
            for control in controls(blocks)
            if control.type in types
            and control.action_id == action_id
            and block_id in (None, control.block_id)
        ]
        found = [c for c in named if value is None or c.element.get("value") == value]
        if len(found) == 1:
            return found[0]
        if force and named:
            return named[0]
        if force:
            block = {"type": "actions", "block_id": block_id or "forged"}
            return Control(block, {"type": types[0], "action_id": action_id, "value": value})
        raise ImpossibleGesture(f"{len(found)} controls {action_id!r} to choose from")


def chosen_option(control: Control, value: str | None, *, force: bool) -> Json | None:
    """The option with this value; None for a cleared menu."""
    if value is None:
        return None
    option = control.option(value)
    if option is None and not force:
        raise ImpossibleGesture(f"{control.action_id} has no option {value!r}")
    return option or {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}


MENUS = ("static_select", "radio_buttons", "overflow")


class MessageGestures(Gestures):
    """Gestures on messages, commands and shortcuts."""

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
        """Press a button of a message; `value` or `block_id` say which where several share the action id."""
        message = self._message(user, channel, ts, shown, force=force)
        control = self.pick(
            message.blocks, ("button",), action_id, value=value, block_id=block_id, force=force
        )
        sent = control.element.get("value") if value is None else value
        return await self._act(user, message, control, {} if sent is None else {"value": sent})

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
        """Choose an option of a menu; None clears it. What is chosen already can't be chosen again."""
        message = self._message(user, channel, ts, shown, force=force)
        control = self.pick(message.blocks, MENUS, action_id, value=None, block_id=block_id, force=force)
        option = chosen_option(control, value, force=force)
        self.choose(user, message.ts, control, option, force=force)
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
        """Tick or untick one box. What goes out is the whole list as this person's client has it."""
        message = self._message(user, channel, ts, shown, force=force)
        control = self.pick(
            message.blocks, ("checkboxes",), action_id, value=None, block_id=block_id, force=force
        )
        ticked = self.toggle(user, message.ts, control, value, force=force)
        return await self._act(user, message, control, {"selected_options": ticked})

    async def command(self, user: str, channel: str, text: str, *, force: bool = False) -> DeliveryResult:
        """Type a slash command. Slack's docs: only people of the app's workspace have it."""
        somebody = self.somebody(user, force=force)
        place = self._place(somebody, channel, force=force)
        if somebody.team_id != self.world.app.team_id and not force:
            raise ImpossibleGesture(f"{user} is of another organization: the command is not there for them")
        url = self.response_urls.make("commands", user, channel)
        trigger_id = self.world.triggers.make(user)
        payload = payloads.slash_command(
            self.world, user, place, "/leaks", text, trigger_id=trigger_id, response_url=url
        )
        result = await self.send("slash_commands", payload)
        if result.status == 200 and result.body:
            self._show_answer(urlsplit(url).path, result)
        return result

    async def message_shortcut(
        self, user: str, channel: str, ts: str, callback_id: str, *, force: bool = False
    ) -> DeliveryResult:
        """Choose one of the app's entries in a message's menu; it is not there for other organizations."""
        message = self._message(user, channel, ts, None, force=force)
        if self.world.workspace.users[user].team_id != self.world.app.team_id and not force:
            raise ImpossibleGesture(f"{user} is of another organization: the shortcut is not there for them")
        url = self.response_urls.make("actions", user, channel, message)
        trigger_id = self.world.triggers.make(user)
        payload = payloads.message_shortcut(self.world, user, message, callback_id, trigger_id, url)
        return await self.send("interactive", payload)

    async def global_shortcut(self, user: str, callback_id: str) -> DeliveryResult:
        """Choose one of the app's shortcuts that belong to no message."""
        self.somebody(user, force=False)
        trigger_id = self.world.triggers.make(user)
        payload = payloads.global_shortcut(self.world, user, callback_id, trigger_id)
        return await self.send("interactive", payload)

    def choose(
        self, user: str, holder: str, control: Control, option: Json | None, *, force: bool = False
    ) -> None:
        """Let the person's client hold a choice under these ids; the same one again is no action."""
        if control.type == "overflow":
            return
        before = self.world.modals.state_of(user, holder, control.block_id, control.element) or {}
        if before.get("selected_option") == option and not force:
            raise ImpossibleGesture(
                f"{control.action_id} shows that choice already: the client sends nothing"
            )
        state = {"type": control.type, "selected_option": option}
        self.world.modals.remember(user, holder, control.block_id, control.action_id, state)

    def toggle(
        self, user: str, holder: str, control: Control, value: str, *, force: bool = False
    ) -> list[Json]:
        """Change one box of the person's client and return all ticked ones, in the order of the options."""
        state = self.world.modals.state_of(user, holder, control.block_id, control.element)
        before: list[Json] = list((state or {}).get("selected_options") or [])
        option = chosen_option(control, value, force=force)
        assert option is not None
        ticked = [o for o in before if o["value"] != value]
        if len(ticked) == len(before):
            ticked.append(option)
        order = [o["value"] for o in control.element.get("options", ())]
        ticked.sort(key=lambda o: order.index(o["value"]) if o["value"] in order else len(order))
        kept = {"type": control.type, "selected_options": ticked}
        self.world.modals.remember(user, holder, control.block_id, control.action_id, kept)
        return ticked

    async def _act(self, user: str, message: SlackMessage, control: Control, chosen: Json) -> DeliveryResult:
        url = self.response_urls.make("actions", user, message.channel, message)
        payload = payloads.message_actions(
            self.world,
            user,
            message,
            payloads.action(self.world, control, chosen),
            self.world.triggers.make(user),
            url,
        )
        return await self.send("interactive", payload)

    def _place(self, user: SlackUser, channel_id: str, *, force: bool) -> Channel:
        """A channel that the person sees: theirs, or a public one of their workspace."""
        channel = self.world.workspace.channels[channel_id]
        sees = user.id in channel.members or (
            not channel.private
            and user.team_id == self.world.app.team_id
            and not (user.is_restricted or user.is_ultra_restricted)
        )
        if not sees and not force:
            raise ImpossibleGesture(f"{user.id} is not in {channel_id}")
        return channel

    def _message(
        self, user: str, channel: str, ts: str, shown: SlackMessage | None, *, force: bool
    ) -> SlackMessage:
        somebody = self.somebody(user, force=force)
        place = self._place(somebody, channel, force=force)
        workspace = self.world.workspace
        message = workspace.message(channel, ts) or workspace.ephemeral(user, ts)
        if force and message is None:
            message = next((e for e in workspace.ephemerals if e.ts == ts), None)
        if message is None or message.deleted:
            raise ImpossibleGesture(f"{user} sees no message {ts} in {place.id}")
        return shown or message

    def _show_answer(self, path: str, result: DeliveryResult) -> None:
        """Slack's docs: a command's acknowledgement may be its answer, as plain text or as a message."""
        is_json = result.headers.get("Content-Type", "").startswith("application/json")
        try:
            payload = json_object(result.body.encode()) if is_json else {"text": result.body}
            if payload:
                self.response_urls.answer(path, payload)
        except ApiError as error:
            self.world.note("command", error)
