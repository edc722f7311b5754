"""Finds the alerts that match a filter and that a person may see."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from storage import alerts, repositories, rows
from storage.db import Tx
from storage.engines import Dialect
from storage.filter import ME, NOBODY, Filter, FoundAlert, PagePosition, Qualifier, Sort, Term, seconds
from storage.records import AlertKey, AlertNumber, AlertState, GitHubId, RepositoryId, UnixTime
from storage.tables import alert, repository

Condition: TypeAlias = sa.ColumnElement[bool]
Text: TypeAlias = sa.ColumnElement[str]
SMALL = 20
"""So many repositories are always a small part of all."""
SMALL_PART = 0.02


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
    owners, seen, unseen = frozenset(scope.owners), frozenset(scope.seen), frozenset(scope.unseen)
    stored = (await tx.conn.execute(sa.select(repository.c.id, repository.c.owner_id))).all()
    shown = {row.id for row in stored if row.owner_id in owners or row.id in seen}
    unknown = {row.id for row in stored if row.id not in unseen} - shown
    among = frozenset(shown | unknown) if scope.guesses else frozenset(shown)
    small = len(among) <= max(SMALL, len(stored) * SMALL_PART)
    return Reach(scope.person, among, frozenset(unknown), small)


async def find(
    tx: Tx,
    search: Search,
    limit: int,
    *,
    after: PagePosition | None = None,
    before: PagePosition | None = None,
) -> list[FoundAlert]:
    """Up to `limit` alerts in the filter's order: the first ones, or those next to a position, after or before it."""
    return await load(tx, await positions(tx, search, limit, after=after, before=before))


async def positions(
    tx: Tx,
    search: Search,
    limit: int,
    *,
    after: PagePosition | None = None,
    before: PagePosition | None = None,
) -> list[PagePosition]:
    """The positions of the alerts that `find` finds. Only indexes are read where the filter allows it."""
    sort = search.wanted.sort
    descending = sort.descending
    wanted = _wanted(tx, search)
    if after is not None:
        wanted.append(_beyond(sort, after, descending=descending))
    if before is not None:
        descending = not descending
        wanted.append(_beyond(sort, before, descending=descending))
    time, *key = columns = _columns(sort)
    found: list[PagePosition] = []
    for part, is_small in _parts(tx, search.reach):
        # SQLite reads a sum from no index: where few alerts match, it reads those and sorts them.
        by = (time + 0 if is_small or _is_narrow(search.wanted) else time, *key)
        order = [column.desc() if descending else column.asc() for column in by]
        query = sa.select(*columns).where(*part, *wanted).order_by(*order).limit(limit)
        found += [_position(*row) for row in await tx.conn.execute(query)]
    found = sorted(found, reverse=descending)[:limit]
    return found if before is None else found[::-1]


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
    wanted = _wanted(tx, search)
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
    query = sa.select(sa.literal(1)).select_from(alert).where(*_wanted(tx, search), unknown, others).limit(1)
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
        is_one: Condition = column == sa.any_(sa.literal(ordered, ARRAY(sa.BigInteger)))
        return is_one
    listed = sa.func.json_each(json.dumps(ordered)).table_valued("value")
    is_listed: Condition = column.in_(sa.select(listed.c.value))
    return is_listed


def _is_narrow(wanted: Filter) -> bool:
    """Whether a term leaves few alerts, which an index finds."""
    named = any(term.qualifier is Qualifier.REPO and not term.negated for term in wanted.terms)
    return named or _is_mine(wanted)


def _is_mine(wanted: Filter) -> bool:
    return any(term == Term(Qualifier.ASSIGNEE, (ME,)) for term in wanted.terms)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the conditions of one search are made of."""

    lower: Callable[[Any], Text]
    now: UnixTime
    me: GitHubId
    state: Any


def _wanted(tx: Tx, search: Search) -> list[Condition]:
    # SQLite would find the alerts of a person by their state.
    state = alert.c.state.concat("") if _is_mine(search.wanted) else alert.c.state
    columns = _Columns(_lower(tx.dialect), tx.now, search.reach.person, state)
    return [_term(term, columns) for term in search.wanted.terms]


def _term(term: Term, columns: _Columns) -> Condition:
    holds = sa.or_(*(_holds(term.qualifier, value, columns) for value in term.values))
    return sa.not_(holds) if term.negated else holds


def _holds(qualifier: Qualifier, value: str, columns: _Columns) -> Condition:
    """The condition for one value of a qualifier. It is never NULL, so that it can be negated."""
    lower = columns.lower
    match qualifier:
        case Qualifier.IS:
            return _is(value, columns.state)
        case Qualifier.VALIDITY:
            return lower(alert.c.validity) == value
        case Qualifier.SECRET_TYPE:
            return sa.or_(lower(alert.c.secret_type) == value, lower(alert.c.secret_type_name) == value)
        case Qualifier.PROVIDER:
            return _hyphened(lower(alert.c.provider)) == value
        case Qualifier.RESOLUTION:
            return _hyphened(lower(alert.c.resolution)) == value
        case Qualifier.BYPASSED:
            return alert.c.bypassed.is_(value == "true")
        case Qualifier.REPO:
            return _is_in(lower(repository.c.full_name) == value)
        case Qualifier.ORG:
            return _is_in(lower(repository.c.owner_login) == value)
        case Qualifier.ASSIGNEE:
            return _has_assignee(value, lower, columns.me)
        case Qualifier.OLDER:
            return alert.c.created_at <= columns.now - seconds(value)
        case Qualifier.TEXT:
            named = _is_in(lower(repository.c.full_name).contains(value, autoescape=True))
            kind = lower(alert.c.secret_type_name).contains(value, autoescape=True)
            return sa.or_(named, kind, _has_in_path(value, lower))


def _is_in(is_wanted: Condition) -> Condition:
    """Whether the alert's repository is one of those for which the condition holds."""
    return alert.c.repository_id.in_(sa.select(repository.c.id).where(is_wanted))


def _has_in_path(value: str, lower: Callable[[Any], Text]) -> Condition:
    """Whether the location's path has the text. The stored JSON is read only where the text is in it somewhere."""
    written = json.dumps(value)[1:-1].lower()
    anywhere = lower(sa.cast(alert.c.place, sa.Text)).contains(written, autoescape=True)
    return sa.and_(anywhere, lower(alert.c.place["path"].as_string()).contains(value, autoescape=True))


def _is(value: str, state: Any) -> Condition:
    conditions: dict[str, Condition] = {
        "open": state == AlertState.OPEN,
        "closed": state == AlertState.RESOLVED,
        "publicly-leaked": alert.c.publicly_leaked.is_(True),
        "multi-repository": alert.c.multi_repo.is_(True),
    }
    return conditions[value]


def _has_assignee(value: str, lower: Callable[[Any], Text], me: GitHubId) -> Condition:
    if value == NOBODY:
        columns = (alert.c.assigned_to_id, alert.c.taken_by_id, alert.c.taken_by_user)
        return sa.and_(*(column.is_(None) for column in columns))
    if value == ME:
        ids = (alert.c.assigned_to_id, alert.c.taken_by_id)
        return sa.or_(*(sa.and_(column.is_not(None), column == me) for column in ids))
    return sa.or_(lower(alert.c.assigned_to_login) == value, lower(alert.c.taken_by_login) == value)


def _lower(dialect: Dialect) -> Callable[[Any], Text]:
    """The SQL for `filter.fold`: `lower`, which on PostgreSQL needs the collation "C" to change ASCII alone."""

    def lower(column: Any) -> Text:
        text = sa.func.coalesce(column, "")
        return sa.func.lower(text if dialect == "sqlite" else sa.collate(text, "C"))

    return lower


def _hyphened(text: Text) -> Text:
    return sa.func.replace(sa.func.replace(text, "_", "-"), " ", "-")


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
