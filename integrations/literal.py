"""A secret's own text, wrapped so that nothing prints, stores or compares it by accident."""

from typing import NoReturn


class Literal:
    """The literal of an alert; `reveal()` is the only way to its text.

    It has no repr, no str, no format, no equality by value, no copy and no pickle: a literal that reaches a
    log line, a template or a queue shows up as `Literal(hidden)` or as an error, never as the secret.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the secret, for the one call that sends it; don't keep what it returns."""
        return self.__text

    def __repr__(self) -> str:
        return "Literal(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a literal is neither stored nor copied")
