"""GitHub's GraphQL endpoint: checks a query against the schema, answers it, and reports errors beside the data."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from integrations.sandbox.github.calls import Principal, RecordedRequest
from integrations.sandbox.github.graphql_parser import Query, QueryFault, QueryField, Variable, parse_query
from integrations.sandbox.github.graphql_schema import SCHEMA, FieldRefused, QueryViewer, SchemaField
from integrations.sandbox.github.limits import Limits
from integrations.sandbox.github.world import GitHubWorld

KINDS: Mapping[str, type] = {"String": str, "Int": int, "Boolean": bool}


class _NullParent(Exception):
    """A field that can't be null has no value: GraphQL makes its parent null."""


class GraphQl:
    """Answers queries; an error of a field comes with HTTP 200 beside the rest of the data."""

    def __init__(self, world: GitHubWorld, limits: Limits, violations: list[str]) -> None:
        self._world = world
        self._limits = limits
        self._violations = violations

    def answer(self, record: RecordedRequest, principal: Principal) -> web.Response:
        """The answer to an authenticated caller."""
        window = self._limits.graphql_window(principal)
        if window.used >= window.limit:
            message = f"API rate limit exceeded for {window.holder}."
            return _response({"errors": [{"type": "RATE_LIMITED", "message": message}]}, window.headers())
        window.used += 1
        try:
            query, variables = _read(record.body)
            self._check(query, variables)
        except QueryFault as fault:
            self._violations.append(f"POST /graphql: {fault.message}")
            error = {"extensions": {"code": fault.code}, "message": fault.message}
            return _response({"errors": [error]}, window.headers())
        run = _QueryRun(QueryViewer(self._world, principal, window), variables)
        body: dict[str, object] = {"data": run.data(query)}
        if run.errors:
            body["errors"] = run.errors
        return _response(body, window.headers())

    def _check(self, query: Query, variables: Mapping[str, object]) -> None:
        used: set[str] = set()
        for field in query.fields:
            _check_field("Query", field, query.variables, used)
        for name in query.variables.keys() - used:
            raise QueryFault("variableNotUsed", f"Variable ${name} is declared by the query but not used")
        for name, kind in query.variables.items():
            value = variables.get(name)
            if not _fits(value, kind):
                raise QueryFault(
                    "INVALID_VARIABLE", f"Variable ${name} of type {kind} was provided invalid value"
                )


def _read(body: object) -> tuple[Query, Mapping[str, object]]:
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise QueryFault("parseError", "A query attribute must be specified and must be a string.")
    variables = body.get("variables") or {}
    if not isinstance(variables, dict):
        raise QueryFault("parseError", "Variables must be an object.")
    return parse_query(body["query"]), variables


def _check_field(type_name: str, field: QueryField, declared: Mapping[str, str], used: set[str]) -> None:
    known = SCHEMA[type_name].get(field.name)
    if known is None:
        raise QueryFault("undefinedField", f"Field '{field.name}' doesn't exist on type '{type_name}'")
    for name, value in field.arguments.items():
        kind = known.arguments.get(name)
        if kind is None:
            raise QueryFault("argumentNotAccepted", f"Field '{field.name}' doesn't accept argument '{name}'")
        if isinstance(value, Variable):
            used.add(value.name)
            given = declared.get(value.name)
            if given is None:
                raise QueryFault("variableNotDefined", f"Variable ${value.name} is used but not declared")
            if given.rstrip("!") != kind.rstrip("!") or (kind.endswith("!") and not given.endswith("!")):
                raise QueryFault(
                    "variableMismatch", f"Type mismatch on variable ${value.name} ({given} / {kind})"
                )
        elif not _fits(value, kind):
            raise QueryFault("argumentLiteralsIncompatible", f"Argument '{name}' has an invalid value")
    missing = [
        name for name, kind in known.arguments.items() if kind.endswith("!") and name not in field.arguments
    ]
    if missing:
        raise QueryFault(
            "missingRequiredArguments",
            f"Field '{field.name}' is missing required arguments: {', '.join(missing)}",
        )
    if (known.type is None) == bool(field.fields):
        raise QueryFault("selectionMismatch", f"Field '{field.name}' needs fields, or can't have any")
    for each in field.fields:
        _check_field(str(known.type), each, declared, used)


def _fits(value: object, kind: str) -> bool:
    if value is None:
        return not kind.endswith("!")
    wanted = KINDS.get(kind.rstrip("!"))
    return wanted is not None and type(value) is wanted


class _QueryRun:
    """One query under way."""

    def __init__(self, viewer: QueryViewer, variables: Mapping[str, object]) -> None:
        self.errors: list[dict[str, object]] = []
        self._viewer = viewer
        self._variables = variables

    def data(self, query: Query) -> dict[str, object] | None:
        try:
            return self._object("Query", None, query.fields, [])
        except _NullParent:
            return None

    def _object(
        self, type_name: str, parent: object, fields: tuple[QueryField, ...], path: list[str | int]
    ) -> dict[str, object]:
        return {
            each.name: self._field(SCHEMA[type_name][each.name], each, parent, [*path, each.name])
            for each in fields
        }

    def _field(self, known: SchemaField, field: QueryField, parent: object, path: list[str | int]) -> object:
        given = {
            name: self._variables.get(value.name) if isinstance(value, Variable) else value
            for name, value in field.arguments.items()
        }
        try:
            value = known.resolve(self._viewer, parent, given)
        except FieldRefused as refused:
            self.errors.append(
                {
                    "type": refused.kind,
                    "path": path,
                    "extensions": {"saml_failure": False},
                    "message": refused.message,
                }
            )
            value = None
            if not known.nullable:
                raise _NullParent from refused
        try:
            return self._value(known, field, value, path)
        except _NullParent:
            if known.nullable and not known.is_list:
                return None
            raise

    def _value(self, known: SchemaField, field: QueryField, value: object, path: list[str | int]) -> object:
        if value is None or known.type is None:
            return value
        if not known.is_list:
            return self._object(known.type, value, field.fields, path)
        assert isinstance(value, list)
        return [
            self._item(known.type, each, field.fields, [*path, number]) for number, each in enumerate(value)
        ]

    def _item(
        self, type_name: str, value: object, fields: tuple[QueryField, ...], path: list[str | int]
    ) -> dict[str, object] | None:
        try:
            return self._object(type_name, value, fields, path)
        except _NullParent:
            return None


def _response(body: object, headers: Mapping[str, str]) -> web.Response:
    return web.Response(text=json.dumps(body), headers=headers, content_type="application/json")
