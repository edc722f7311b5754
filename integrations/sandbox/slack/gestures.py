"""Helpers of message and view gestures: the acting user, the control, the state in the client."""

from integrations.sandbox.slack.blocks import Control, Json, controls
from integrations.sandbox.slack.records import SlackUser
from integrations.sandbox.slack.world import SlackWorld

MENUS = ("static_select", "radio_buttons", "overflow")


class ImpossibleGesture(Exception):
    """Slack's client would not offer this: no such control or option, not in the channel, nothing changed."""


class NothingChanged(ImpossibleGesture):
    """The menu shows that choice already: Slack's client sends nothing."""


def acting_user(world: SlackWorld, user_id: str, *, force: bool) -> SlackUser:
    """The user, who must be an active person; with `force` a bot or a deactivated user will do."""
    user = world.workspace.users.get(user_id)
    if user is None:
        raise ImpossibleGesture(f"There is no {user_id}")
    if (user.deleted or user.is_bot) and not force:
        raise ImpossibleGesture(f"{user_id} is deactivated or a bot, and has no client")
    return user


def pick_control(
    blocks: tuple[Json, ...],
    types: tuple[str, ...],
    action_id: str,
    *,
    value: str | None = None,
    block_id: str | None = None,
    force: bool,
) -> Control:
    """The only control with this action id and, where given, this value and block id.

    With `force`, a control with another value is taken instead, or one is made up.
    """
    named = [
        control
        for control in controls(blocks)
        if control.type in types and control.action_id == action_id and block_id in (None, control.block_id)
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


def pick_person(world: SlackWorld, user: str, holder: str, control: Control, picked: str | None) -> Json:
    """Pick somebody in a `users_select` of the user's client; returns the fields of the action.

    Slack's picker offers everybody whom the client knows, bots, guests and deactivated users included.
    """
    if picked is not None and picked not in world.workspace.users:
        raise ImpossibleGesture(f"the picker {control.action_id} does not offer {picked}")
    before = world.modals.state_of(user, holder, control.block_id, control.element) or {}
    if before.get("selected_user") == picked:
        raise NothingChanged(f"{control.action_id} shows that person already: the client sends nothing")
    state = {"type": control.type, "selected_user": picked}
    world.modals.set_state(user, holder, control.block_id, control.action_id, state)
    return {"selected_user": picked}


def button_fields(button: Control, value: str | None) -> Json:
    """The fields of an action for a pressed button: its value, or `value` instead."""
    sent = button.element.get("value") if value is None else value
    return {} if sent is None else {"value": sent}


def chosen_option(control: Control, value: str | None, *, force: bool) -> Json | None:
    """The option with this value; None for a cleared menu. With `force` a missing option is made up."""
    if value is None:
        return None
    option = control.option(value)
    if option is None and not force:
        raise ImpossibleGesture(f"{control.action_id} has no option {value!r}")
    return option or {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}


def choose(
    world: SlackWorld, user: str, holder: str, control: Control, value: str | None, *, force: bool
) -> Json | None:
    """Choose an option of a menu in the user's client and return it.

    `holder` is the message's ts or the view's id. Choosing the option that is shown already is impossible:
    Slack's client sends nothing then.
    """
    option = chosen_option(control, value, force=force)
    if control.type == "overflow":
        return option
    before = world.modals.state_of(user, holder, control.block_id, control.element) or {}
    if before.get("selected_option") == option and not force:
        raise NothingChanged(f"{control.action_id} shows that choice already: the client sends nothing")
    state = {"type": control.type, "selected_option": option}
    world.modals.set_state(user, holder, control.block_id, control.action_id, state)
    return option


def toggle(
    world: SlackWorld, user: str, holder: str, control: Control, value: str, *, force: bool
) -> list[Json]:
    """Tick or untick one box in the user's client; returns all ticked options, in the menu's order."""
    state = world.modals.state_of(user, holder, control.block_id, control.element)
    before: list[Json] = list((state or {}).get("selected_options") or [])
    option = chosen_option(control, value, force=force)
    assert option is not None
    ticked = [o for o in before if o["value"] != value]
    if len(ticked) == len(before):
        ticked.append(option)
    order = [o["value"] for o in control.element.get("options", ())]
    ticked.sort(key=lambda o: order.index(o["value"]) if o["value"] in order else len(order))
    kept = {"type": control.type, "selected_options": ticked}
    world.modals.set_state(user, holder, control.block_id, control.action_id, kept)
    return ticked
