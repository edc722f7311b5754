"""The audit log: the database refuses changes, and `verify` finds those made without its triggers."""

import asyncio
import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storage import audit
from storage.clock import Clock
from storage.db import Database
from storage.records import (
    AlertNumber,
    AuditEntry,
    AuditOutcome,
    AuditRow,
    GitHubId,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
)

ENTRY = AuditEntry(
    action="close_alert",
    outcome=AuditOutcome.DONE,
    slack_team=SlackTeamId("T1"),
    slack_user=SlackUserId("U1"),
    github_login="ana",
    github_id=GitHubId(2_000_000_000_001),
    repository_id=RepositoryId(9_000_000_000),
    repository="octo/payments",
    alert_number=AlertNumber(42),
    reason="revoked «ü» 🙂",
)


INSERT_FOURTH = """
    INSERT INTO audit (seq, at, action, outcome, previous, hash)
    SELECT 4, at, action, outcome, hash, hash FROM audit WHERE seq = 3"""


async def append(db: Database, entry: AuditEntry = ENTRY) -> AuditRow:
    async with db.begin() as tx:
        return await audit.append(tx, entry)


async def verify(db: Database, head: str | None = None) -> audit.Verification:
    async with db.read() as tx:
        return await audit.verify(tx, head)


async def tamper(db: Database, *statements: str) -> None:
    """Change rows as the owner of the database can: without the triggers."""
    async with db.begin() as tx:
        if db.dialect == "sqlite":
            for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
                await tx.conn.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            await tx.conn.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for statement in statements:
            await tx.conn.execute(sa.text(statement))


async def test_rows_are_chained_and_loaded_as_written(db: Database, clock: Clock) -> None:
    assert (await verify(db)).head == audit.START == "0" * 64
    first = await append(db)
    clock.advance(100)
    second = await append(db, AuditEntry(action="link", outcome=AuditOutcome.REFUSED))
    assert (first.seq, second.seq) == (1, 2)
    assert (first.previous, second.previous) == (audit.START, first.hash)
    async with db.read() as tx:
        assert [row async for row in audit.rows(tx)] == [first, second]
        assert [row async for row in audit.rows(tx, since=second.at)] == [second]
    assert await verify(db) == audit.Verification(True, 2, second.hash, None)


async def test_a_rolled_back_transaction_leaves_no_row(db: Database) -> None:
    async def fail() -> None:
        async with db.begin() as tx:
            await audit.append(tx, ENTRY)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (await append(db)).seq == 1


async def test_simultaneous_writers_make_one_chain(db: Database, database_url: str, clock: Clock) -> None:
    other = Database(database_url, clock=clock, audit_key=b"k" * 32)
    await asyncio.gather(*(append(one) for one in (db, other) for _ in range(15)))
    assert (await verify(db)).rows == 30
    assert (await verify(db)).ok
    await other.close()


async def test_database_refuses_to_change_a_row(db: Database) -> None:
    row = await append(db)
    columns, values = "(seq, at, action, outcome, previous, hash)", "(1, 1, 'a', 'done', '', '')"
    replacing = f"INSERT OR REPLACE INTO audit {columns} VALUES {values}"
    own = replacing if db.dialect == "sqlite" else "TRUNCATE audit"
    for statement in ("UPDATE audit SET reason = 'x'", "DELETE FROM audit", own):
        with pytest.raises(sa.exc.DBAPIError, match="audit log is append-only"):
            async with db.begin() as tx:
                await tx.conn.execute(sa.text(statement))
    assert await verify(db) == audit.Verification(True, 1, row.hash, None)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET reason = 'nothing' WHERE seq = 2", "Row 2 was altered"),
        ("UPDATE audit SET at = at + 60 WHERE seq = 2", "Row 2 was altered"),
        ("UPDATE audit SET alert_number = NULL WHERE seq = 3", "Row 3 was altered"),
        ("UPDATE audit SET hash = previous WHERE seq = 1", "Row 1 was altered"),
        ("UPDATE audit SET previous = hash WHERE seq = 3", "Row 3 is not chained"),
        ("DELETE FROM audit WHERE seq = 2", "Row 2 is missing"),
        ("DELETE FROM audit WHERE seq = 1", "Row 1 is missing"),
        ("UPDATE audit SET seq = 9 WHERE seq = 3", "Row 3 is missing"),
        (INSERT_FOURTH, "Row 4 was altered, or made with another key"),
    ],
)
async def test_a_change_without_triggers_is_found(db: Database, statement: str, problem: str) -> None:
    for _ in range(3):
        await append(db)
    assert (await verify(db)).ok
    await tamper(db, statement)
    found = await verify(db)
    assert not found.ok
    assert found.problem is not None
    assert found.problem.startswith(problem)


async def test_a_row_of_another_branch_of_the_chain_is_found(db: Database) -> None:
    """A restored backup leads to such a row: its key and its position are right."""
    for _ in range(2):
        await append(db)
    async with db.read() as tx:
        _, second = [row async for row in audit.rows(tx)]
        other = replace(second, entry=replace(ENTRY, reason="false positive"))
        other_hash = audit.chain_hash(tx.audit_key, other)
    third = await append(db)
    await tamper(
        db,
        f"UPDATE audit SET reason = 'false positive', hash = '{other_hash}' WHERE seq = 2",
        f"UPDATE audit SET previous = '{other_hash}' WHERE seq = 3",
    )
    found = await verify(db, third.hash)
    assert not found.ok
    assert found.problem == "Row 3 was altered, or made with another key."


async def test_renumbered_rows_are_found(db: Database) -> None:
    for _ in range(3):
        await append(db)
    await tamper(
        db,
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 2, previous = (SELECT hash FROM audit WHERE seq = 1) WHERE seq = 3",
    )
    found = await verify(db)
    assert not found.ok
    assert found.problem == "Row 2 was altered, or made with another key."


async def test_rows_deleted_at_the_end_are_found_by_an_earlier_head(db: Database) -> None:
    heads = [(await append(db)).hash for _ in range(3)]
    for head in (*heads, audit.START):
        assert (await verify(db, head)).ok, "an older head is still in the chain"
    await tamper(db, "DELETE FROM audit WHERE seq = 3")
    assert (await verify(db)).ok, "the table alone does not show it"
    cut = await verify(db, heads[2])
    assert not cut.ok
    assert cut.problem == "No row has the given hash: rows after it or all were replaced."


async def test_another_key_does_not_verify(db: Database, database_url: str, clock: Clock) -> None:
    await append(db)
    for key in (None, b"another"):
        other = Database(database_url, clock=clock, audit_key=key)
        assert not (await verify(other)).ok
        await other.close()


async def test_text_is_made_storable_before_it_is_hashed(db: Database) -> None:
    row = await append(db, replace(ENTRY, reason="a\0b\ud800c"))
    assert row.entry.reason == "ab?c"
    assert (await verify(db)).ok


@given(
    st.integers(min_value=1),
    st.floats(min_value=0, max_value=4e9),
    st.text(),
    st.none() | st.text(),
)
def test_canonical_form_says_everything_once(seq: int, at: float, action: str, reason: str | None) -> None:
    entry = AuditEntry(action=action, outcome=AuditOutcome.FAILED, reason=reason)
    text = audit.canonical(AuditRow(seq, at, entry, "p", "h"))
    assert text.isascii()
    read = json.loads(text)
    assert list(read) == sorted(read)
    assert (read["seq"], read["at"]) == (seq, audit.iso(at))
    assert (read["action"], read["reason"], read["outcome"]) == (action, reason, "failed")
    assert set(read) == {
        *("seq", "at", "slack_team", "slack_user", "github_login", "github_id", "action"),
        *("repository_id", "repository", "alert_number", "outcome", "reason"),
    }


def test_time_is_written_in_utc_to_the_microsecond() -> None:
    assert audit.iso(1_790_000_000.5) == "2026-09-21T14:13:20.500000Z"


async def test_the_head_is_told_after_the_commit_and_never_of_what_was_rolled_back(
    database_url: str, clock: Clock
) -> None:
    told: list[str] = []
    db = Database(database_url, clock=clock, on_audit=lambda rows: told.extend(row.hash for row in rows))

    async def add_and_fail() -> None:
        async with db.begin() as tx:
            await audit.append(tx, ENTRY)
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    assert told == []
    row = await append(db)
    assert told == [row.hash]
    await db.close()


async def test_intents_within_a_time_are_limited(db: Database, clock: Clock) -> None:
    intent = replace(ENTRY, outcome=AuditOutcome.INTENDED, reason=None)

    async def add(entry: AuditEntry = intent) -> float | None:
        async with db.begin() as tx:
            return await audit.append_within(tx, entry, most=2, seconds=60)

    async def full_until() -> float | None:
        async with db.read() as tx:
            return await audit.full_until(tx, intent.github_id, intent.action, most=2, seconds=60)

    began = clock.now()
    assert await add() is None
    clock.advance(10)
    # Neither another action, another person, another outcome, nor an intent with a reason counts.
    for other in (
        replace(intent, action="report_leak"),
        replace(intent, github_id=GitHubId(7)),
        ENTRY,
        replace(intent, reason="waited"),
    ):
        await append(db, other)
    assert await full_until() is None
    assert await add() is None
    free_at = await add()
    assert free_at is not None
    assert await full_until() == free_at
    assert abs(free_at - (began + 60)) < 1
    clock.advance(55)
    assert await add() is None
    assert (await verify(db)).ok


async def test_of_two_intents_at_once_one_gets_the_last_place(db: Database) -> None:
    intent = replace(ENTRY, outcome=AuditOutcome.INTENDED, reason=None)

    async def add() -> bool:
        async with db.begin() as tx:
            return await audit.append_within(tx, intent, most=3, seconds=60) is None

    assert sorted(await asyncio.gather(*(add() for _ in range(6)))) == [False] * 3 + [True] * 3
    assert (await verify(db)).rows == 3
