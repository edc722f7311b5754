"""Filters of alerts as frozen records, and what a search finds."""

import re
import string
from dataclasses import dataclass
from enum import StrEnum

from storage.records import Alert, AlertKey, Repository, UnixTime

ME = "@me"
"""As an assignee: the person who searches."""
NOBODY = "none"
"""As an assignee: nobody."""
_NEEDS_QUOTES = re.compile(r"[^!-~]|[\"',:\\]|^-")
"""Matches values that would be read in another way without quotes."""
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Qualifier(StrEnum):
    """What a term compares: the part before the colon. `is` to `bypassed` are GitHub's; the others are ours."""

    IS = "is"
    VALIDITY = "validity"
    SECRET_TYPE = "secret-type"  # noqa: S105 - a qualifier, no password.
    PROVIDER = "provider"
    RESOLUTION = "resolution"
    BYPASSED = "bypassed"
    REPO = "repo"
    ORG = "org"
    ASSIGNEE = "assignee"
    OLDER = "older"
    TEXT = ""
    """Words without a qualifier."""


class Sort(StrEnum):
    """The order of a list, with GitHub's values of `sort:`."""

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


_ORDER = {qualifier: place for place, qualifier in enumerate(Qualifier)}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: it holds where any of its values does, or, negated, where none does."""

    qualifier: Qualifier
    values: tuple[str, ...]
    """In lower case and sorted; `TEXT` and `OLDER` have exactly one."""
    negated: bool = False

    def __str__(self) -> str:
        values = ",".join(map(_written, self.values))
        qualifier = f"{self.qualifier}:" if self.qualifier is not Qualifier.TEXT else ""
        return f"{'-' if self.negated else ''}{qualifier}{values}"

    @property
    def sort_key(self) -> tuple[int, bool, tuple[str, ...]]:
        """The order of terms in a filter, so that equal filters are written the same."""
        return _ORDER[self.qualifier], self.negated, self.values


@dataclass(frozen=True, slots=True)
class Filter:
    """Matches the alerts for which all terms hold; without terms, all alerts."""

    terms: tuple[Term, ...] = ()
    sort: Sort = Sort.CREATED_DESC

    def __str__(self) -> str:
        written = [str(term) for term in self.terms]
        if self.sort is not Sort.CREATED_DESC:
            written.append(f"sort:{self.sort}")
        return " ".join(written)

    def uses(self, *qualifiers: Qualifier) -> bool:
        """Whether a term has one of these qualifiers."""
        return any(term.qualifier in qualifiers for term in self.terms)


@dataclass(frozen=True, slots=True, order=True)
class PagePosition:
    """The position of an alert in a list: by time, and at the same time by key."""

    at: UnixTime
    key: AlertKey


@dataclass(frozen=True, slots=True)
class FoundAlert:
    """An alert and its repository."""

    alert: Alert
    repository: Repository

    def position(self, sort: Sort) -> PagePosition:
        """Its position in a list of that order."""
        at = self.alert.updated_at if sort.by_update else self.alert.created_at
        return PagePosition(at, self.alert.key)


def fold(text: str) -> str:
    """ASCII letters in lower case; SQLite and PostgreSQL differ on others."""
    return text.translate(_TO_LOWER)


def hyphened(text: str) -> str:
    """Folded, with hyphens for spaces and underscores; GitHub writes both `wont_fix` and `wont-fix`."""
    return fold(text).replace("_", "-").replace(" ", "-")


def seconds(span: str) -> float:
    """Seconds of a value of `older:`: `7d`, `12h` or `30m`."""
    return int(span[:-1]) * {"d": 86_400.0, "h": 3_600.0, "m": 60.0}[span[-1]]


def _written(value: str) -> str:
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
