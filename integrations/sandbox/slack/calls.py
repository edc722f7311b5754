"""One Web API call: its token, its arguments, and Slack's error answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from integrations.sandbox.slack.blocks import Json

# Errors caused by what the app sent; the stand-in records each in `violations`.
CONTENT_FAULTS = frozenset(
    {
        "block_mismatch",
        "duplicate_external_id",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_form_data",
        "invalid_json",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_post_type",
        "invalid_trigger_id",
        "json_not_object",
        "metadata_too_large",
        "msg_too_long",
        "no_text",
        "view_too_large",
    }
)
FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"


class ApiError(Exception):
    """An answer `{"ok": false, "error": …}`; `messages` go into `response_metadata`."""

    def __init__(self, error: str, *messages: str, **extra: object) -> None:
        super().__init__(error, *messages)
        self.error = error
        self.messages = messages
        self.extra = extra

    def body(self) -> Json:
        body: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body

    def __str__(self) -> str:
        return f"{self.error}: {'; '.join(self.messages)}" if self.messages else self.error


@dataclass(slots=True)
class RecordedCall:
    """A call that reached the stand-in. `status` is None without an answer; `carried_out`: it took effect."""

    method: str
    arguments: Json
    at: float
    status: int | None = None
    error: str | None = None
    carried_out: bool = False


class Arguments:
    """The arguments of one call, read by type; a value of another type is `invalid_arguments`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        # Slack treats null as absent for most arguments.
        self.values: Json = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError("invalid_arguments", f"must be a string [json-pointer:/{name}]")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise ApiError("invalid_arguments", f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        if value in (True, "true", "1", 1):
            return True
        if value in (False, "false", "0", 0, ""):
            return False
        raise ApiError("invalid_arguments", f"must be a boolean [json-pointer:/{name}]")

    def integer(self, name: str, default: int, *, most: int) -> int:
        value = self.values.get(name, default)
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ApiError("invalid_arguments", f"must be a number [json-pointer:/{name}]") from None
        if not 1 <= number <= most:
            raise ApiError("invalid_arguments", f"must be 1 to {most} [json-pointer:/{name}]")
        return number

    def json(self, name: str, kind: type[list[Any]] | type[Json], error: str) -> Any:
        """An array or object, sent as JSON or as JSON text; None if absent; anything else raises `error`."""
        value = self.values.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise ApiError(error) from None
        if value is not None and not isinstance(value, kind):
            raise ApiError(error)
        return value


async def read_call(request: web.Request, *, json_accepted: bool) -> tuple[str | None, Arguments]:
    """Token and arguments of a request.

    Slack's docs: arguments come in the query, in a form or, for methods that accept it, in a JSON object. The
    token comes in the Authorization header or as a form field, never in a JSON body or the query.
    """
    values: Json = dict(request.query)
    values.pop("token", None)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    body = await request.read()
    if body:
        form_token, sent = await _read_body(request, body, json_accepted)
        token = token or form_token or ""
        values |= sent
    return (token if scheme == "Bearer" or not scheme else "") or None, Arguments(values)


async def _read_body(request: web.Request, body: bytes, json_accepted: bool) -> tuple[str | None, Json]:
    if request.content_type == FORM:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        return form.pop("token", None), form
    if request.content_type != JSON_TYPE:
        raise ApiError("invalid_post_type")
    if not json_accepted:
        # Slack's docs: a method without JSON support reads no arguments from a JSON body.
        return None, {}
    try:
        sent = json.loads(body)
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(sent, dict):
        raise ApiError("json_not_object")
    sent.pop("token", None)
    return None, sent
