"""A filter as it is understood, and what it finds: which alerts are wanted, in which order."""

import re
import string
from dataclasses import dataclass
from enum import StrEnum

from storage.records import Alert, AlertKey, Repository, UnixTime

ME = "@me"
"""Whoever asks."""
NOBODY = "none"
_NEEDS_QUOTES = re.compile(r"[^!-~]|[\"',:\\]|^-")
"""What would mean something else without quotes, or be changed: dashes and quotes of other kinds, white space."""
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Qualifier(StrEnum):
    """What stands before the colon. GitHub documents `is` to `bypassed` for its own search; the rest is ours."""

    IS = "is"
    VALIDITY = "validity"
    SECRET_TYPE = "secret-type"  # noqa: S105 - a word of the language.
    PROVIDER = "provider"
    RESOLUTION = "resolution"
    BYPASSED = "bypassed"
    REPO = "repo"
    ORG = "org"
    ASSIGNEE = "assignee"
    OLDER = "older"
    TEXT = ""
    """Words without a colon."""


class Sort(StrEnum):
    """GitHub's words for the order of a search."""

    CREATED_DESC = "created-desc"
    CREATED_ASC = "created-asc"
    UPDATED_DESC = "updated-desc"
    UPDATED_ASC = "updated-asc"

    @property
    def descending(self) -> bool:
        return self in (Sort.CREATED_DESC, Sort.UPDATED_DESC)

    @property
    def by_update(self) -> bool:
        return self in (Sort.UPDATED_DESC, Sort.UPDATED_ASC)


_ORDER = {word: place for place, word in enumerate(Qualifier)}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: it holds where any of its values does, or, negated, where none does."""

    word: Qualifier
    values: tuple[str, ...]
    """Folded, in order; of `TEXT` and `OLDER` exactly one."""
    negated: bool = False

    def __str__(self) -> str:
        values = ",".join(map(_written, self.values))
        word = f"{self.word}:" if self.word is not Qualifier.TEXT else ""
        return f"{'-' if self.negated else ''}{word}{values}"

    @property
    def place(self) -> tuple[int, bool, tuple[str, ...]]:
        """Where the term stands in a filter, so that two of the same meaning are written the same."""
        return _ORDER[self.word], self.negated, self.values


@dataclass(frozen=True, slots=True)
class Filter:
    """Every term holds; no term means every alert."""

    terms: tuple[Term, ...] = ()
    sort: Sort = Sort.CREATED_DESC

    def __str__(self) -> str:
        written = [str(term) for term in self.terms]
        if self.sort is not Sort.CREATED_DESC:
            written.append(f"sort:{self.sort}")
        return " ".join(written)

    def uses(self, *words: Qualifier) -> bool:
        """Whether a term of one of the words is there."""
        return any(term.word in words for term in self.terms)


@dataclass(frozen=True, slots=True, order=True)
class PagePosition:
    """Where an alert stands in a list: by time, and among those of the same time by key."""

    at: UnixTime
    key: AlertKey


@dataclass(frozen=True, slots=True)
class FoundAlert:
    """An alert and its repository."""

    alert: Alert
    repository: Repository

    def place(self, sort: Sort) -> PagePosition:
        return PagePosition(
            self.alert.updated_at if sort.by_update else self.alert.created_at, self.alert.key
        )


def fold(text: str) -> str:
    """Small letters, of ASCII alone: the two databases agree on no others."""
    return text.translate(_TO_LOWER)


def hyphened(text: str) -> str:
    """Folded, with hyphens for spaces and underscores: GitHub writes `wont_fix` and `wont-fix`."""
    return fold(text).replace("_", "-").replace(" ", "-")


def seconds(span: str) -> float:
    """A span of `older:`, as `7d`, `12h`, `30m`."""
    return int(span[:-1]) * {"d": 86_400.0, "h": 3_600.0, "m": 60.0}[span[-1]]


def _written(value: str) -> str:
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
