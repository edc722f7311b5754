"""The page of a list that its first positions give is the page of the whole list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.pagination import PAGE_SIZE, ListPage, Part, Side, part_of_head
from storage.filter import Filter, PagePosition, Sort
from storage.records import AlertKey, AlertNumber, RepositoryId


def position(at: int) -> PagePosition:
    return PagePosition(float(at), AlertKey(RepositoryId(1), AlertNumber(1)))


@given(
    ats=st.lists(st.integers(0, 60), unique=True, max_size=45),
    sort=st.sampled_from([Sort.CREATED_DESC, Sort.UPDATED_ASC]),
    side=st.sampled_from(Side),
    at=st.none() | st.integers(-1, 61),
    limit=st.integers(11, 50),
)
def test_a_page_is_the_same_by_the_first_positions(
    ats: list[int], sort: Sort, side: Side, at: int | None, limit: int
) -> None:
    every = sorted(map(position, ats), reverse=sort.descending)
    page = ListPage(Filter(sort=sort), side, None if at is None else position(at))
    shown, moved = page_of(every, page)
    part = part_of_head(every[:limit], page, whole=len(every) <= limit)
    if part is None:
        assert len(every) > limit
        assert shown[-1] in every[limit - 1 :]
    else:
        assert every[part.start : part.stop] == shown
        assert part.moved == moved


NEWEST = tuple(map(position, range(60, 35, -1)))
"""25 positions, the newest first."""


@pytest.mark.parametrize(
    ("side", "at", "whole", "part"),
    [
        (Side.AFTER, 60, False, Part(1, 11)),
        (Side.AFTER, 45, False, None),
        (Side.AFTER, 45, True, Part(16, 25)),
        (Side.AFTER, 36, True, Part(15, 25, moved=True)),
        (Side.BEFORE, 45, False, Part(5, 15)),
        (Side.BEFORE, 58, False, Part(0, 10)),
        (Side.BEFORE, 20, False, None),
        (Side.BEFORE, 20, True, Part(15, 25)),
    ],
)
def test_a_page_is_looked_for_in_the_store_only_if_it_lies_beyond_the_head(
    side: Side, at: int, whole: bool, part: Part | None
) -> None:
    page = ListPage(Filter(sort=Sort.CREATED_DESC), side, position(at))
    assert part_of_head(NEWEST, page, whole=whole) == part


def page_of(every: list[PagePosition], page: ListPage) -> tuple[list[PagePosition], bool]:
    """The page by reading the whole list, and whether it is the last one in place of one that is gone."""
    at = page.position
    if at is None:
        return every[:PAGE_SIZE], False
    before = [one for one in every if (one > at if page.alert_filter.sort.descending else one < at)]
    if page.side is Side.BEFORE:
        return before[-PAGE_SIZE:] if len(before) >= PAGE_SIZE else every[:PAGE_SIZE], False
    behind = [one for one in every[len(before) :] if one != at]
    return (behind[:PAGE_SIZE], False) if behind or not every else (every[-PAGE_SIZE:], True)
