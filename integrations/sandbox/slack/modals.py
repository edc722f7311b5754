"""Open views: each person's stack of modals and App Home, with hashes that detect concurrent updates."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.sandbox.slack.blocks import Json, controls, initial_state, with_ids
from integrations.sandbox.slack.calls import ApiError
from integrations.sandbox.slack.feed import SlackChange
from integrations.sandbox.slack.records import View
from integrations.sandbox.slack.workspace import SlackWorkspace

# Slack's docs: at most three views are stacked.
DEEPEST_STACK = 3


class Modals:
    """The views in each person's client. Typed and ticked values are kept while their ids stay the same."""

    def __init__(self, workspace: SlackWorkspace) -> None:
        self._workspace = workspace
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        # (person, message ts or view id, block id, action id) -> state in the person's client.
        self._states: dict[tuple[str, str, str, str], Json] = {}

    def stack(self, user: str) -> list[View]:
        """The open modals of a person, the root first."""
        return list(self._stacks.get(user, ()))

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def find(self, *, view_id: str | None = None, external_id: str | None = None) -> View | None:
        """An open view by its id or by the app's external id."""
        everything = [view for stack in self._stacks.values() for view in stack] + list(self._homes.values())
        for view in everything:
            if view.id == view_id or (external_id and view.external_id == external_id):
                return view
        return None

    def open(self, user: str, content: Json, *, over: str | None = None) -> View:
        """Show a modal on top of the stack that holds the view `over`, otherwise as the only one."""
        stack = self._stacks.setdefault(user, [])
        if over is None or all(view.id != over for view in stack):
            stack.clear()
        if len(stack) >= DEEPEST_STACK:
            raise ApiError("push_limit_reached")
        self._refuse_used_external_id(content)
        view_id = self._workspace.new_id("V")
        root = stack[0].id if stack else view_id
        previous = stack[-1].id if stack else None
        view = View(view_id, user, self._new_hash(), self._stored(content), root, previous)
        stack.append(view)
        self._publish("view_opened", view)
        return view

    def update(self, view: View, content: Json, hash_seen: str | None = None) -> View:
        """Redraw an open view; `hash_conflict` if `hash_seen` is not its current hash."""
        if hash_seen is not None and hash_seen != view.hash:
            raise ApiError("hash_conflict")
        self._refuse_used_external_id(content, except_for=view)
        changed = replace(view, hash=self._new_hash(), content=self._stored(content), errors={})
        self._put(changed)
        self._publish("view_updated", changed)
        return changed

    def publish(self, user: str, content: Json, hash_seen: str | None = None) -> View:
        """Draw a person's App Home."""
        existing = self._homes.get(user)
        if existing is not None:
            return self.update(existing, content, hash_seen)
        self._refuse_used_external_id(content)
        view_id = self._workspace.new_id("V")
        view = View(view_id, user, self._new_hash(), self._stored(content), view_id)
        self._homes[user] = view
        self._publish("home_published", view)
        return view

    def show_errors(self, view: View, errors: Mapping[str, str]) -> None:
        """Show these errors under the modal's fields."""
        self._put(replace(view, errors=dict(errors)))
        self._publish("view_updated", view)

    def close(self, view: View, *, whole_stack: bool = False) -> None:
        """Close a modal and those above it, or the person's whole stack."""
        stack = self._stacks[view.user]
        position = [open_view.id for open_view in stack].index(view.id)
        del stack[0 if whole_stack else position :]
        self._publish("view_closed", view)

    # The state of controls in a person's client

    def set_state(self, user: str, holder: str, block_id: str, action_id: str, state: Json) -> None:
        self._states[user, holder, block_id, action_id] = state

    def state_of(self, user: str, holder: str, block_id: str, element: Json) -> Json | None:
        """The state of one control: the person's last choice under these ids, or its initial value."""
        kept = self._states.get((user, holder, block_id, str(element.get("action_id"))))
        return kept if kept is not None else initial_state(element)

    def state_values(self, user: str, holder: str, blocks: tuple[Json, ...]) -> Json:
        """`state.values` of a message or view in this person's client."""
        values: Json = {}
        for control in controls(blocks):
            state = self.state_of(user, holder, control.block_id, control.element)
            if state is not None:
                values.setdefault(control.block_id, {})[control.action_id] = state
        return values

    def _put(self, view: View) -> None:
        if view.type == "home":
            self._homes[view.user] = view
        else:
            stack = self._stacks[view.user]
            self._stacks[view.user] = [view if open_view.id == view.id else open_view for open_view in stack]

    def _stored(self, content: Json) -> Json:
        return {**content, "blocks": list(with_ids(content["blocks"], self._workspace.new_id))}

    def _new_hash(self) -> str:
        return f"{int(self._workspace.now())}.{secrets.token_hex(4)}"

    def _refuse_used_external_id(self, content: Mapping[str, Any], except_for: View | None = None) -> None:
        named = content.get("external_id")
        holder = self.find(external_id=named) if named else None
        if holder is not None and (except_for is None or holder.id != except_for.id):
            raise ApiError("duplicate_external_id")

    def _publish(self, kind: str, view: View) -> None:
        kind = "home_published" if view.type == "home" else kind
        self._workspace.feed.publish(SlackChange(kind, user=view.user, view_id=view.id))
