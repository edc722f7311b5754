"""Encodes a page of a list as a button's value and decodes it; each click runs the query again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.filters import parse_filter
from storage.filter import Filter, PagePosition
from storage.records import AlertKey

PAGE_SIZE = 10
"""Alerts on a page."""
MOST_COUNTED = 1000
"""Up to so many, a list says how many alerts it has; beyond, that it has more."""
_VALUE = re.compile(
    r"(?P<side>after|before) (?P<at>\d{1,12}(?:\.\d{1,17})?) (?P<key>\d+/\d+)(?: (?P<filter>.*))?"
)


class Side(StrEnum):
    """On which side of the position the page is."""

    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. Its position is an alert, not a number, so that new alerts don't shift the page."""

    alert_filter: Filter
    side: Side = Side.AFTER
    position: PagePosition | None = None
    """None for the first page."""

    @property
    def value(self) -> str:
        """The button's value: it has all that is needed to show the page to anybody, also after a restart."""
        assert self.position is not None
        return f"{self.side} {self.position.at!r} {self.position.key} {self.alert_filter}".strip()


@dataclass(frozen=True, slots=True)
class Part:
    """A page as a part of a list: from `start`, counted from 0, to before `stop`."""

    start: int
    stop: int
    moved: bool = False
    """The requested page no longer exists; this is the last one."""


def part_of_head(head: Sequence[PagePosition], page: ListPage, *, whole: bool) -> Part | None:
    """The page's part of a list, of which `head` is the beginning or, if `whole`, all.

    None if the page, or the alert behind it, lies beyond the head.
    """
    size, at = len(head), page.position
    descending = page.alert_filter.sort.descending
    start = 0
    if at is not None and page.side is Side.AFTER:
        start = sum(there >= at if descending else there <= at for there in head)
    elif at is not None:
        end = sum(there > at if descending else there < at for there in head)
        if end == size and not whole:
            return None
        # With less than a page before the position, the full first page is shown.
        start = max(0, end - PAGE_SIZE)
    if start + PAGE_SIZE >= size and not whole:
        return None
    if start >= size > 0:
        return Part(max(0, size - PAGE_SIZE), size, moved=True)
    return Part(start, min(size, start + PAGE_SIZE))


def parse_page(value: str) -> ListPage | None:
    """The page for a button's value; None for an invalid value."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    try:
        position = PagePosition(float(found["at"]), AlertKey.parse(found["key"]))
        return ListPage(parse_filter(found["filter"] or ""), Side(found["side"]), position)
    except ValueError:
        return None
