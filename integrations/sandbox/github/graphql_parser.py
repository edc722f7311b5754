"""Reads a GraphQL query: one operation with variables and fields; no fragments, aliases or directives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

PART = re.compile(
    r'[\s,]+|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d+)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<mark>[{}()\[\]:!$=])'
)


class QueryFault(Exception):
    """GitHub can't read or does not know what is asked; `code` is GitHub's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Variable:
    """A `$name` in an argument."""

    name: str


@dataclass(frozen=True, slots=True)
class QueryField:
    """A field with its arguments and, for objects, its own fields."""

    name: str
    arguments: dict[str, object]
    fields: tuple[QueryField, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """`variables` maps each declared name to its type, as written: `String!`."""

    variables: dict[str, str]
    fields: tuple[QueryField, ...]


def parse_query(text: str) -> Query:
    """The query; `QueryFault` if it is not one."""
    return _Parser(_parts(text)).query()


def _parts(text: str) -> list[str]:
    parts, at = [], 0
    while at < len(text):
        found = PART.match(text, at)
        if found is None:
            raise QueryFault("parseError", f"Expected one of a name or a mark, actual: {text[at]!r}")
        if found.lastgroup is not None:
            parts.append(found.group())
        at = found.end()
    return parts


class _Parser:
    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._at = 0

    def query(self) -> Query:
        variables: dict[str, str] = {}
        if self._peek() != "{":
            self._expect("query")
            if self._peek() not in ("{", "("):
                self._name()
            if self._peek() == "(":
                variables = self._variables()
        parsed = Query(variables, self._fields())
        if self._peek():
            raise QueryFault("parseError", f"Expected end of document, actual: {self._peek()!r}")
        return parsed

    def _variables(self) -> dict[str, str]:
        declared = {}
        self._expect("(")
        while self._peek() != ")":
            self._expect("$")
            name = self._name()
            self._expect(":")
            kind = self._name()
            if self._peek() == "!":
                kind += self._next()
            declared[name] = kind
        self._expect(")")
        return declared

    def _fields(self) -> tuple[QueryField, ...]:
        found = []
        self._expect("{")
        while self._peek() != "}":
            name = self._name()
            arguments = self._arguments() if self._peek() == "(" else {}
            found.append(QueryField(name, arguments, self._fields() if self._peek() == "{" else ()))
        self._expect("}")
        return tuple(found)

    def _arguments(self) -> dict[str, object]:
        given: dict[str, object] = {}
        self._expect("(")
        while self._peek() != ")":
            name = self._name()
            self._expect(":")
            given[name] = self._value()
        self._expect(")")
        return given

    def _value(self) -> object:
        part = self._next()
        if part == "$":
            return Variable(self._name())
        if part in ("true", "false", "null") or part[:1] in '-0123456789"':
            return json.loads(part)
        raise QueryFault("parseError", f"Expected a value, actual: {part!r}")

    def _name(self) -> str:
        part = self._next()
        if not re.fullmatch(r"[_A-Za-z]\w*", part):
            raise QueryFault("parseError", f"Expected a name, actual: {part!r}")
        return part

    def _expect(self, wanted: str) -> None:
        part = self._next()
        if part != wanted:
            raise QueryFault("parseError", f"Expected {wanted!r}, actual: {part!r}")

    def _peek(self) -> str:
        return self._parts[self._at] if self._at < len(self._parts) else ""

    def _next(self) -> str:
        part = self._peek()
        if not part:
            raise QueryFault("parseError", "Expected more, actual: end of document")
        self._at += 1
        return part
