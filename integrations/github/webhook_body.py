"""Decodes the body of a webhook delivery and cuts it to the fields that `webhook_events` reads.

The cut payload holds no secret and can be stored. A captured alert delivery has about 8 kB; a tenth of it is kept.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeAlias

from yarl import query_to_pairs

from integrations.github.errors import BadDelivery
from integrations.json_types import JsonValue

_DEEPEST = 64
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that JSON allows and PostgreSQL's text type does not."""
_Shape: TypeAlias = "Mapping[str, _Shape] | None"
"""The fields to keep of an object, or of each object in a list; None keeps all of them."""
_ACCOUNT: _Shape = {"id": None, "login": None, "type": None}


def _whole(*names: str) -> dict[str, _Shape]:
    return dict.fromkeys(names)


_ALERT: _Shape = {
    **_whole("number", "state", "html_url", "created_at", "updated_at"),
    **_whole("secret_type", "secret_type_display_name", "secret_category", "provider"),
    **_whole("resolution", "resolution_comment", "resolved_at"),
    "resolved_by": _ACCOUNT,
    **_whole("validity", "publicly_leaked", "multi_repo", "is_base64_encoded"),
    **_whole("push_protection_bypassed", "push_protection_bypassed_at"),
    **_whole("push_protection_bypass_request_comment"),
    "push_protection_bypassed_by": _ACCOUNT,
    "assigned_to": _ACCOUNT,
    **_whole("metadata", "first_location_detected", "has_more_locations"),
}
_NAMES: _Shape = _whole("id", "full_name")
_PAYLOAD: _Shape = {
    "action": None,
    "alert": _ALERT,
    "location": None,
    "repository": {
        **_whole("id", "full_name", "html_url", "private", "visibility"),
        "owner": _ACCOUNT,
        "security_and_analysis": {"secret_scanning_delegated_alert_dismissal": {"status": None}},
    },
    "installation": {**_whole("id", "target_type", "suspended_at", "permissions"), "account": _ACCOUNT},
    "target_type": None,
    "account": _ACCOUNT,
    "sender": _ACCOUNT,
    "organization": _ACCOUNT,
    "member": _ACCOUNT,
    "membership": {"user": _ACCOUNT},
    "repositories": _NAMES,
    "repositories_added": _NAMES,
    "repositories_removed": _NAMES,
}


def decode_body(body: bytes, content_type: str) -> dict[str, JsonValue]:
    """Decode a body: JSON, or a form with the JSON in its field `payload`, as the webhook's content type is set.

    Raises BadDelivery unless the JSON is an object.
    """
    source: bytes | str = body
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        source = _form_payload(body)
    try:
        payload = json.loads(source, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        payload = None
    # Raised outside the handler: the JSON error holds the whole document and would be the context.
    if not isinstance(payload, dict):
        raise BadDelivery("the body is not a JSON object")
    return payload


def _form_payload(body: bytes) -> str:
    try:
        fields = query_to_pairs(body.decode(), max_fields=8)
    except ValueError:
        fields = []
    values = [value for name, value in fields if name == "payload"]
    if len(values) != 1:
        raise BadDelivery("the form has no payload field")
    return values[0]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def condense(payload: Mapping[str, JsonValue], mask: Callable[[str], str]) -> dict[str, JsonValue]:
    """Return the fields of `payload` that `webhook_events.parse_event` reads, without any field named `secret`.

    `mask` is applied to every text; it blanks what looks like a secret. GitHub's docs say that webhooks do not
    contain the secret, but GitHub's own example does. Raises BadDelivery for more than 64 levels of nesting.
    """
    return _object(payload, _PAYLOAD, mask, 0)


def _object(
    value: Mapping[str, JsonValue], shape: _Shape, mask: Callable[[str], str], depth: int
) -> dict[str, JsonValue]:
    if shape is None:
        shape = dict.fromkeys(name for name in value if name != "secret")
    return {
        _storable(name): _value(value[name], part, mask, depth)
        for name, part in shape.items()
        if name in value
    }


def _value(value: JsonValue, shape: _Shape, mask: Callable[[str], str], depth: int) -> JsonValue:
    if isinstance(value, str):
        return mask(_storable(value))
    if not isinstance(value, dict | list):
        return value
    if depth >= _DEEPEST:
        raise BadDelivery("the body is nested too deeply")
    if isinstance(value, dict):
        return _object(value, shape, mask, depth + 1)
    return [_value(item, shape, mask, depth + 1) for item in value]


def _storable(value: str) -> str:
    return value if value.isascii() and "\x00" not in value else _UNSTORABLE.sub("\ufffd", value)
