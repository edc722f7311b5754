"""Wraps a secret's text so that it is not printed, stored or compared by accident."""

import hmac
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

    def matches(self, other: "Literal") -> bool:
        """Whether both have the same text; the time it takes does not tell where they differ."""
        return hmac.compare_digest(self.__text.encode(), other.__text.encode())

    def __repr__(self) -> str:
        return "Literal(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a literal can't be stored or copied")
