"""Finds the alerts that match a filter and that a person may see."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage import alerts, repositories, rows
from storage.db import Tx
from storage.engines import Dialect
from storage.filter import Filter, FoundAlert, PagePosition, Sort
from storage.filter_conditions import Condition, conditions, has_text, is_narrow
from storage.records import AlertKey, AlertNumber, GitHubId, RepositoryId, UnixTime
from storage.tables import alert, repository

SMALL = 20
"""So many repositories are always a small part of all."""
SMALL_PART = 0.02
FIRST_READ = 20_000
"""On PostgreSQL so many alerts, the first in the filter's order, are searched for a text before all are."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which alerts a person may see. Alerts that are assigned to them always belong to it."""

    person: GitHubId
    owners: Collection[GitHubId] = ()
    """Organizations of which they may see all alerts."""
    seen: Collection[RepositoryId] = ()
    """Repositories whose alerts they may see."""
    unseen: Collection[RepositoryId] = ()
    """Repositories whose alerts they may not see."""
    guesses: bool = False
    """Whether repositories belong to it for which their rights are not known."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A scope in terms of the stored repositories."""

    person: GitHubId
    repositories: frozenset[RepositoryId] | None
    """Those whose alerts belong to the scope; None for all."""
    unknown: frozenset[RepositoryId] = frozenset()
    """Those for which the person's rights are not known."""
    is_small: bool = False
    """`repositories` are so small a part of all that their alerts are read first and sorted then."""


@dataclass(frozen=True, slots=True)
class Search:
    """A filter, and the alerts that a person may see."""

    wanted: Filter
    reach: Reach


async def reach(tx: Tx, scope: Scope) -> Reach:
    """The repositories of a scope."""
    others = sa.select(repository.c.id).where(repository.c.owner_id.not_in(scope.owners)).limit(1)
    if (await tx.conn.execute(others)).first() is None:
        return Reach(scope.person, None)
    stored = await _repositories(tx, sa.true())
    shown = stored.intersection(scope.seen)
    if scope.owners:
        shown |= await _repositories(tx, repository.c.owner_id.in_(scope.owners))
    unknown = stored.difference(shown, scope.unseen)
    among = shown | unknown if scope.guesses else shown
    small = len(among) <= max(SMALL, len(stored) * SMALL_PART)
    return Reach(scope.person, among, unknown, small)


async def _repositories(tx: Tx, condition: Condition) -> frozenset[RepositoryId]:
    """The ids as one JSON value, since thousands of rows take twice as long."""
    listed = sa.func.json_agg if tx.dialect == "postgresql" else sa.func.json_group_array
    query = sa.select(listed(repository.c.id, type_=sa.JSON)).where(condition)
    return frozenset(await tx.conn.scalar(query) or ())


async def positions(
    tx: Tx,
    search: Search,
    limit: int,
    *,
    after: PagePosition | None = None,
    before: PagePosition | None = None,
) -> list[PagePosition]:
    """Up to `limit` positions of alerts in the filter's order: the first ones, or those after or before one of them.

    Only indexes are read where the filter allows it.
    """
    sort = search.wanted.sort
    descending = sort.descending
    beyond: list[Condition] = []
    if after is not None:
        beyond.append(_beyond(sort, after, descending=descending))
    if before is not None:
        descending = not descending
        beyond.append(_beyond(sort, before, descending=descending))
    wanted = [*conditions(tx, search.wanted, search.reach.person), *beyond]
    time, *key = columns = _columns(sort)
    in_order = _ordered(columns, descending=descending)
    # No index has a sum, so the alerts are found in another way and sorted then.
    sorted_then = _ordered((time + 0, *key), descending=descending)
    has_few = is_narrow(search.wanted)
    skims = tx.dialect == "postgresql" and has_text(search.wanted) and not has_few
    found: list[PagePosition] = []
    for part, is_small in _parts(tx, search.reach):
        query = sa.select(*columns).where(*part, *wanted).limit(limit)
        if skims and not is_small:
            is_near = _is_near(columns, beyond, descending=descending)
            near = await _read(tx, query.where(is_near).order_by(*in_order))
            if len(near) == limit:
                found += near
                continue
        order = sorted_then if is_small or has_few or skims else in_order
        found += await _read(tx, query.order_by(*order))
    found = sorted(found, reverse=descending)[:limit]
    return found if before is None else found[::-1]


async def _read(tx: Tx, query: sa.Select[Any]) -> list[PagePosition]:
    return [_position(*row) for row in await tx.conn.execute(query)]


def _ordered(columns: Sequence[Any], *, descending: bool) -> list[sa.UnaryExpression[Any]]:
    return [column.desc() if descending else column.asc() for column in columns]


def _is_near(
    columns: Sequence[sa.Column[Any]], beyond: Sequence[Condition], *, descending: bool
) -> Condition:
    """Whether an alert is one of the `FIRST_READ`. If there are no more than that, none is.

    PostgreSQL reads all alerts in a third of the time when it may do so in any order. But of a common word it finds
    enough among the first ones in the order.
    """
    time, order = columns[0], _ordered(columns, descending=descending)
    last = sa.select(time).where(*beyond).order_by(*order).offset(FIRST_READ).limit(1).scalar_subquery()
    return time >= last if descending else time <= last


async def last_positions(tx: Tx, search: Search, limit: int) -> list[PagePosition]:
    """The positions of the last `limit` alerts in the filter's order."""
    end = -1.0 if search.wanted.sort.descending else 1e18
    return await positions(tx, search, limit, before=PagePosition(end, AlertKey.parse("0/0")))


async def load(tx: Tx, wanted: Sequence[PagePosition]) -> list[FoundAlert]:
    """The alerts at these positions, in this order."""
    query = sa.select(alert).where(alerts.is_one_of({at.key for at in wanted}))
    found = {one.key: one for one in await rows.listed(tx, query, alerts.record)}
    by_id = await repositories.load_all(tx, {at.key.repository_id for at in wanted})
    return [FoundAlert(found[at.key], by_id[at.key.repository_id]) for at in wanted if at.key in found]


async def count(tx: Tx, search: Search) -> int:
    """The number of alerts."""
    wanted = conditions(tx, search.wanted, search.reach.person)
    queries = (
        sa.select(sa.func.count()).select_from(alert).where(*part, *wanted)
        for part, _ in _parts(tx, search.reach)
    )
    return sum([(await tx.conn.execute(query)).scalar_one() for query in queries])


async def has_unknown_rights(tx: Tx, search: Search) -> bool:
    """Whether the filter matches alerts of repositories for which the person's rights are not known."""
    if not search.reach.unknown:
        return False
    others = sa.func.coalesce(alert.c.assigned_to_id, -1) != search.reach.person
    unknown = _among(tx.dialect, alert.c.repository_id, search.reach.unknown)
    query = (
        sa.select(sa.literal(1))
        .select_from(alert)
        .where(*conditions(tx, search.wanted, search.reach.person), unknown, others)
        .limit(1)
    )
    return (await tx.conn.execute(query)).first() is not None


def _parts(tx: Tx, among: Reach) -> list[tuple[list[Condition], bool]]:
    """Conditions that together hold for the alerts of the scope, each alert once; and whether for few.

    An OR of them would make the database read every alert.
    """
    if among.repositories is None:
        return [([], False)]
    column: Any = alert.c.repository_id
    inside = _among(tx.dialect, column, among.repositories)
    # A large part is not read by repository, but in the filter's order, where the next alert of the scope is near.
    first = inside if among.is_small else _among(tx.dialect, column + 0, among.repositories)
    assigned = [alert.c.assigned_to_id == among.person, sa.not_(inside)]
    return [([first], among.is_small), (assigned, True)]


def _among(dialect: Dialect, column: Any, ids: Collection[int]) -> Condition:
    """Whether the column is one of the ids, as one parameter: SQLite takes 32,766, and each costs time."""
    ordered = sorted(ids)
    if dialect == "postgresql":
        is_one: Condition = column == sa.any_(sa.literal(ordered, sa.ARRAY(sa.BigInteger)))
        return is_one
    listed = sa.func.json_each(json.dumps(ordered)).table_valued("value")
    is_listed: Condition = column.in_(sa.select(listed.c.value))
    return is_listed


def _columns(sort: Sort) -> Sequence[sa.Column[Any]]:
    time = alert.c.updated_at if sort.by_update else alert.c.created_at
    return time, alert.c.repository_id, alert.c.number


def _position(at: UnixTime, repository_id: RepositoryId, number: AlertNumber) -> PagePosition:
    return PagePosition(at, AlertKey(repository_id, number))


def _beyond(sort: Sort, position: PagePosition, *, descending: bool) -> Condition:
    """Whether an alert comes after a position, in ascending or descending order."""
    here = sa.tuple_(*_columns(sort))
    there = sa.tuple_(
        sa.literal(position.at, sa.Double),
        sa.literal(position.key.repository_id, sa.BigInteger),
        sa.literal(position.key.number, sa.BigInteger),
    )
    return here < there if descending else here > there
