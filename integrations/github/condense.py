"""Cuts a webhook payload to what is read of it, without secrets and fit to be stored, in one walk.

Pure. A captured alert delivery has about 8 kB, most of it addresses; a tenth of it means anything here.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from integrations.github.errors import BadDelivery
from integrations.github.json_values import JsonValue

_DEEPEST = 64
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that JSON can spell and PostgreSQL's text can't hold."""
_Shape: TypeAlias = "Mapping[str, _Shape] | None"
"""The fields that are kept of an object, or of each object in a list; `None` keeps it whole."""
_ACCOUNT: _Shape = {"id": None, "login": None, "type": None}

_ALERT: _Shape = {
    "number": None,
    "state": None,
    "html_url": None,
    "created_at": None,
    "updated_at": None,
    "secret_type": None,
    "secret_type_display_name": None,
    "secret_category": None,
    "provider": None,
    "resolution": None,
    "resolution_comment": None,
    "resolved_at": None,
    "resolved_by": _ACCOUNT,
    "validity": None,
    "publicly_leaked": None,
    "multi_repo": None,
    "is_base64_encoded": None,
    "push_protection_bypassed": None,
    "push_protection_bypassed_at": None,
    "push_protection_bypassed_by": _ACCOUNT,
    "push_protection_bypass_request_comment": None,
    "assigned_to": _ACCOUNT,
    "metadata": None,
    "first_location_detected": None,
    "has_more_locations": None,
}
_NAMES: _Shape = {"id": None, "full_name": None}
_PAYLOAD: _Shape = {
    "action": None,
    "alert": _ALERT,
    "location": None,
    "repository": {
        "id": None,
        "full_name": None,
        "owner": _ACCOUNT,
        "html_url": None,
        "private": None,
        "visibility": None,
        "security_and_analysis": {"secret_scanning_delegated_alert_dismissal": {"status": None}},
    },
    "installation": {"id": None, "account": _ACCOUNT, "target_type": None, "suspended_at": None},
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


def condense(payload: Mapping[str, JsonValue], mask: Callable[[str], str]) -> dict[str, JsonValue]:
    """The payload with the fields that `webhook.parse` reads, without any field named `secret`.

    `mask` blanks what looks like a secret in a text. GitHub's docs: the secret does not travel by webhook; GitHub's
    own example has one all the same. Raises BadDelivery for nesting that no delivery has.
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
