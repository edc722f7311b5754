"""Wraps a secret's text so that it is not printed, stored or compared by accident."""

from typing import NoReturn


class Literal:
    """The text of a secret; only `reveal()` returns it.

    `repr`, `str` and `format` give `Literal(hidden)`, copying and pickling raise TypeError, and equality is by
    identity. So a literal never shows in a log line, a template or a queue.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the secret, for the call that sends it. Don't keep the result."""
        return self.__text

    def __repr__(self) -> str:
        return "Literal(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a literal can't be stored or copied")
