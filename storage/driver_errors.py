"""What an error of SQLite's or PostgreSQL's driver means: the database is unavailable, locked, full, or changed."""

import re
import sqlite3

import sqlalchemy as sa

_FAILURES = ("08", "25006", "28", "3D", "40", "53", "55P03", "57", "58", "XX")
"""PostgreSQL's error codes, or the first characters of them, that mean that the database is unavailable.

PostgreSQL's docs, appendix A: connection, read-only, authorization, no such database, rollback (deadlock),
resources, lock, operator (shutdown, start-up), system, internal.
"""
_REFUSALS = ("3F", "42")
"""The same for a statement about a table or schema that is missing, or that the user may not use."""
_LOCK_NOT_AVAILABLE = "55P03"
_FULL = ("database or disk is full", "No space left on device")
"""In the message of SQLite's SQLITE_FULL, and of PostgreSQL's errors about its files."""


def is_stale(error: sa.exc.DBAPIError | sqlite3.Error) -> bool:
    """Whether a prepared statement no longer fits the tables.

    asyncpg raises InvalidCachedStatementError. SQLAlchemy then drops all prepared statements, so the same transaction
    works when it is repeated (SQLAlchemy's docs on asyncpg, "Prepared Statement Cache").
    """
    return isinstance(error, sa.exc.DBAPIError) and type(error.orig).__name__ == "InvalidCachedStatementError"


def is_failure(error: sa.exc.DBAPIError | sqlite3.Error) -> bool:
    """Whether the database is unavailable or refused the statement, rather than its data wrong."""
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sqlite3.OperationalError):
        return True
    # SQLite raises this very class for a file that is damaged or is no database.
    if type(error) in (sa.exc.DatabaseError, sqlite3.DatabaseError):
        return True
    if isinstance(error, sqlite3.Error):
        return False
    return error.connection_invalidated or _sqlstate(error.orig).startswith(_FAILURES + _REFUSALS)


def is_refused(error: sa.exc.DBAPIError | sqlite3.Error) -> bool:
    """Whether a statement was refused, as one about a missing table. SQLite's has the same class as an outage."""
    driver = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return (
        _sqlstate(driver).startswith(_REFUSALS) or getattr(driver, "sqlite_errorname", None) == "SQLITE_ERROR"
    )


def is_locked(error: sa.exc.DBAPIError | sqlite3.Error) -> bool:
    """Whether another transaction held a lock for longer than we wait, so that nothing was stored."""
    if isinstance(error, sa.exc.DBAPIError) and _sqlstate(error.orig) == _LOCK_NOT_AVAILABLE:
        return True
    return "database is locked" in reason_of(error)


def describe(error: sa.exc.DBAPIError | sqlite3.Error) -> str:
    """The predicate of a sentence about the database: what happened, the reason, and what to do if that is known."""
    reason = reason_of(error)
    if any(words in reason for words in _FULL):
        return f"failed: {reason}; free space on its disk, and Stanch goes on by itself"
    if "unable to open" in reason:
        return f"can't be opened: {reason}"
    return f"{'is busy' if is_locked(error) else 'failed'}: {reason}"


def reason_of(error: Exception) -> str:
    """The first line of the driver's message."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    text = re.sub(r"<class '[^']*'>: ", "", str(cause)).strip() or type(cause).__name__
    return text.splitlines()[0].rstrip(".")


def _sqlstate(driver: BaseException | None) -> str:
    return str(getattr(driver, "sqlstate", None))
