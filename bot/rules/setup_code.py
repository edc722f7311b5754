"""The code that opens the page of the set-up: how it is written, and whether what was typed is it. Pure."""

import hmac

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without letters and digits that look alike."""
LENGTH = 8
TRIES = 5
"""Wrong codes in one run after which it ends; all of them guess one in 131 thousand million."""


def shown_code(code: str) -> str:
    """The code as the terminal shows it: `K7TP-2M9Q`."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def same_code(code: str, typed: str) -> bool:
    """Whether this is the code, typed in any case, with spaces and hyphens or without."""
    plain = "".join(character for character in typed.upper() if character.isalnum())
    return hmac.compare_digest(code.encode(), plain.encode())
