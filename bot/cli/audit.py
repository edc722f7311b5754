"""`stanch audit`: who did, tried or was refused what."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

from bot.errors import StartRefused
from storage import audit
from storage.db import Database
from storage.records import AuditEntry, AuditOutcome, AuditRow, StoredJson, UnixTime


async def export_audit(db: Database, since: str | None) -> AsyncGenerator[dict[str, StoredJson], None]:
    """The rows of the audit log as flat objects, oldest first; whoever stops early closes it (`aclosing`)."""
    start = _since(since)
    async with db.read() as tx, aclosing(audit.rows(tx, start)) as rows:
        async for row in rows:
            yield audit_object(row)


def audit_object(row: AuditRow) -> dict[str, StoredJson]:
    """One row by its public names."""
    return {
        "seq": row.seq,
        "at": audit.iso(row.at),
        "slack_team": row.entry.slack_team,
        "slack_user": row.entry.slack_user,
        "github_login": row.entry.github_login,
        "github_id": row.entry.github_id,
        "action": row.entry.action,
        "repository_id": row.entry.repository_id,
        "repository": row.entry.repository,
        "alert_number": row.entry.alert_number,
        "outcome": row.entry.outcome,
        "reason": row.entry.reason,
        "previous": row.previous,
        "hash": row.hash,
    }


HASH = re.compile(r"[0-9a-f]{64}")
AUDIT_COLUMNS = tuple(
    audit_object(AuditRow(0, 0.0, AuditEntry(action="", outcome=AuditOutcome.DONE), "", ""))
)


async def verify_audit(db: Database, head: str | None) -> str:
    """Check the chain, and that it still holds a head noted earlier; raises StartRefused with the first fault."""
    if head is not None:
        head = head.strip().lower()
        if not HASH.fullmatch(head):
            raise StartRefused(
                f"--head {head[:80]!r} is not a hash of 64 characters 0-9 and a-f; "
                "take it whole from stanch audit verify or the log line audited."
            )
    async with db.read() as tx:
        found = await audit.verify(tx, head)
    if not found.ok:
        raise StartRefused(f"The audit log does not verify: {found.problem}")
    return f"{found.rows} rows verify; the head is {found.head}."


def _since(text: str | None) -> UnixTime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StartRefused(
            f"--since {text[:40]!r} is not a time; write it as 2026-11-24T02:40:00+00:00."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
