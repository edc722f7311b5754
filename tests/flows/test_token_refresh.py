"""A person's token is refreshed by one process at a time, and no new token is lost or stored over a newer one."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import RetryLater
from bot.flows.people import tokens
from bot.flows.people.sealed_tokens import unseal
from bot.flows.people.tokens import PersonToken
from storage import sign_ins
from tests.flows.signed_in import (
    ALERT,
    EXCHANGE,
    HOURS,
    assert_no_rights,
    identity_of,
    stored_sign_in,
)
from tests.flows.stage import ADMIN, Stage


def refreshes(stage: Stage) -> int:
    """How often GitHub was asked for new tokens."""
    return sum("refresh_token" in str(call.body) for call in stage.github.calls("POST", EXCHANGE))


@pytest.mark.either_database
async def test_a_token_that_is_about_to_expire_is_refreshed_before_it_is_used(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    first = await stored_sign_in(signed_in, ADMIN)
    signed_in.clock.advance(8 * HOURS - 200)
    await signed_in.close_as(ADMIN, "revoked")
    assert alert.resolved_by is signed_in.people[ADMIN]
    assert refreshes(signed_in) == 1
    now = await stored_sign_in(signed_in, ADMIN)
    assert now.version == first.version + 1
    assert now.refreshing_by is None
    assert now.tokens is not None
    assert first.tokens is not None
    assert now.tokens.access_until is not None
    assert now.tokens.access_until > signed_in.clock.now() + 7 * HOURS
    assert {now.tokens.access, now.tokens.refresh} & {first.tokens.access, first.tokens.refresh} == set()


async def test_of_two_refreshes_at_once_one_asks_github_and_the_other_waits(signed_in: Stage) -> None:
    """Two processes on one database: each has its own context."""
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    signed_in.clock.advance(9 * HOURS)
    signed_in.github.faults.add(f"POST {EXCHANGE}", slow=0.1)
    others = [replace(context), replace(context), context]
    got = await asyncio.gather(*(tokens.person_token(one, person) for one in others), return_exceptions=True)
    assert refreshes(signed_in) == 1
    assert sum(isinstance(one, PersonToken) for one in got) == 1
    assert sum(isinstance(one, RetryLater) for one in got) == 2
    again = await tokens.person_token(others[1], person)
    [winner] = [one for one in got if isinstance(one, PersonToken)]
    assert again is not None
    assert again.access.reveal() == winner.access.reveal()
    assert refreshes(signed_in) == 1


async def test_a_late_refresher_does_not_wipe_the_winners_tokens(signed_in: Stage) -> None:
    """It stood still between GitHub's answer and its commit, until its lease was over and another one had begun."""
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    old = await stored_sign_in(signed_in, ADMIN)
    signed_in.clock.advance(9 * HOURS)
    winner = await tokens.person_token(context, person)
    assert winner is not None
    stored = winner.stored.tokens
    assert context.oauth is not None
    assert context.keyring is not None
    assert stored is not None
    refresh = unseal(context.keyring, tokens._owner(old), stored).refresh
    assert refresh is not None
    late = await context.oauth.refresh(refresh)
    with pytest.raises(RetryLater):
        await tokens._store(context, old, late)
    now = await stored_sign_in(signed_in, ADMIN)
    assert now.version == winner.stored.version
    await signed_in.work(within=5)
    assert not signed_in.github.live_tokens[late.access.reveal()].is_valid(signed_in.clock.now())


@pytest.mark.either_database
async def test_a_refresh_whose_answer_was_lost_suspends_at_the_next_one(signed_in: Stage) -> None:
    """As after `kill -9` between GitHub's answer and our commit: both old tokens are dead, and nobody has the new."""
    alert = await signed_in.leak()
    signed_in.clock.advance(9 * HOURS)
    signed_in.github.faults.add(f"POST {EXCHANGE}", drop="after", times=1)
    await signed_in.click(ADMIN, "check_validity")
    assert "GitHub can't be asked right now" in signed_in.answer_to(ADMIN)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
    await assert_no_rights(signed_in, ADMIN)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "token_refused"
    assert alert.state == "open"


@pytest.mark.either_database
async def test_a_refresh_goes_on_when_the_request_that_needs_it_is_given_up(signed_in: Stage) -> None:
    """As *I'm on it* is after five seconds: the new tokens would be lost, and the old ones are invalid."""
    person = await identity_of(signed_in, ADMIN)
    signed_in.clock.advance(9 * HOURS)
    gate = signed_in.github.faults.gate(f"POST {EXCHANGE}", at="before")
    request = asyncio.create_task(tokens.person_token(signed_in.context, person))
    await gate.reached()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    gate.open()
    await tokens.finish_refreshes(signed_in.context)
    assert signed_in.context.refreshes == set()
    stored = await stored_sign_in(signed_in, ADMIN)
    assert (stored.version, stored.refreshing_by) == (2, None)
    assert await tokens.person_token(signed_in.context, person) is not None
    assert refreshes(signed_in) == 1


async def test_after_a_crash_during_a_refresh_the_next_one_waits_for_the_lease(signed_in: Stage) -> None:
    person = await identity_of(signed_in, ADMIN)
    signed_in.clock.advance(9 * HOURS)
    stored = await stored_sign_in(signed_in, ADMIN)
    async with signed_in.context.db.begin() as tx:
        assert await sign_ins.begin_refresh(tx, stored, "a process that died", tx.now + tokens.LEASE)
    with pytest.raises(RetryLater):
        await tokens.person_token(signed_in.context, person)
    signed_in.clock.advance(tokens.LEASE + 1)
    assert await tokens.person_token(signed_in.context, person) is not None


@pytest.mark.either_database
@pytest.mark.parametrize("fault", ["unreachable", "500", "wrong secret"])
async def test_a_refresh_that_github_did_not_refuse_suspends_nobody(signed_in: Stage, fault: str) -> None:
    await signed_in.leak()
    signed_in.clock.advance(9 * HOURS)
    if fault == "wrong secret":
        error = {"error": "incorrect_client_credentials", "error_description": "They are incorrect."}
        signed_in.github.faults.add(f"POST {EXCHANGE}", status=200, body=error)
    elif fault == "500":
        signed_in.github.faults.add(f"POST {EXCHANGE}", status=500)
    else:
        signed_in.github.faults.add(f"POST {EXCHANGE}", drop="before")
    await signed_in.click(ADMIN, "check_validity")
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
    assert signed_in.github.calls("PATCH", ALERT) == []
    signed_in.github.faults.rules.clear()
    await signed_in.click(ADMIN, "check_validity")
    assert [call.user_id for call in signed_in.github.calls("PATCH", ALERT)] == [signed_in.people[ADMIN].id]
