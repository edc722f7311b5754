"""Checks and signs comments that are sent to GitHub, where they can't be edited or deleted."""

import re

from bot.rules.masking import looks_like_secret
from integrations.slack.text import clean, units

MAX_COMMENT = 280
"""GitHub's limit of characters for a comment, our signature included."""
MAX_TYPED = MAX_COMMENT
"""The most that anybody may type: in the person's own name the comment has no signature."""
MAX_SIGNED = 240
"""The most that may be typed where a signature follows."""
ATTRIBUTION = "via Stanch"
NO_COMMENT = "Say in a sentence why; this is required here."
TOO_LONG = f"At most {MAX_TYPED} characters, please."
SECRET_INSIDE = "This looks like a secret. GitHub's comments can't be deleted, so leave it out."  # noqa: S105 - words for people.
_MENTION = re.compile(r"(?<!\w)@+(?=\w)", re.ASCII)
_SIGNATURE = re.compile(rf"(?:^| — )by [\w.\[\]-]{{1,100}} {ATTRIBUTION}\Z")


def comment_fault(typed: str | None, *, required: bool) -> str | None:
    """The error to show on the comment's field, as one sentence; None if the comment is fine."""
    text = clean(typed or "")
    if required and not text:
        return NO_COMMENT
    if units(text) > MAX_TYPED:
        return TOO_LONG
    # Checked in its sent form too: removing an @ from the middle of a token makes it whole again.
    return SECRET_INSIDE if looks_like_secret(typed or "") or looks_like_secret(_unmentioned(text)) else None


def max_typed_length(login: str | None) -> int:
    """The number of characters that leave room for the signature of `login`; None for a comment without one."""
    return MAX_TYPED if login is None else min(MAX_SIGNED, MAX_COMMENT - len(_signature(login)) - len(" — "))


def sign_comment(typed: str | None, login: str) -> str:
    """The comment to send to GitHub: cleaned, without mentions, signed with the person's login."""
    text = _unmentioned(clean(typed or "", max_typed_length(login)))
    return f"{text} — {_signature(login)}" if text else _signature(login)


def plain_comment(typed: str | None) -> str:
    """The comment to send to GitHub in the person's own name: cleaned, without mentions; may be empty."""
    return _unmentioned(clean(typed or "", MAX_TYPED))


def without_signature(comment: str | None) -> str | None:
    """A comment from GitHub without our signature; None if nothing is left."""
    return (_SIGNATURE.sub("", comment) or None) if comment else None


def _unmentioned(text: str) -> str:
    return _MENTION.sub("", text)


def _signature(login: str) -> str:
    return f"by {login} {ATTRIBUTION}"
