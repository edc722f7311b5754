"""Rows of the tables as records, and records as rows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from storage.db import Row, Tx, insert_into
from storage.engines import Dialect
from storage.records import Account, GitHubId, SlackTeamId, SlackUserId

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Columns: TypeAlias = Mapping[str, Any]
"""A row by column name."""
R = TypeVar("R")


async def one(
    tx: Tx, query: sa.Executable, record: Callable[[Columns], R], parameters: Columns | None = None
) -> R | None:
    """The record in the only row that the query finds, or None if it finds none."""
    row = (await tx.conn.execute(query, parameters)).one_or_none()
    return None if row is None else record(row._asdict())


async def listed(
    tx: Tx, query: sa.Executable, record: Callable[[Columns], R], parameters: Columns | None = None
) -> list[R]:
    """The records in all rows that the query finds."""
    return [record(row._asdict()) for row in await tx.conn.execute(query, parameters)]


async def find(
    tx: Tx, table: sa.Table, record: Callable[[Columns], R], *, lock: bool = False, **parameters: object
) -> R | None:
    """The record in the only row with these values of columns, or None if there is none.

    With `lock` other transactions can't change the row until this one ends.
    """
    return await one(tx, _find(table, tuple(parameters), lock=lock), record, parameters)


async def overwrite(tx: Tx, table: sa.Table, row: Columns) -> None:
    """Insert a row, or overwrite the columns of the one with the same primary key."""
    await tx.conn.execute(_overwrite(tx.dialect, table, tuple(row)), row)


# These statements are built once for each table, since that takes longer than SQLite needs to run them.
@cache
def _find(table: sa.Table, names: tuple[str, ...], *, lock: bool) -> sa.Executable:
    same = (table.c[name] == sa.bindparam(name, type_=table.c[name].type) for name in names)
    query = sa.select(table).where(*same)
    return query.with_for_update() if lock else query


@cache
def _overwrite(dialect: Dialect, table: sa.Table, names: tuple[str, ...]) -> sa.Executable:
    insert, key = insert_into(dialect, table), table.primary_key.columns
    changed = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=changed)


def part(row: Row, table: sa.Table) -> Columns:
    """The columns of one table in a row of a join."""
    return {column.name: row._mapping[column] for column in table.c}


def values(record: "DataclassInstance", table: sa.Table) -> dict[str, Any]:
    """The fields of a record that are columns of the same name."""
    return {name: getattr(record, name) for name in _names(type(record), table)}


def account_values(name: str, account: Account | None) -> dict[str, object]:
    """The two columns of an account."""
    return {f"{name}_id": account and account.id, f"{name}_login": account and account.login}


def account(columns: Columns, name: str) -> Account | None:
    """The account in two columns."""
    id_, login = columns[f"{name}_id"], columns[f"{name}_login"]
    return None if id_ is None or login is None else Account(id_, login)


def build(kind: type[R], stored: Columns, **parts: object) -> R:
    """The record of a row or document, with `parts` instead of its values; nested documents become records.

    Unknown fields of other versions are ignored, and missing ones get their defaults.
    """
    record: R = _adapter(kind).validate_python({**stored, **parts})
    return record


def concerns(
    table: sa.Table, team: SlackTeamId, users: Collection[SlackUserId], accounts: Collection[GitHubId]
) -> sa.ColumnElement[bool]:
    """Whether a row links one of these Slack users or GitHub accounts."""
    either = sa.or_(table.c.slack_user.in_(users), table.c.github_id.in_(accounts))
    return sa.and_(table.c.slack_team == team, either)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


@cache
def _names(kind: Any, table: sa.Table) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name in table.c)
