"""Alerts by filter, among those that one person may see: evaluated by the database, a page at a time."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from storage import alerts, repositories
from storage.db import Tx
from storage.engines import Dialect
from storage.filter import ME, NOBODY, Filter, FoundAlert, PagePosition, Qualifier, Sort, Term, seconds
from storage.records import AlertKey, AlertState, GitHubId, RepositoryId, UnixTime
from storage.tables import alert, repository

Condition: TypeAlias = sa.ColumnElement[bool]
Text: TypeAlias = sa.ColumnElement[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which alerts come into question for one person. What they are assigned to always does."""

    person: GitHubId
    owners: Collection[GitHubId] = ()
    """Organizations whose alerts they may see, every one."""
    seen: Collection[RepositoryId] = ()
    unseen: Collection[RepositoryId] = ()
    guesses: bool = False
    """Repositories of which nothing is known come into question too."""


@dataclass(frozen=True, slots=True)
class Search:
    """One filter for one person."""

    wanted: Filter
    scope: Scope


async def find(
    tx: Tx,
    search: Search,
    limit: int,
    *,
    after: PagePosition | None = None,
    before: PagePosition | None = None,
) -> list[FoundAlert]:
    """Up to `limit` alerts in the filter's order: the first ones, those next after a place, or next before it."""
    sort = search.wanted.sort
    descending = sort.descending
    query = sa.select(alert).join(repository, repository.c.id == alert.c.repository_id)
    query = query.where(*_conditions(tx, search))
    if after is not None:
        query = query.where(_beyond(sort, after, descending=descending))
    if before is not None:
        descending = not descending
        query = query.where(_beyond(sort, before, descending=descending))
    order = [column.desc() if descending else column.asc() for column in _columns(sort)]
    rows = (await tx.conn.execute(query.order_by(*order).limit(limit))).all()
    found = [alerts.record(row) for row in (reversed(rows) if before is not None else rows)]
    homes = await repositories.load_all(tx, {one.key.repository_id for one in found})
    return [FoundAlert(one, homes[one.key.repository_id]) for one in found]


async def find_last(tx: Tx, search: Search, limit: int) -> list[FoundAlert]:
    """The last `limit` alerts, in the filter's order."""
    end = -1.0 if search.wanted.sort.descending else 1e18
    return await find(tx, search, limit, before=PagePosition(end, AlertKey.parse("0/0")))


async def count(tx: Tx, search: Search, *, before: PagePosition | None = None) -> int:
    """How many alerts there are, in all or before a place."""
    query = sa.select(sa.func.count()).select_from(alert)
    query = query.join(repository, repository.c.id == alert.c.repository_id).where(*_conditions(tx, search))
    if before is not None:
        sort = search.wanted.sort
        query = query.where(_beyond(sort, before, descending=not sort.descending))
    return (await tx.conn.execute(query)).scalar_one()


async def has_unasked(tx: Tx, search: Search) -> bool:
    """Whether the filter wants alerts of repositories of which it isn't known whether the person may see them."""
    query = sa.select(sa.literal(1)).select_from(alert)
    query = query.join(repository, repository.c.id == alert.c.repository_id)
    unknown = sa.and_(~_seen(search.scope), ~alert.c.repository_id.in_(search.scope.unseen))
    query = query.where(*_wanted(tx, search), unknown).limit(1)
    return (await tx.conn.execute(query)).first() is not None


def _conditions(tx: Tx, search: Search) -> list[Condition]:
    scope = search.scope
    shown = _seen(scope)
    if scope.guesses:
        shown = sa.or_(shown, ~alert.c.repository_id.in_(scope.unseen))
    return [*_wanted(tx, search), shown]


def _seen(scope: Scope) -> Condition:
    mine = sa.func.coalesce(alert.c.assigned_to_id, -1) == scope.person
    return sa.or_(mine, repository.c.owner_id.in_(scope.owners), alert.c.repository_id.in_(scope.seen))


def _wanted(tx: Tx, search: Search) -> list[Condition]:
    lower, me = _lower(tx.dialect), search.scope.person
    return [_term(term, lower, tx.now, me) for term in search.wanted.terms]


def _term(term: Term, lower: Callable[[Any], Text], now: UnixTime, me: GitHubId) -> Condition:
    holds = sa.or_(*(_holds(term.word, value, lower, now, me) for value in term.values))
    return sa.not_(holds) if term.negated else holds


def _holds(
    word: Qualifier, value: str, lower: Callable[[Any], Text], now: UnixTime, me: GitHubId
) -> Condition:
    """One value of one word. None of these is ever NULL, so that each can be turned round."""
    match word:
        case Qualifier.IS:
            return _is(value)
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
            return lower(repository.c.full_name) == value
        case Qualifier.ORG:
            return lower(repository.c.owner_login) == value
        case Qualifier.ASSIGNEE:
            return _on_it(value, lower, me)
        case Qualifier.OLDER:
            return alert.c.created_at <= now - seconds(value)
        case Qualifier.TEXT:
            path = alert.c.place["path"].as_string()
            columns = (alert.c.secret_type_name, repository.c.full_name, path)
            return sa.or_(*(lower(column).contains(value, autoescape=True) for column in columns))


def _is(value: str) -> Condition:
    return {
        "open": alert.c.state == AlertState.OPEN,
        "closed": alert.c.state == AlertState.RESOLVED,
        "publicly-leaked": alert.c.publicly_leaked.is_(True),
        "multi-repository": alert.c.multi_repo.is_(True),
    }[value]


def _on_it(value: str, lower: Callable[[Any], Text], me: GitHubId) -> Condition:
    if value == NOBODY:
        marks = (alert.c.assigned_to_id, alert.c.taken_by_id, alert.c.taken_by_user)
        return sa.and_(*(mark.is_(None) for mark in marks))
    if value == ME:
        ids = (alert.c.assigned_to_id, alert.c.taken_by_id)
        return sa.or_(*(sa.func.coalesce(column, -1) == me for column in ids))
    return sa.or_(lower(alert.c.assigned_to_login) == value, lower(alert.c.taken_by_login) == value)


def _lower(dialect: Dialect) -> Callable[[Any], Text]:
    """Small letters of ASCII alone, which SQLite's `lower` does, and PostgreSQL's in the collation "C"."""

    def lower(column: Any) -> Text:
        text = sa.func.coalesce(column, "")
        return sa.func.lower(text if dialect == "sqlite" else sa.collate(text, "C"))

    return lower


def _hyphened(text: Text) -> Text:
    return sa.func.replace(sa.func.replace(text, "_", "-"), " ", "-")


def _columns(sort: Sort) -> Sequence[sa.Column[Any]]:
    time = alert.c.updated_at if sort.by_update else alert.c.created_at
    return time, alert.c.repository_id, alert.c.number


def _beyond(sort: Sort, place: PagePosition, *, descending: bool) -> Condition:
    """Standing later than the place, when read in that direction."""
    here = sa.tuple_(*_columns(sort))
    there = sa.tuple_(
        sa.literal(place.at, sa.Double),
        sa.literal(place.key.repository_id, sa.BigInteger),
        sa.literal(place.key.number, sa.BigInteger),
    )
    return here < there if descending else here > there
