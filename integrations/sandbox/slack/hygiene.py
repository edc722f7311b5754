"""Finds what Slack accepts but this product must not send, such as accidental mentions and link previews."""

from collections.abc import Iterable, Iterator

from integrations.sandbox.slack.blocks import Json, controls, walk
from integrations.sandbox.slack.calls import Arguments

APPROVALS = frozenset({"approve_report", "deny_report"})
# Slack parses names and links in the text of these methods on request, and chat.update by default.
PARSED = frozenset({"chat.postMessage", "chat.update"})


def lapses(method: str, arguments: Arguments, blocks: Iterable[Json], known: frozenset[str]) -> Iterator[str]:
    """One sentence per lapse in a message or view that passed Slack's checks."""
    blocks = list(blocks)
    for name in sorted(set(arguments.values) - known):
        yield f"{method}: Slack has no argument {name!r}"
    for pointer, node in walk(blocks, "/blocks"):
        if node.get("type") == "mrkdwn" and node.get("verbatim") is not True:
            yield f"{method} {pointer}: mrkdwn without verbatim lets Slack parse names and links"
    if method in PARSED:
        if arguments.text("parse") != "none":
            yield f"{method}: parse is not 'none'"
        if "link_names" not in arguments or arguments.flag("link_names"):
            yield f"{method}: link_names is not false"
    if method == "chat.postMessage":
        for name in ("unfurl_links", "unfurl_media"):
            if name not in arguments or arguments.flag(name):
                yield f"{method}: {name} is not false"
    if not method.startswith("views.") and blocks and not (arguments.text("text") or "").strip():
        yield f"{method}: blocks without text: push notifications and screen readers would be empty"
    yield from _several_alerts(method, arguments, blocks)


def _several_alerts(method: str, arguments: Arguments, blocks: list[Json]) -> Iterator[str]:
    """A card names one alert: in its metadata, its controls' block ids and its buttons' values."""
    named = set()
    for control in controls(blocks):
        if control.block_id.startswith("alert:"):
            alert = control.block_id.split(":")[1]
            named.add(alert)
            value = str(control.element.get("value", alert))
            # A button of a request for approval names the request behind the alert.
            value = value.rpartition("/")[0] if control.action_id in APPROVALS else value
            if control.type == "button" and value != alert:
                yield f"{method}: a button names another alert than its block_id {control.block_id!r}"
    metadata = arguments.values.get("metadata")
    if isinstance(metadata, dict) and metadata.get("event_type") == "stanch_alert":
        payload = metadata.get("event_payload") or {}
        named.add(f"{payload.get('repository_id')}/{payload.get('alert_number')}")
        if len(named) > 1:
            yield f"{method}: one card names several alerts: {', '.join(sorted(named))}"
