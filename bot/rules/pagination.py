"""Encodes a page of a list as a button's value and decodes it; each click runs the query again."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.filters import parse_filter
from storage.filter import Filter, PagePosition
from storage.records import AlertKey

PAGE_SIZE = 10
"""Alerts on a page."""
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
