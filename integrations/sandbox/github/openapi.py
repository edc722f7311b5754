"""Checks requests and the stand-in's answers against GitHub's OpenAPI description."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import quote

from jsonschema_rs import Draft4, Draft4Validator, Registry

DATA = Path(__file__).parent.parent / "data" / "github"
DOCUMENT = "urn:github"
READABLE_RESOLUTIONS = (
    "secret-scanning-alert-with-metadata",
    "secret-scanning-alert",
    "organization-secret-scanning-alert",
)

Schema: TypeAlias = dict[str, object]


class AnswerMismatch(Exception):
    """GitHub's description doesn't allow the stand-in's answer: a defect of the stand-in."""


@dataclass(slots=True)
class Operation:
    """One method on one path, with validators for query, body and answers, each built at first use."""

    id: str
    method: str
    template: str
    segments: tuple[str, ...]
    query: Mapping[str, Schema]
    body_fields: frozenset[str]
    takes_body: bool
    needs_body: bool
    statuses: frozenset[int]
    _document: Document
    _validators: dict[str, Draft4Validator] = field(default_factory=dict)

    def match(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters, or `None` if a fixed segment differs."""
        values = {}
        for segment, part in zip(self.segments, parts, strict=True):
            if segment.startswith("{"):
                values[segment[1:-1]] = part
            elif segment != part:
                return None
        return values

    def read_query(self, raw: Mapping[str, str]) -> tuple[dict[str, str | int | bool], list[str]]:
        """The typed query, and what GitHub's description forbids in it; invalid values are left out."""
        typed: dict[str, str | int | bool] = {}
        problems = []
        for name, text in raw.items():
            schema = self.query.get(name)
            if schema is None:
                problems.append(f"unknown query parameter {name}")
                continue
            value = _typed(text, str(schema.get("type", "string")))
            allowed = schema.get("enum")
            if value is None or (isinstance(allowed, list) and value not in allowed):
                problems.append(f"bad value of query parameter {name}")
            elif name == "per_page" and not 1 <= int(value) <= 100:
                problems.append("per_page outside of 1 to 100")
            else:
                typed[name] = value
        return typed, problems

    def body_problem(self, body: object) -> str | None:
        """What is wrong with a request body; the text does not repeat the body."""
        error = next(
            self._validator("body", "/requestBody/content/application~1json/schema").iter_errors(body), None
        )
        if error is None:
            return None
        field_path = ".".join(str(part) for part in error.instance_path) or "body"
        return f'Invalid request.\n\n{field_path} breaks "{error.kind.name}".'

    def check_answer(self, status: int, body: object) -> None:
        """Raise `AnswerMismatch` unless the description allows this answer.

        GitHub also answers errors that the description leaves out (401, 403, rate limits), so errors only
        need a `message`.
        """
        if status >= 400:
            if not isinstance(body, dict) or not isinstance(body.get("message"), str):
                raise AnswerMismatch(f"{self.id}: an error of {status} without a message")
            return
        if status not in self.statuses:
            raise AnswerMismatch(f"{self.id}: {status} is not among GitHub's answers")
        if status == 204 or body is None:
            return
        pointer = f"/responses/{status}/content/application~1json/schema"
        if isinstance(body, list) and self._document.has(self.template, self.method, f"{pointer}/items"):
            for item in body:
                self._check(item, status, f"{pointer}/items")
        else:
            self._check(body, status, pointer)

    def _check(self, value: object, status: int, pointer: str) -> None:
        for error in self._validator(pointer, pointer).iter_errors(value):
            field_path = ".".join(str(part) for part in error.instance_path)
            raise AnswerMismatch(f"{self.id} {status}: {field_path or 'answer'} breaks {error.kind.name}")

    def _validator(self, key: str, pointer: str) -> Draft4Validator:
        if key not in self._validators:
            self._validators[key] = self._document.validator(self.template, self.method, pointer)
        return self._validators[key]


class Document:
    """The OpenAPI document, corrected where GitHub's real answers differ from it."""

    def __init__(self, content: Schema) -> None:
        self.content = amend(content)
        self._registry = Registry([(DOCUMENT, self.content)], draft=Draft4)

    def operations(self) -> Iterator[Operation]:
        """Every operation of the document."""
        for template, methods in _mapping(self.content["paths"]).items():
            for method, description in _mapping(methods).items():
                yield self._operation(template, method.upper(), _mapping(description))

    def validator(self, template: str, method: str, pointer: str) -> Draft4Validator:
        """A validator for the schema at a JSON pointer below an operation."""
        pointer = self._through_reference(template, method, pointer)
        reference = {"$ref": f"{DOCUMENT}#{quote(pointer, safe='/~')}"}
        return Draft4Validator(reference, registry=self._registry, validate_formats=True)

    def has(self, template: str, method: str, pointer: str) -> bool:
        """Whether the document has this pointer below an operation."""
        try:
            self._through_reference(template, method, pointer)
        except KeyError:
            return False
        return True

    def _through_reference(self, template: str, method: str, pointer: str) -> str:
        """The absolute pointer, following the `$ref` at each step."""
        escaped = template.replace("~", "~0").replace("/", "~1")
        steps = f"/paths/{escaped}/{method.lower()}{pointer}".split("/")[1:]
        at: object = self.content
        done: list[str] = []
        for step in steps:
            at = _mapping(at)[step.replace("~1", "/").replace("~0", "~")]
            done.append(step)
            if isinstance(at, dict) and "$ref" in at:
                done = str(at["$ref"]).removeprefix("#/").split("/")
                at = self.resolve(at)
        return "/" + "/".join(done)

    def resolve(self, value: object) -> Schema:
        """The target of a `$ref`, or the value itself."""
        mapping = _mapping(value)
        while "$ref" in mapping:
            at: object = self.content
            for step in str(mapping["$ref"]).removeprefix("#/").split("/"):
                at = _mapping(at)[step]
            mapping = _mapping(at)
        return mapping

    def _operation(self, template: str, method: str, description: Schema) -> Operation:
        parameters = [self.resolve(each) for each in cast("list[object]", description.get("parameters", []))]
        body = _mapping(description.get("requestBody", {}))
        fields: Schema = {}
        if body:
            content = _mapping(_mapping(body["content"])["application/json"])
            fields = _mapping(self.resolve(content["schema"]).get("properties", {}))
        return Operation(
            id=str(description["operationId"]),
            method=method,
            template=template,
            segments=tuple(template.strip("/").split("/")),
            query={
                str(each["name"]): self.resolve(each["schema"])
                for each in parameters
                if each["in"] == "query"
            },
            body_fields=frozenset(fields),
            takes_body=bool(body),
            needs_body=body.get("required") is True,
            statuses=frozenset(int(status) for status in _mapping(description["responses"])),
            _document=self,
        )


class Description:
    """GitHub's operations, found by method and path."""

    def __init__(self, document: Document) -> None:
        self._by_shape: dict[tuple[str, int], list[Operation]] = {}
        for operation in document.operations():
            self._by_shape.setdefault((operation.method, len(operation.segments)), []).append(operation)
        for operations in self._by_shape.values():
            # A fixed segment goes before a parameter: /user/installations before /user/{account_id}.
            operations.sort(key=lambda each: [segment.startswith("{") for segment in each.segments])

    def match(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a call, with its path parameters, or `None`."""
        parts = tuple(path.strip("/").split("/"))
        for operation in self._by_shape.get((method, len(parts)), ()):
            values = operation.match(parts)
            if values is not None:
                return operation, values
        return None


def amend(content: Schema) -> Schema:
    """Correct GitHub's document where its real answers differ from it.

    REST returns the resolutions `pattern_edited` and `pattern_deleted`, which only the webhook schema lists.
    Version 2026-03-10 has no `rate` in the rate limits. The list of installations requires each account to be
    a user and an enterprise at once. OpenAPI's `nullable` is written as JSON Schema has it, for our validator.
    """
    schemas = _find(content, "components", "schemas")
    for name in READABLE_RESOLUTIONS:
        if name in schemas:
            _find(schemas, name, "properties")["resolution"] = {
                "type": "string",
                "nullable": True,
            }
    _mapping(schemas["rate-limit-overview"])["required"] = ["resources"]
    listed = _find(content, "paths", "/app/installations", "get", "responses", "200", "content")
    account = _find(listed, "application/json", "schema", "items", "properties", "account")
    account["anyOf"] = account.pop("allOf")
    return _mapping(_with_null(content))


def _find(value: Schema, *steps: str) -> Schema:
    for step in steps:
        value = _mapping(value[step])
    return value


def _with_null(value: object) -> object:
    if isinstance(value, list):
        return [_with_null(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _with_null(each) for key, each in value.items()}
    if changed.get("nullable") is not True:
        return changed
    del changed["nullable"]
    if isinstance(changed.get("type"), str) and "enum" not in changed:
        return {**changed, "type": [changed["type"], "null"]}
    return {"anyOf": [changed, {"enum": [None]}]}


def _typed(text: str, kind: str) -> str | int | bool | None:
    if kind == "integer":
        return int(text) if text.isdecimal() else None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text)
    return text


def _mapping(value: object) -> Schema:
    return cast("Schema", value)


@functools.cache
def load_description() -> Description:
    """The bundled description, read once per process."""
    return Description(Document(json.loads((DATA / "openapi.json").read_text())))
