"""Comments that go to GitHub, where nobody can edit or delete them."""

import re

from bot.rules.masking import looks_like_secret
from integrations.slack.text import clean, units

MAX_COMMENT = 280
"""Characters of a comment on GitHub, our attribution included."""
MAX_TYPED = 240
ATTRIBUTION = "via Stanch"
NO_COMMENT = "Say in a sentence why; this is required here."
TOO_LONG = f"At most {MAX_TYPED} characters, please."
SECRET_INSIDE = "This looks like a secret. GitHub's comments can't be deleted, so leave it out."  # noqa: S105 - words
_MENTION = re.compile(r"(?<!\w)@+(?=\w)", re.ASCII)
_SIGNATURE = re.compile(rf"(?:^| — )by [\w.\[\]-]{{1,100}} {ATTRIBUTION}\Z")


def comment_fault(typed: str | None, *, required: bool) -> str | None:
    """What is wrong with a comment as it was typed, in a sentence for its field."""
    text = clean(typed or "")
    if required and not text:
        return NO_COMMENT
    if units(text) > MAX_TYPED:
        return TOO_LONG
    # Also as it would be sent: a token with an @ in its middle is whole again once the mention is taken out.
    return SECRET_INSIDE if looks_like_secret(typed or "") or looks_like_secret(_unmentioned(text)) else None


def max_typed_length(login: str) -> int:
    """How many characters a person may type so that the signature still fits."""
    return min(MAX_TYPED, MAX_COMMENT - len(_signature(login)) - len(" — "))


def sign_comment(typed: str | None, login: str) -> str:
    """The comment for GitHub: cleaned, mentioning nobody, signed with who acts through us."""
    text = _unmentioned(clean(typed or "", max_typed_length(login)))
    return f"{text} — {_signature(login)}" if text else _signature(login)


def without_signature(comment: str | None) -> str | None:
    """A comment from GitHub without our signature, for places that show the person anyway."""
    return (_SIGNATURE.sub("", comment) or None) if comment else None


def _unmentioned(text: str) -> str:
    return _MENTION.sub("", text)


def _signature(login: str) -> str:
    return f"by {login} {ATTRIBUTION}"
