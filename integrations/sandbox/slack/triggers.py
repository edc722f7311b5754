"""Trigger ids: each gesture has one, with which the app may open one view within three seconds."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from integrations.sandbox.slack.calls import ApiError

# Slack's docs: a trigger expires after three seconds and can be used once.
LIFETIME = 3.0
SHAPE = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Trigger:
    """The user of the gesture, and its view (None: in a message or by command)."""

    id: str
    user: str
    view_id: str | None
    made_at: float
    exchanged: bool = False


class Triggers:
    """All triggers issued."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._triggers: dict[str, Trigger] = {}

    def make(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id for this person's gesture."""
        made_at = self._now()
        trigger_id = f"{int(made_at)}.{len(self._triggers) + 1}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(trigger_id, user, view_id, made_at)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger up, or raise `invalid_trigger_id`, `expired_trigger_id`, `exchanged_trigger_id`."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None or not SHAPE.fullmatch(trigger_id):
            raise ApiError("invalid_trigger_id")
        if trigger.exchanged:
            raise ApiError("exchanged_trigger_id")
        if self._now() - trigger.made_at > LIFETIME:
            raise ApiError("expired_trigger_id")
        self._triggers[trigger_id] = replace(trigger, exchanged=True)
        return trigger
