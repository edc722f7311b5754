"""A webhook delivery's bytes: whether GitHub signed them, and the payload in them, without secrets.

Pure; what the payload means is `webhook.py`'s.
"""

import hashlib
import hmac
import json
import re
from typing import NoReturn
from urllib.parse import parse_qs

from integrations.github.errors import BadDelivery
from integrations.github.json_values import JsonValue

_DEEPEST = 64
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that JSON can spell and PostgreSQL's text can't hold."""


def verify_signature(secret: str, body: bytes, header: str | None) -> bool:
    """Whether `X-Hub-Signature-256` is `sha256=` and the HMAC-SHA256 of the raw body, in constant time."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # compare_digest takes bytes of any kind, but text only in ASCII, and a header may hold anything.
    return hmac.compare_digest(expected.encode(), (header or "").encode("utf-8", "surrogatepass"))


def decode(body: bytes, content_type: str) -> dict[str, JsonValue]:
    """Read a delivery's body: JSON, or GitHub's form encoding with the JSON in `payload`.

    Raises BadDelivery unless that is one JSON object.
    """
    source: bytes | str = body
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        source = _form_payload(body)
    try:
        payload = json.loads(source, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        payload = None
    # Raised outside the handler: a JSON error holds the whole document, and would travel along.
    if not isinstance(payload, dict):
        raise BadDelivery("the body is not a JSON object")
    return payload


def _form_payload(body: bytes) -> str:
    try:
        values = parse_qs(body.decode(), max_num_fields=8).get("payload", [])
    except ValueError:
        values = []
    if len(values) != 1:
        raise BadDelivery("the form has no payload field")
    return values[0]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def scrub(payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Copy a payload without any field named `secret`, and fit to be stored.

    GitHub's docs: the secret does not travel by webhook; GitHub's own example has one all the same. Raises
    BadDelivery for nesting that no delivery has.
    """
    return _scrub_object(payload, 0)


def _scrub_object(value: dict[str, JsonValue], depth: int) -> dict[str, JsonValue]:
    return {_storable(key): _scrub(item, depth) for key, item in value.items() if key != "secret"}


def _scrub(value: JsonValue, depth: int) -> JsonValue:
    if isinstance(value, str):
        return _storable(value)
    if depth >= _DEEPEST:
        raise BadDelivery("the body is nested too deeply")
    if isinstance(value, dict):
        return _scrub_object(value, depth + 1)
    if isinstance(value, list):
        return [_scrub(item, depth + 1) for item in value]
    return value


def _storable(value: str) -> str:
    return value if value.isascii() and "\x00" not in value else _UNSTORABLE.sub("\ufffd", value)
