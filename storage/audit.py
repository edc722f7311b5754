"""The audit log: who did, tried or was refused what, in rows that are chained by hashes and never change.

A row's hash is the HMAC-SHA256, keyed by the operator's key, of the previous row's hash and the row's canonical
JSON. Without a key, anyone who can write to the database can make a new chain. Only a hash that was kept elsewhere,
as in the process's log, then shows the change.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.columns import storable
from storage.db import Row, Tx
from storage.records import AuditEntry, AuditOutcome, AuditRow, GitHubId, UnixTime
from storage.tables import audit

START = "0" * 64
"""The previous hash of the first row."""

_LOCK = 5_283_127_014_411_917_302
"""The number of PostgreSQL's advisory lock under which one transaction at a time appends."""
# A literal, not a parameter: a query planner uses a partial index only for a literal.
_IS_INTENDED = audit.c.outcome == sa.literal_column("'intended'", sa.Text)
_ENTRY = tuple(field.name for field in fields(AuditEntry))


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a check of the whole chain."""

    ok: bool
    rows: int
    """The number of rows before the first fault."""
    head: str
    """The hash of the last of these rows."""
    problem: str | None
    """A sentence that names the first fault."""
    misses_head: bool = False
    """Whether every row verifies, but none has the head that was given."""


async def append(tx: Tx, entry: AuditEntry) -> AuditRow:
    """Add a row with the transaction's time.

    On PostgreSQL other transactions can't append until this one ends, so append as late as possible.
    """
    await lock(tx)
    return await _append(tx, entry)


async def append_within(tx: Tx, entry: AuditEntry, *, most: int, seconds: float) -> UnixTime | None:
    """Add a row of the outcome `intended`, unless its account has had `most` such rows in the last `seconds`.

    Rows of the same action count, those with a reason don't. Returns None if the row was added, else the time from
    which one can be added. Simultaneous callers are counted one after another, as for `append`.
    """
    await lock(tx)
    until = await full_until(tx, entry.github_id, entry.action, most=most, seconds=seconds)
    if until is None:
        await _append(tx, entry)
    return until


async def full_until(
    tx: Tx, github_id: GitHubId | None, action: str, *, most: int, seconds: float
) -> UnixTime | None:
    """From when `append_within` would add a row; None if it would now, unless others add theirs first."""
    mine = (audit.c.github_id == github_id, audit.c.action == action, audit.c.reason.is_(None))
    newest = sa.select(audit.c.at).where(*mine, _IS_INTENDED, audit.c.at > tx.now - seconds)
    found = list(await tx.conn.scalars(newest.order_by(audit.c.at.desc()).limit(most)))
    if len(found) < most:
        return None
    oldest: UnixTime = found[-1]
    return oldest + seconds


async def lock(tx: Tx) -> None:
    """Keep other transactions from appending until this one ends."""
    if tx.dialect == "postgresql":
        await tx.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


_NEWEST = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_INSERT = sa.insert(audit)


async def _append(tx: Tx, entry: AuditEntry) -> AuditRow:
    last = (await tx.conn.execute(_NEWEST)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, START)
    row = AuditRow(seq, tx.now, _storable(entry), previous, "")
    row = replace(row, hash=chain_hash(tx.audit_key, row))
    values = {"seq": seq, "at": row.at, **asdict(row.entry), "previous": previous, "hash": row.hash}
    await tx.conn.execute(_INSERT, values)
    tx.audited.append(row)
    return row


async def last_number(tx: Tx) -> int:
    """The number of the last row; 0 if there is none."""
    return (await tx.conn.scalar(sa.select(sa.func.max(audit.c.seq)))) or 0


async def last_hash(tx: Tx) -> str:
    """The hash of the last row, whether or not it verifies; START if there is none."""
    newest = sa.select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    return (await tx.conn.scalar(newest)) or START


async def rows(tx: Tx, since: UnixTime | None = None) -> AsyncGenerator[AuditRow, None]:
    """The rows from `since` on, oldest first, read in batches."""
    query = sa.select(audit).order_by(audit.c.seq)
    if since is not None:
        query = query.where(audit.c.at >= since)
    async with tx.conn.stream(query.execution_options(yield_per=500)) as result:
        async for row in result:
            yield _record(row)


async def verify(tx: Tx, head: str | None = None) -> Verification:
    """Check the hash of every row, and that one row has the hash `head`, if given."""
    checked, last, has_head = 0, START, head in (None, START)
    async for row in rows(tx):
        problem = _problem(tx.audit_key, row, checked + 1, last)
        if problem is not None:
            return Verification(False, checked, last, problem)
        checked, last = row.seq, row.hash
        has_head = has_head or last == head
    problem = None if has_head else "No row has the given hash: rows after it or all were replaced."
    return Verification(has_head, checked, last, problem, misses_head=not has_head)


async def last_row_verifies(tx: Tx) -> bool:
    """Whether the last row's hash is right; it is not if the row was made with another key."""
    found = (await tx.conn.execute(sa.select(audit).order_by(audit.c.seq.desc()).limit(1))).one_or_none()
    if found is None:
        return True
    row = _record(found)
    return hmac.compare_digest(chain_hash(tx.audit_key, row), row.hash)


def iso(at: UnixTime) -> str:
    """A row's time as it is exported and hashed: UTC, ISO 8601, with microseconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(row: AuditRow) -> str:
    """The row without its hashes as JSON: keys sorted, no spaces, ASCII."""
    content = {"seq": row.seq, "at": iso(row.at), **asdict(row.entry)}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def chain_hash(key: bytes, row: AuditRow) -> str:
    """The hash that the row must have."""
    return hmac.new(key, (row.previous + canonical(row)).encode(), hashlib.sha256).hexdigest()


def _problem(key: bytes, row: AuditRow, seq: int, previous: str) -> str | None:
    if row.seq != seq:
        return f"Row {seq} is missing."
    if row.previous != previous:
        return f"Row {seq} is not chained to the row before it."
    if not hmac.compare_digest(chain_hash(key, row), row.hash):
        return f"Row {seq} was altered, or made with another key."
    return None


def _storable(entry: AuditEntry) -> AuditEntry:
    """The entry as the database returns it later, so that its hash matches."""
    values: dict[str, Any] = asdict(entry)
    texts = {name: storable(value) for name, value in values.items() if type(value) is str}
    return AuditEntry(**{**values, **texts})


def _record(row: Row) -> AuditRow:
    values = {name: getattr(row, name) for name in _ENTRY}
    values["outcome"] = AuditOutcome(row.outcome)
    return AuditRow(row.seq, row.at, AuditEntry(**values), row.previous, row.hash)
