"""Carries out the page's gestures in Slack, as signed requests to the bot."""

from collections.abc import Awaitable, Callable

from integrations.sandbox.demo.world import DemoPerson
from integrations.sandbox.slack import DeliveryResult, ImpossibleGesture, Json, NothingChanged, SlackSandbox

LONGEST_MESSAGE = 4000
MESSAGE_SHORTCUT = "show_alert"
"""The callback id in manifest.yml."""


class BadGesture(Exception):
    """The page sent an invalid gesture; the text says why."""


class PageGestures:
    """The gestures of one person."""

    def __init__(self, slack: SlackSandbox, person: DemoPerson) -> None:
        self._slack = slack
        self._user = person.slack_id

    async def do(self, kind: str, fields: Json) -> Json:
        """Carry out a gesture and return what Slack's client would show.

        `error` is Slack's error if the app didn't answer. `impossible` is a sentence about a gesture that
        Slack's client would not offer: on a control that was just redrawn, or a command of an outsider.
        `unchanged` is one where Slack's client sends nothing, since the menu shows the choice already.
        """
        gestures: dict[str, Callable[[Json], Awaitable[DeliveryResult | None]]] = {
            "click": self._click,
            "select": self._select,
            "tick": self._tick,
            "submit": self._submit,
            "close": self._close,
            "command": self._command,
            "shortcut": self._shortcut,
            "say": self._say,
        }
        if kind not in gestures:
            raise BadGesture(f"There is no gesture {kind!r}.")
        try:
            result = await gestures[kind](fields)
        except NothingChanged as unchanged:
            return {"unchanged": str(unchanged)}
        except ImpossibleGesture as impossible:
            return {"impossible": str(impossible)}
        if result is None:
            return {}
        return {"error": result.error, "view_errors": result.view_errors}

    async def _click(self, fields: Json) -> DeliveryResult:
        action, value = _text(fields, "action"), _optional(fields, "value")
        if "view" in fields:
            return await self._slack.click_in_view(self._user, _text(fields, "view"), action, value=value)
        channel, ts, block = _text(fields, "channel"), _text(fields, "ts"), _optional(fields, "block")
        return await self._slack.click(self._user, channel, ts, action, value=value, block_id=block)

    async def _select(self, fields: Json) -> DeliveryResult:
        action, value = _text(fields, "action"), _optional(fields, "value")
        if "view" in fields:
            return await self._slack.select_in_view(self._user, _text(fields, "view"), action, value)
        channel, ts, block = _text(fields, "channel"), _text(fields, "ts"), _optional(fields, "block")
        return await self._slack.select(self._user, channel, ts, action, value, block_id=block)

    async def _tick(self, fields: Json) -> DeliveryResult:
        action, value = _text(fields, "action"), _text(fields, "value")
        if "view" in fields:
            return await self._slack.tick_in_view(self._user, _text(fields, "view"), action, value)
        channel, ts, block = _text(fields, "channel"), _text(fields, "ts"), _optional(fields, "block")
        return await self._slack.tick(self._user, channel, ts, action, value, block_id=block)

    async def _submit(self, fields: Json) -> DeliveryResult:
        values = fields.get("values")
        if not isinstance(values, dict):
            raise BadGesture("A submit has values.")
        return await self._slack.submit(self._user, _text(fields, "view"), values)

    async def _close(self, fields: Json) -> DeliveryResult:
        whole = fields.get("whole_stack") is True
        return await self._slack.close_view(self._user, _text(fields, "view"), whole_stack=whole)

    async def _command(self, fields: Json) -> DeliveryResult:
        return await self._slack.command(self._user, self._channel(fields), _text(fields, "text"))

    async def _shortcut(self, fields: Json) -> DeliveryResult:
        channel, ts = _text(fields, "channel"), _text(fields, "ts")
        return await self._slack.message_shortcut(self._user, channel, ts, MESSAGE_SHORTCUT)

    async def _say(self, fields: Json) -> None:
        text = _text(fields, "text").strip()[:LONGEST_MESSAGE]
        if text:
            thread = _optional(fields, "thread")
            self._slack.workspace.post_as_user(self._user, self._channel(fields), text, thread_ts=thread)

    def _channel(self, fields: Json) -> str:
        channel = self._slack.workspace.channels.get(_text(fields, "channel"))
        if channel is None or self._user not in channel.members:
            raise BadGesture("There is no such channel for this person.")
        return channel.id


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadGesture(f"{name} is missing.")
    return value


def _optional(fields: Json, name: str) -> str | None:
    return None if fields.get(name) is None else _text(fields, name)
