"""`stanch audit`: exports and verifies the audit log."""

import csv
import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from bot.cli.console import Output, read, remark, say, with_database
from bot.context import TimeAway
from bot.errors import StartRefused
from bot.flows.messages.time_away import times_away
from bot.views.formatting import counted
from storage import audit
from storage.db import Database, Tx
from storage.records import AuditEntry, AuditOutcome, AuditRow, StoredJson, UnixTime

group = typer.Typer(no_args_is_help=True, help="The audit log: who did, tried or was refused what.")
HASH = re.compile(r"[0-9a-f]{64}")


@group.command("export")
def print_audit(
    style: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines or CSV.")] = "jsonl",
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Only rows from this time on.")] = None,
) -> None:
    """Print the audit log."""

    async def work(db: Database) -> int:
        table, printed = csv.DictWriter(Output(), AUDIT_COLUMNS), 0
        async with aclosing(export_audit(db, since)) as rows:
            if style == "csv":
                table.writeheader()
            async for row in rows:
                printed += 1
                if style == "csv":
                    table.writerow(row)
                else:
                    say(json.dumps(row))
        return printed

    if not with_database(work):
        remark("The audit log has no row since then." if since else "The audit log has no row yet.")


@group.command("verify")
def verify(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="A head noted earlier.")] = None,
) -> None:
    """Check that no row was changed, removed or added."""
    say(read(lambda tx: _verify(tx, head)))


async def export_audit(db: Database, since: str | None) -> AsyncGenerator[dict[str, StoredJson], None]:
    """The rows of the audit log as flat objects, oldest first. Close it with `aclosing` to stop early."""
    start = _since(since)
    async with db.read() as tx, aclosing(audit.rows(tx, start)) as rows:
        async for row in rows:
            yield _audit_object(row)


def _audit_object(row: AuditRow) -> dict[str, StoredJson]:
    """A row under the public column names."""
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


AUDIT_COLUMNS = tuple(
    _audit_object(AuditRow(0, 0.0, AuditEntry(action="", outcome=AuditOutcome.DONE), "", ""))
)


async def _verify(tx: Tx, head: str | None) -> str:
    """Check the chain, and that it contains `head`; raises StartRefused with the first fault."""
    if head is not None:
        head = head.strip().lower()
        if not HASH.fullmatch(head):
            raise StartRefused(
                f"--head {head[:80]!r} is not a hash of 64 characters 0-9 and a-f; "
                "copy it whole from stanch audit verify or the log event audited."
            )
    found = await audit.verify(tx, head)
    if found.misses_head:
        where = f"The last row is number {found.rows}. {_gone_rows(await times_away(tx))}".strip()
        raise StartRefused(f"The audit log does not verify: {found.problem} {where}")
    if not found.ok:
        raise StartRefused(f"The audit log does not verify: {found.problem}")
    verify = "verifies" if found.rows == 1 else "verify"
    return f"{counted(found.rows, 'row')} {verify}; the head is {found.head}."


def _gone_rows(times: Sequence[TimeAway]) -> str:
    """Which rows a restore has taken away; empty if none is known. Backups go before servers that were stopped."""
    if not times:
        return ""
    away = max(times, key=lambda one: (one.is_backup, one.until))
    since, until = (_minute(moment) for moment in (away.since, away.until))
    condition = "" if away.is_backup else "If the database was restored then, "
    sentence = f"{condition}rows after number {away.rows} that were written from {since} to {until} are gone"
    reason = ": the database is a backup of the first of these times" if away.is_backup else ""
    return f"{sentence[0].upper()}{sentence[1:]}{reason}."


def _minute(at: UnixTime) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


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
