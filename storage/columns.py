"""Kinds of columns, and the collection of the tables."""

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(referred_table_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
    }
)

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows by itself only in a primary key of the type INTEGER."""


class StorableText(sa.types.TypeDecorator[str]):
    """Text, made storable before it is sent to the database.

    PostgreSQL does not store a NUL, and neither driver encodes half of a surrogate pair, which JSON can hold. Without
    this, an alert with such a comment could not be stored.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text without NULs, and with `?` for each unpaired surrogate."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


JSON = sa.JSON(none_as_null=True)


def required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    """Columns of one type that are not nullable."""
    return [sa.Column(name, kind, nullable=False) for name in names]


def optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    """Columns of one type that are nullable."""
    return [sa.Column(name, kind) for name in names]
