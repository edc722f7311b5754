"""A person's token is refreshed by one process at a time, and once GitHub refuses it nothing is done for them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.errors import Refused, RetryLater
from bot.flows.people import tokens
from bot.flows.people.own_name import OwnName
from bot.flows.people.sealed_tokens import unseal
from bot.flows.people.tokens import PersonToken
from bot.jobs.housekeeping import run_housekeeping_once
from integrations.github.errors import NotFound
from storage import identities, repositories, sign_ins
from storage.clock import Clock
from storage.people_tables import sign_in as sign_in_table
from storage.records import Identity, RepositoryId, SlackTeamId, SlackUserId
from tests.flows.signed_in import DAYS, sign_in, stored_sign_in
from tests.flows.stage import ADMIN, OWNER, READER, Stage, open_stage

ALERT = r"/repos/octo/payments/secret-scanning/alerts/\d+"
EXCHANGE = "/login/oauth/access_token"
HOURS = 3600.0
NO_RIGHTS = "gives no rights"


@pytest.fixture
async def signed_in(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """A stage on which the repository's admin has signed in."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        yield stage
        stage.check()


async def identity_of(stage: Stage, user: str) -> Identity:
    async with stage.context.db.read() as tx:
        found = await identities.of_slack(tx, SlackTeamId(stage.slack.team_id), SlackUserId(user))
    assert found is not None
    return found


def refreshes(stage: Stage) -> int:
    """How often GitHub was asked for new tokens."""
    return sum("refresh_token" in str(call.body) for call in stage.github.calls("POST", EXCHANGE))


async def assert_no_rights(stage: Stage, user: str, *, since: int = 0) -> None:
    """Nothing the person does has an effect, in nobody's name."""
    await stage.click(user, "take")
    assert NO_RIGHTS in stage.answer_to(user)
    await stage.pick(user, "close_as", "revoked")
    assert NO_RIGHTS in stage.form(user).shown_text
    assert len(stage.github.calls("PATCH", ALERT)) == since


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


@pytest.mark.parametrize("told", [True, False])
async def test_a_revoked_authorization_takes_all_rights_and_the_app_does_nothing_instead(
    signed_in: Stage, told: bool
) -> None:
    """With and without GitHub's delivery about it."""
    await signed_in.leak()
    signed_in.github.deliver = "now" if told else "hold"
    signed_in.github.revoke_authorization(signed_in.people[ADMIN])
    await signed_in.work()
    if told:
        stored = await stored_sign_in(signed_in, ADMIN)
        assert (stored.suspension, stored.tokens) == ("authorization_revoked", None)
    await assert_no_rights(signed_in, ADMIN)
    stored = await stored_sign_in(signed_in, ADMIN)
    assert stored.tokens is None
    outcomes = {outcome for outcome, _ in await signed_in.audited("take")}
    assert outcomes == {"refused"}


async def test_a_401_to_a_closure_suspends_and_closes_nothing(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    await signed_in.pick(ADMIN, "close_as", "revoked")
    signed_in.github.faults.add(f"PATCH {ALERT}", status=401)
    await signed_in.submit(ADMIN)
    assert alert.state == "open"
    assert NO_RIGHTS in signed_in.answer_to(ADMIN)
    assert len(signed_in.github.calls("PATCH", ALERT)) == 1
    signed_in.github.faults.rules.clear()
    await assert_no_rights(signed_in, ADMIN, since=1)


async def test_a_401_to_a_write_back_leaves_the_check_and_suspends(signed_in: Stage) -> None:
    await signed_in.leak()
    signed_in.github.faults.add(f"PATCH {ALERT}", status=401)
    await signed_in.click(ADMIN, "check_validity")
    assert ("done", "active: accepted") in await signed_in.audited("check_validity")
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "token_refused"


async def test_a_401_to_a_token_that_was_refreshed_meanwhile_is_tried_with_the_new_one(
    signed_in: Stage,
) -> None:
    alert = await signed_in.leak()
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    async with context.db.read() as tx:
        repository = await repositories.load_repository(tx, RepositoryId(signed_in.repository.id))
    assert repository is not None
    old = await tokens.person_token(context, person)
    assert old is not None
    signed_in.clock.advance(9 * HOURS)
    assert await tokens.person_token(context, person) is not None
    facts = await OwnName(context, person, repository, old).alert(alert.number)
    assert facts.number == alert.number
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None


async def test_a_401_while_another_process_refreshes_the_token_waits_for_the_new_one(
    signed_in: Stage,
) -> None:
    """GitHub ends the old token some moments before the new one is stored; that is no refusal of the person."""
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    used = await tokens.person_token(context, person)
    assert used is not None
    async with context.db.begin() as tx:
        assert await sign_ins.begin_refresh(tx, used.stored, "another process", tx.now + tokens.LEASE)
    with pytest.raises(RetryLater):
        await tokens.replaced_token(context, used)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None


async def test_a_name_in_new_hands_is_not_changed_in_the_own_name(signed_in: Stage) -> None:
    """Between the App's check of the name and the change, the name came to belong to another repository."""
    alert = await signed_in.leak()
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    async with context.db.read() as tx:
        repository = await repositories.load_repository(tx, RepositoryId(signed_in.repository.id))
    token = await tokens.person_token(context, person)
    assert repository is not None
    assert token is not None
    former = replace(repository, id=RepositoryId(repository.id + 1000))
    own = OwnName(context, person, former, token)
    with pytest.raises(NotFound):
        await own.write(lambda calls: calls.close(repository.full_name, alert.number, "revoked"))
    assert signed_in.github.calls("PATCH", ALERT) == []


async def test_an_owners_ciphertext_copied_into_another_row_opens_nothing(signed_in: Stage) -> None:
    await signed_in.leak()
    await sign_in(signed_in, OWNER)
    await sign_in(signed_in, READER)
    async with signed_in.context.db.begin() as tx:
        columns = ("key_id", "access", "refresh")
        query = sa.select(*(sign_in_table.c[name] for name in columns))
        [row] = await tx.conn.execute(query.where(sign_in_table.c.slack_user == OWNER))
        values = dict(zip(columns, row, strict=True))
        await tx.conn.execute(
            sa.update(sign_in_table).where(sign_in_table.c.slack_user == READER).values(values)
        )
    await assert_no_rights(signed_in, READER)
    assert (await stored_sign_in(signed_in, READER)).suspension == "undecryptable"
    used = {call.user_id for call in signed_in.github.calls("GET", ALERT)}
    assert signed_in.people[OWNER].id not in used


async def test_a_sign_in_lapses_and_its_token_is_deleted_at_github(signed_in: Stage) -> None:
    await signed_in.leak()
    signed_in.clock.advance(90 * DAYS + 1)
    await assert_no_rights(signed_in, ADMIN)
    stored = await stored_sign_in(signed_in, ADMIN)
    assert (stored.suspension, stored.tokens) == ("lapsed", None)
    await signed_in.work(within=5)
    [deleted] = signed_in.github.calls("DELETE", r"/applications/.*/token")
    assert isinstance(deleted.body, dict)
    live = [
        pair.access.is_valid(signed_in.clock.now())
        for pair in signed_in.github.authorizations[signed_in.people[ADMIN].id].pairs
    ]
    assert not any(live)


async def test_the_housekeeping_ends_what_has_lapsed_without_a_click(signed_in: Stage) -> None:
    signed_in.clock.advance(90 * DAYS + 1)
    await run_housekeeping_once(signed_in.context)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "lapsed"


async def test_without_the_keys_nothing_is_done_and_nobody_is_suspended(signed_in: Stage) -> None:
    person = await identity_of(signed_in, ADMIN)
    with pytest.raises(Refused) as refused:
        await tokens.person_token(replace(signed_in.context, keyring=None), person)
    assert refused.value.reason == "token_not_usable"
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
