"""A webhook delivery's bytes: whether GitHub signed them, and the payload in them.

Pure; `condense.py` makes it fit to be stored, and what it means is `webhook.py`'s.
"""

import hashlib
import hmac
import json
from typing import NoReturn
from urllib.parse import parse_qs

from integrations.github.errors import BadDelivery
from integrations.github.json_values import JsonValue


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
