"""Finds the alerts that match a filter and that a person may see, by one query per page."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from storage import alerts, repositories, rows
from storage.db import Tx
from storage.engines import Dialect
from storage.filter import ME, NOBODY, Filter, FoundAlert, PagePosition, Qualifier, Sort, Term, seconds
from storage.records import AlertKey, AlertState, GitHubId, RepositoryId, UnixTime
from storage.tables import alert, repository

Condition: TypeAlias = sa.ColumnElement[bool]
Text: TypeAlias = sa.ColumnElement[str]


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
class Search:
    """A filter, and the alerts that a person may see."""

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
    """Up to `limit` alerts in the filter's order: the first ones, or those next to a position, after or before it."""
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
    found = await rows.listed(tx, query.order_by(*order).limit(limit), alerts.record)
    by_id = await repositories.load_all(tx, {one.key.repository_id for one in found})
    listed = [FoundAlert(one, by_id[one.key.repository_id]) for one in found]
    return listed if before is None else listed[::-1]


async def find_last(tx: Tx, search: Search, limit: int) -> list[FoundAlert]:
    """The last `limit` alerts in the filter's order."""
    end = -1.0 if search.wanted.sort.descending else 1e18
    return await find(tx, search, limit, before=PagePosition(end, AlertKey.parse("0/0")))


async def count(tx: Tx, search: Search, *, before: PagePosition | None = None) -> int:
    """The number of alerts, of all or of those before a position."""
    query = sa.select(sa.func.count()).select_from(alert)
    query = query.join(repository, repository.c.id == alert.c.repository_id).where(*_conditions(tx, search))
    if before is not None:
        sort = search.wanted.sort
        query = query.where(_beyond(sort, before, descending=not sort.descending))
    return (await tx.conn.execute(query)).scalar_one()


async def has_unknown_rights(tx: Tx, search: Search) -> bool:
    """Whether the filter matches alerts of repositories for which the person's rights are not known."""
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
    holds = sa.or_(*(_holds(term.qualifier, value, lower, now, me) for value in term.values))
    return sa.not_(holds) if term.negated else holds


def _holds(
    qualifier: Qualifier, value: str, lower: Callable[[Any], Text], now: UnixTime, me: GitHubId
) -> Condition:
    """The condition for one value of a qualifier. It is never NULL, so that it can be negated."""
    match qualifier:
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
            return _has_assignee(value, lower, me)
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


def _has_assignee(value: str, lower: Callable[[Any], Text], me: GitHubId) -> Condition:
    if value == NOBODY:
        columns = (alert.c.assigned_to_id, alert.c.taken_by_id, alert.c.taken_by_user)
        return sa.and_(*(column.is_(None) for column in columns))
    if value == ME:
        ids = (alert.c.assigned_to_id, alert.c.taken_by_id)
        return sa.or_(*(sa.func.coalesce(column, -1) == me for column in ids))
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


def _beyond(sort: Sort, position: PagePosition, *, descending: bool) -> Condition:
    """Whether an alert comes after a position, in ascending or descending order."""
    here = sa.tuple_(*_columns(sort))
    there = sa.tuple_(
        sa.literal(position.at, sa.Double),
        sa.literal(position.key.repository_id, sa.BigInteger),
        sa.literal(position.key.number, sa.BigInteger),
    )
    return here < there if descending else here > there
