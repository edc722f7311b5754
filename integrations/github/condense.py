"""Cuts a webhook payload to what is read of it: less to store, and less that could hold a secret.

Pure. A captured alert delivery has about 8 kB, most of it addresses; a tenth of it means anything here.
"""

from collections.abc import Mapping

from integrations.github.json_values import JsonValue

_ACCOUNT = frozenset({"id", "login", "type"})
_STATUS = frozenset({"status"})
_Shape = Mapping[str, object]

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
_NAMES = frozenset({"id", "full_name"})
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
        "security_and_analysis": {"secret_scanning_delegated_alert_dismissal": _STATUS},
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


def condense(payload: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The payload with the fields that `webhook.parse` reads, and no others."""
    return _cut_object(payload, _PAYLOAD)


def _cut_object(value: Mapping[str, JsonValue], shape: _Shape) -> dict[str, JsonValue]:
    return {name: _cut(value[name], part) for name, part in shape.items() if name in value}


def _cut(value: JsonValue, shape: object) -> JsonValue:
    """`None` for a shape keeps all; a set of names, or a mapping of them, keeps those of each object."""
    if shape is None:
        return value
    if isinstance(value, list):
        return [_cut(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(shape, frozenset):
        return {name: item for name, item in value.items() if name in shape}
    assert isinstance(shape, Mapping)
    return _cut_object(value, shape)
