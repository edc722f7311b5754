"""The views.* methods: open and update modals, publish the App Home."""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.records import View
from integrations.sandbox.slack.world import SlackWorld

OPEN_ARGUMENTS = frozenset({"trigger_id", "view", "team_id"})
UPDATE_ARGUMENTS = frozenset({"view_id", "external_id", "view", "hash", "team_id"})
PUBLISH_ARGUMENTS = frozenset({"user_id", "view", "hash", "team_id"})


def open_view(world: SlackWorld, arguments: Arguments) -> Json:
    """views.open. A trigger from inside a modal stacks the new modal on it, as views.push does."""
    trigger_id = arguments.required("trigger_id")
    content = world.view_content("views.open", arguments, "modal", OPEN_ARGUMENTS)
    trigger = world.triggers.exchange(trigger_id)
    view = world.modals.open(trigger.user, content, over=trigger.view_id)
    return {"view": view_json(world, view)}


def update(world: SlackWorld, arguments: Arguments) -> Json:
    """views.update, by `view_id` or `external_id`; an outdated `hash` is `hash_conflict`."""
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if not view_id and not external_id:
        raise ApiError("invalid_arguments", "missing required field: view_id")
    view = world.modals.find(view_id=view_id, external_id=external_id)
    kind = view.type if view is not None else "modal"
    content = world.view_content("views.update", arguments, kind, UPDATE_ARGUMENTS)
    if view is None:
        raise ApiError("not_found")
    changed = world.modals.update(view, content, arguments.text("hash"))
    return {"view": view_json(world, changed)}


def publish(world: SlackWorld, arguments: Arguments) -> Json:
    """views.publish: the App Home of one person."""
    user_id = arguments.required("user_id")
    if user_id not in world.workspace.users:
        raise ApiError("invalid_arguments", "invalid `user_id`")
    content = world.view_content("views.publish", arguments, "home", PUBLISH_ARGUMENTS)
    view = world.modals.publish(user_id, content, arguments.text("hash"))
    return {"view": view_json(world, view)}


def view_json(world: SlackWorld, view: View) -> Json:
    """A view as it appears in Slack's answers and payloads.

    Slack's docs: `app_installed_team_id` is the app's workspace, even if the person's is another.
    """
    body: Json = {
        "id": view.id,
        "team_id": world.workspace.users[view.user].team_id,
        "type": view.type,
        "blocks": list(view.blocks),
        "private_metadata": view.private_metadata,
        "callback_id": view.callback_id,
        "state": {"values": world.modals.state_values(view.user, view.id, view.blocks)},
        "hash": view.hash,
        "title": view.content.get("title"),
        "clear_on_close": bool(view.content.get("clear_on_close")),
        "notify_on_close": bool(view.content.get("notify_on_close")),
        "close": view.content.get("close"),
        "submit": view.content.get("submit"),
        "previous_view_id": view.previous_view_id,
        "root_view_id": view.root_view_id,
        "app_id": world.app.app_id,
        "external_id": view.external_id,
        "app_installed_team_id": world.app.team_id,
        "bot_id": world.app.bot_id,
    }
    return body
