"""Turns pydantic's errors into sentences about a setting or an option. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

_PLAIN: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be a table"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "must be a list"),
}
"""The end of the sentence, by pydantic's type of error."""
_COUNTED: Mapping[str, tuple[str, str]] = {
    "string_too_short": ("must have at least {} characters", "min_length"),
    "string_too_long": ("may have at most {} characters", "max_length"),
    "too_short": ("must have at least {} entries", "min_length"),
    "too_long": ("may have at most {} entries", "max_length"),
}
"""The same for a value that is too long or too short, with the key of the limit in the error's context."""

Fault = Mapping[str, Any]


def faults_of(error: ValidationError, describe: Callable[[Fault], str]) -> list[str]:
    """A sentence for each fault, in the order of the fields, each once. No value is quoted: it may be secret."""
    found = error.errors(include_input=False, include_url=False, include_context=True)
    return list(dict.fromkeys(describe(dict(fault)) for fault in found))


def reason(fault: Fault) -> str:
    """The end of a sentence about a value: "must be true or false"."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _COUNTED:
        words, key = _COUNTED[kind]
        return words.format(context[key])
    # The other types are limits and choices: "Input should be less than or equal to 65535".
    words = str(fault["msg"]).replace("Input should be", "must be", 1)
    return words[0].lower() + words[1:]


def dotted(path: Sequence[str | int]) -> str:
    """An option's name, with entries of a list counted from 1: `checklist.default, entry 2, text`."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f", entry {part + 1}"
        else:
            name += f"{', ' if ', entry' in name else '.' if name else ''}{part}"
    return name
