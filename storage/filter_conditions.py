"""The SQL conditions of a filter, which `rules.filter_match` decides for a single alert."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from storage.db import Tx
from storage.engines import Dialect
from storage.filter import ME, NOBODY, Filter, Qualifier, Term, seconds
from storage.records import AlertState, GitHubId, UnixTime
from storage.tables import alert, repository

Condition: TypeAlias = sa.ColumnElement[bool]
Text: TypeAlias = sa.ColumnElement[str]


def is_narrow(wanted: Filter) -> bool:
    """Whether a term leaves few alerts, which an index finds."""
    named = any(term.qualifier is Qualifier.REPO and not term.negated for term in wanted.terms)
    return named or _is_mine(wanted)


def has_text(wanted: Filter) -> bool:
    """Whether alerts are wanted that have a word somewhere, which no index finds."""
    return any(term.qualifier is Qualifier.TEXT and not term.negated for term in wanted.terms)


def _is_mine(wanted: Filter) -> bool:
    return any(term == Term(Qualifier.ASSIGNEE, (ME,)) for term in wanted.terms)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the conditions of one search are made of."""

    lower: Callable[[Any], Text]
    contains: Callable[[Any, str], Condition]
    now: UnixTime
    me: GitHubId
    state: Any


def conditions(tx: Tx, wanted: Filter, person: GitHubId) -> list[Condition]:
    """The conditions that all hold for an alert that matches, for a search by this person."""
    # SQLite would find the alerts of a person by their state.
    state = alert.c.state.concat("") if _is_mine(wanted) else alert.c.state
    columns = _Columns(_lower(tx.dialect), _contains(tx.dialect), tx.now, person, state)
    return [_term(term, columns) for term in wanted.terms]


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
            named = _is_in(columns.contains(repository.c.full_name, value))
            kind = columns.contains(alert.c.secret_type_name, value)
            return sa.or_(named, kind, _has_in_path(value, columns.contains))


def _is_in(is_wanted: Condition) -> Condition:
    """Whether the alert's repository is one of those for which the condition holds."""
    return alert.c.repository_id.in_(sa.select(repository.c.id).where(is_wanted))


def _has_in_path(value: str, contains: Callable[[Any, str], Condition]) -> Condition:
    """Whether the location's path has the text. The stored JSON is read only where the text is in it somewhere."""
    written = json.dumps(value)[1:-1].lower()
    anywhere = contains(sa.cast(alert.c.place, sa.Text), written)
    return sa.and_(anywhere, contains(alert.c.place["path"].as_string(), value))


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


def _contains(dialect: Dialect) -> Callable[[Any, str], Condition]:
    """The SQL for whether a text contains another, both folded.

    SQLite's LIKE ignores the case of ASCII letters by itself, in 0.6 of the time that `lower` and LIKE take.
    """
    lower = _lower(dialect)

    def contains(column: Any, value: str) -> Condition:
        text = sa.func.coalesce(column, "") if dialect == "sqlite" else lower(column)
        holds: Condition = text.contains(value, autoescape=True)
        return holds

    return contains


def _hyphened(text: Text) -> Text:
    return sa.func.replace(sa.func.replace(text, "_", "-"), " ", "-")
