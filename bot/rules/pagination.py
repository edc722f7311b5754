"""Where a page of a list begins, and how a button carries it: the list is asked for anew at every click."""

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
    """On which side of a place the page lies."""

    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. The place is an alert's, so alerts that come and go meanwhile don't shift it."""

    alert_filter: Filter
    side: Side = Side.AFTER
    position: PagePosition | None = None
    """None for the first page."""

    @property
    def value(self) -> str:
        """What a button carries; it is read again after any restart, whoever clicks."""
        assert self.position is not None
        return f"{self.side} {self.position.at!r} {self.position.key} {self.alert_filter}".strip()


def parse_page(value: str) -> ListPage | None:
    """The page that a button's value means; None for anything that is none."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    try:
        position = PagePosition(float(found["at"]), AlertKey.parse(found["key"]))
        return ListPage(parse_filter(found["filter"] or ""), Side(found["side"]), position)
    except ValueError:
        return None
