"""Requests for approval: one open at a time for an alert, decided once, by whoever comes first."""

import asyncio
from dataclasses import replace

import pytest

from storage import approvals
from storage.clock import Clock
from storage.db import Database
from storage.records import (
    Account,
    AlertKey,
    AlertNumber,
    Approval,
    ApprovalState,
    ChannelId,
    GitHubId,
    MessageTs,
    Person,
    ReportFacts,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
)

ALERT = AlertKey(RepositoryId(1), AlertNumber(2))
HOUR = 3600.0


def person(number: int) -> Person:
    return Person(SlackTeamId("T0"), SlackUserId(f"U{number}"), Account(GitHubId(number), f"login-{number}"))


def asked(now: float, id_: str = "a1", by: int = 1, alert: AlertKey = ALERT) -> Approval:
    return Approval(
        id=id_,
        alert=alert,
        requested_by=person(by),
        requested_at=now,
        expires_at=now + HOUR,
        facts=ReportFacts("active", "private", "99", "repository admin"),
        channel=ChannelId("C0"),
        thread=MessageTs("1.2"),
    )


async def test_a_request_is_loaded_as_it_was_stored(db: Database, clock: Clock) -> None:
    new = asked(clock.now())
    async with db.begin() as tx:
        assert await approvals.request(tx, new)
    async with db.read() as tx:
        assert await approvals.load(tx, "a1") == new
        assert await approvals.open_request(tx, ALERT, clock.now()) == new
        assert await approvals.load(tx, "a2") is None
    async with db.begin() as tx:
        assert await approvals.decide(tx, "a1", ApprovalState.DENIED, person(2))
        denied = replace(new, state=ApprovalState.DENIED, decided_by=person(2), decided_at=tx.now)
    async with db.read() as tx:
        assert await approvals.load(tx, "a1") == denied
        assert await approvals.open_request(tx, ALERT, clock.now()) is None


async def test_an_alert_has_one_open_request(db: Database, clock: Clock) -> None:
    now, other = clock.now(), AlertKey(RepositoryId(1), AlertNumber(3))
    async with db.begin() as tx:
        assert await approvals.request(tx, asked(now))
        assert not await approvals.request(tx, asked(now, "a2", by=2))
        assert await approvals.request(tx, asked(now, "a3", alert=other))
    clock.advance(HOUR)
    async with db.begin() as tx:
        assert await approvals.request(tx, asked(clock.now(), "a4")), "the first one has lapsed"


@pytest.mark.parametrize("first", [ApprovalState.APPROVED, ApprovalState.DENIED])
async def test_of_several_decisions_at_once_one_counts(
    db: Database, clock: Clock, first: ApprovalState
) -> None:
    async with db.begin() as tx:
        await approvals.request(tx, asked(clock.now()))

    async def decide(number: int, state: ApprovalState) -> bool:
        async with db.begin() as tx:
            return await approvals.decide(tx, "a1", state, person(number))

    others = (decide(number, ApprovalState.APPROVED) for number in range(3, 7))
    decided = await asyncio.gather(decide(2, first), *others)
    assert sorted(decided) == [False] * 4 + [True]


async def test_nobody_decides_after_the_end_but_it_lapses(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await approvals.request(tx, asked(clock.now()))
    clock.advance(HOUR)
    async with db.begin() as tx:
        assert not await approvals.decide(tx, "a1", ApprovalState.APPROVED, person(2))
        assert await approvals.decide(tx, "a1", ApprovalState.LAPSED, None)
        assert not await approvals.end(tx, "a1")


async def test_an_approved_request_ends_once(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await approvals.request(tx, asked(clock.now()))
        await approvals.decide(tx, "a1", ApprovalState.APPROVED, person(2))
        assert await approvals.end(tx, "a1")
        assert not await approvals.end(tx, "a1")


async def test_a_denial_is_found_by_slack_user_and_by_account(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await approvals.request(tx, asked(clock.now()))
        await approvals.decide(tx, "a1", ApprovalState.DENIED, person(2))
        mine, user, account = person(1), person(3), person(3)
        for one, expected in (
            (mine, tx.now),
            (replace(user, slack_user=mine.slack_user), tx.now),
            (replace(account, github=mine.github), tx.now),
            (person(3), None),
        ):
            assert await approvals.denied_at(tx, ALERT, one) == expected
        other = AlertKey(RepositoryId(1), AlertNumber(3))
        assert await approvals.denied_at(tx, other, mine) is None
