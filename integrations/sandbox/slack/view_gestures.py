"""What people do in modals and in the App Home: press, choose, fill in, submit, close."""

from collections.abc import Mapping
from dataclasses import replace

from integrations.sandbox.slack import payloads
from integrations.sandbox.slack.blocks import STATE_KEYS, Control, Json, controls
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.gestures import (
    MENUS,
    ImpossibleGesture,
    acting_user,
    button_fields,
    choose,
    chosen_option,
    pick_control,
    pick_person,
    toggle,
)
from integrations.sandbox.slack.records import View
from integrations.sandbox.slack.response_urls import json_object
from integrations.sandbox.slack.sender import Sender
from integrations.sandbox.slack.transport import DeliveryResult, SlackDelivery
from integrations.sandbox.slack.world import SlackWorld

Filled = Mapping[str, Mapping[str, str | list[str] | None]]
REQUIRED = "Please complete this required field."


class ViewGestures:
    """Gestures on views. Only the modal on top of the person's stack can be used, except with `force`."""

    def __init__(self, world: SlackWorld, sender: Sender) -> None:
        self._world = world
        self._sender = sender

    async def click_in_view(
        self, user: str, view_id: str, action_id: str, *, value: str | None = None, force: bool = False
    ) -> DeliveryResult:
        """Press a button in a view."""
        view = self._view(user, view_id, force=force)
        control = pick_control(view.blocks, ("button",), action_id, value=value, force=force)
        return await self._act(view, control, button_fields(control, value))

    async def select_in_view(
        self, user: str, view_id: str, action_id: str, value: str | None, *, force: bool = False
    ) -> DeliveryResult:
        """Choose an option of a menu, or a person of a people picker, in a view."""
        view = self._view(user, view_id, force=force)
        control = pick_control(view.blocks, (*MENUS, "users_select"), action_id, force=force)
        if control.type == "users_select":
            chosen = pick_person(self._world, user, view.id, control, value)
        else:
            chosen = {"selected_option": choose(self._world, user, view.id, control, value, force=force)}
        return await self._act(view, control, chosen)

    async def tick_in_view(
        self, user: str, view_id: str, action_id: str, value: str, *, force: bool = False
    ) -> DeliveryResult:
        """Tick or untick one box in a view."""
        view = self._view(user, view_id, force=force)
        control = pick_control(view.blocks, ("checkboxes",), action_id, force=force)
        ticked = toggle(self._world, user, view.id, control, value, force=force)
        return await self._act(view, control, {"selected_options": ticked})

    async def submit(
        self, user: str, view_id: str, values: Filled | None = None, *, force: bool = False
    ) -> DeliveryResult:
        """Fill in fields and submit the modal on top.

        Slack's client checks the fields first: its errors are in `view_errors`, `status` is None, and nothing
        is sent. The app's answer is applied: errors are shown on the view; update, push, clear and close work.
        """
        view = self._view(user, view_id, force=force)
        if "submit" not in view.content and not force:
            raise ImpossibleGesture(f"{view_id} has no submit button")
        extra = self._fill(view, values or {}, force=force)
        state = self._world.modals.state_values(user, view.id, view.blocks)
        errors = {} if force else client_errors(view, state)
        if errors:
            self._world.modals.show_errors(view, errors)
            return DeliveryResult(view_errors=errors)
        if view.errors:
            self._world.modals.show_errors(view, {})
        for block_id, actions in extra.items():
            state.setdefault(block_id, {}).update(actions)
        trigger_id = self._world.triggers.make(user, view.id)
        payload = payloads.view_submission(self._world, view, state, trigger_id)
        result = await self._sender.transport.send(SlackDelivery("interactive", payload))
        if result.error is None:
            result = self._apply_answer(view, result)
        self._sender.results.append(result)
        return result

    async def close_view(self, user: str, view_id: str, *, whole_stack: bool = False) -> DeliveryResult:
        """Close a modal, or the whole stack by its x; sends `view_closed` only with notify_on_close."""
        view = self._view(user, view_id, force=False)
        payload = payloads.view_closed(self._world, view, is_cleared=whole_stack)
        self._world.modals.close(view, whole_stack=whole_stack)
        if not view.content.get("notify_on_close"):
            return DeliveryResult()
        return await self._sender.send("interactive", payload)

    async def _act(self, view: View, control: Control, chosen: Json) -> DeliveryResult:
        """Send the action. Slack's docs: an input sends none unless it has `dispatch_action`."""
        if control.block["type"] == "input" and not control.block.get("dispatch_action"):
            return DeliveryResult()
        trigger_id = self._world.triggers.make(view.user, view.id)
        payload = payloads.view_actions(
            self._world, view, payloads.action(self._world, control, chosen), trigger_id
        )
        return await self._sender.send("interactive", payload)

    def _view(self, user: str, view_id: str, *, force: bool) -> View:
        acting_user(self._world, user, force=force)
        view = self._world.modals.find(view_id=view_id)
        if view is None or view.user != user:
            raise ImpossibleGesture(f"{user} has no view {view_id} open")
        stack = self._world.modals.stack(user)
        if view.type == "modal" and stack[-1].id != view_id and not force:
            raise ImpossibleGesture(f"{view_id} is under another view")
        return view

    def _fill(self, view: View, values: Filled, *, force: bool) -> dict[str, Json]:
        """Type and choose. With `force`, returns the values that the view has no field for."""
        extra: dict[str, Json] = {}
        fields = {(c.block_id, c.action_id): c for c in controls(view.blocks) if c.type in STATE_KEYS}
        for block_id, actions in values.items():
            for action_id, value in actions.items():
                control = fields.get((block_id, action_id))
                if control is not None:
                    self._refuse_stranger(control, value)
                    state = filled_state(control, value, force=force)
                    self._world.modals.set_state(view.user, view.id, block_id, action_id, state)
                elif force:
                    extra.setdefault(block_id, {})[action_id] = {"type": "plain_text_input", "value": value}
                else:
                    raise ImpossibleGesture(f"{view.id} has no field {block_id}/{action_id}")
        return extra

    def _refuse_stranger(self, control: Control, value: str | list[str] | None) -> None:
        if control.type == "users_select" and value and value not in self._world.workspace.users:
            raise ImpossibleGesture(f"the picker {control.action_id} does not offer {value}")

    def _apply_answer(self, submitted: View, result: DeliveryResult) -> DeliveryResult:
        """Apply the acknowledgement of a submit; a malformed one is a violation."""
        view = self._world.modals.find(view_id=submitted.id)
        if view is None:
            return result
        try:
            answer = json_object(result.body.encode()) if result.body.strip() else {}
            errors = self._respond(view, answer)
        except ApiError as error:
            self._world.violations.append(f"view_submission: {error}")
            return replace(result, error="dispatch_failed")
        return replace(result, view_errors=errors)

    def _respond(self, view: View, answer: Json) -> Mapping[str, str]:
        modals = self._world.modals
        word = answer.get("response_action")
        if not answer:
            modals.close(view)
        elif word == "clear":
            modals.close(view, whole_stack=True)
        elif word == "errors":
            return self._show_errors(view, answer.get("errors"))
        elif word in ("update", "push"):
            known = frozenset({"view", "response_action"})
            content = self._world.view_content("views.response_action", Arguments(answer), "modal", known)
            if word == "update":
                modals.update(view, content)
            else:
                modals.open(view.user, content, over=view.id)
        else:
            raise ApiError("invalid_arguments", f"response_action {word!r} is not one of Slack's")
        return {}

    def _show_errors(self, view: View, errors: object) -> Mapping[str, str]:
        """Slack's docs: errors are keyed by the block_id of input blocks."""
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise ApiError(
                "invalid_arguments", f"errors for blocks that are no inputs of the view: {errors!r}"
            )
        if not all(isinstance(text, str) and text for text in errors.values()):
            raise ApiError("invalid_arguments", "an error without a text")
        self._world.modals.show_errors(view, errors)
        return errors


def filled_state(control: Control, value: str | list[str] | None, *, force: bool) -> Json:
    """The field's entry in `state.values` after this was typed or chosen; an empty text becomes None."""
    key, _ = STATE_KEYS[control.type]
    filled: object = value or None
    if key == "selected_option":
        if isinstance(value, list):
            raise ImpossibleGesture(f"{control.action_id} takes one value")
        filled = chosen_option(control, value, force=force)
    elif key == "selected_options":
        values = [value] if isinstance(value, str) else value or []
        filled = [chosen_option(control, one, force=force) for one in values]
    return {"type": control.type, key: filled}


def client_errors(view: View, state: Json) -> dict[str, str]:
    """The errors that Slack's client finds in the inputs, by block id."""
    errors = {}
    for control in controls(view.blocks):
        if control.block["type"] != "input":
            continue
        key, _ = STATE_KEYS[control.type]
        value = state[control.block_id][control.action_id][key]
        if not value and not control.block.get("optional"):
            errors[control.block_id] = REQUIRED
        elif isinstance(value, str) and len(value) > control.element.get("max_length", 3000):
            errors[control.block_id] = (
                f"Please shorten this to {control.element.get('max_length', 3000)} characters."
            )
        elif isinstance(value, str) and value and len(value) < control.element.get("min_length", 0):
            errors[control.block_id] = f"Please write at least {control.element['min_length']} characters."
    return errors
