"""Once GitHub refuses a person's token, or it can't be read or is too old, nothing is done for them."""

from dataclasses import replace
from typing import Literal

import pytest
import sqlalchemy as sa

from bot.errors import Refused, RetryLater
from bot.flows.people import tokens
from bot.flows.people.own_name import OwnName
from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import GitHubOptions, Options
from integrations.github.errors import NotFound
from storage import repositories, sign_ins
from storage.clock import Clock
from storage.people_tables import sign_in as sign_in_table
from storage.records import RepositoryId
from tests.flows.signed_in import (
    ALERT,
    DAYS,
    HOURS,
    NO_RIGHTS,
    assert_no_rights,
    identity_of,
    sign_in,
    stored_sign_in,
)
from tests.flows.stage import ADMIN, OWNER, READER, Stage, open_stage

pytestmark = pytest.mark.either_database


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


@pytest.mark.either_database
async def test_late_news_of_a_revoked_authorization_leaves_a_newer_sign_in(signed_in: Stage) -> None:
    """The first attempt at the delivery failed; its repetition comes after the person signed in again."""
    github, person = signed_in.github, signed_in.people[ADMIN]
    github.deliver = "hold"
    github.revoke_authorization(person)
    [held] = github.held
    signed_in.clock.advance(60)
    await sign_in(signed_in, ADMIN)
    signed_in.clock.advance(9 * HOURS)
    # Its access token has expired by now, and is refreshed.
    await github.send(held)
    await signed_in.work(within=61)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
    github.revoke_authorization(person)
    await github.send(github.held[1])
    await signed_in.work()
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "authorization_revoked"


@pytest.mark.either_database
async def test_a_token_that_github_still_accepts_is_asked_about_again_after_a_minute(
    signed_in: Stage,
) -> None:
    """GitHub's read side may lag behind its webhook."""
    github, person = signed_in.github, signed_in.people[ADMIN]
    github.deliver = "hold"
    literal = github.authorizations[person.id].pairs[-1].access
    github.revoke_authorization(person)
    ended, literal.revoked_at = literal.revoked_at, None
    await github.send(github.held[0])
    await signed_in.work(within=30)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
    literal.revoked_at = ended
    await signed_in.work(within=61)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "authorization_revoked"


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
    await run_housekeeping_once(signed_in.context)
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


@pytest.mark.either_database
@pytest.mark.parametrize("act_as", ["app", "user_or_app", "user"])
async def test_a_sign_in_that_has_lapsed_counts_no_more_before_the_housekeeping(
    database_url: str, clock: Clock, private_key: str, act_as: Literal["app", "user_or_app", "user"]
) -> None:
    """Also where the App acts for everybody, and for look-ups, which need no token."""
    options = Options(github=GitHubOptions(act_as=act_as))
    async with open_stage(database_url, clock, private_key, sign_in=True, options=options) as stage:
        await sign_in(stage, ADMIN)
        await stage.leak()
        stage.clock.advance(90 * DAYS - 60)
        assert NO_RIGHTS not in await stage.type(ADMIN, "list")
        stage.clock.advance(60)
        await assert_no_rights(stage, ADMIN)
        assert NO_RIGHTS in await stage.type(ADMIN, "list")
        stage.check()


async def test_without_the_keys_nothing_is_done_and_nobody_is_suspended(signed_in: Stage) -> None:
    person = await identity_of(signed_in, ADMIN)
    with pytest.raises(Refused) as refused:
        await tokens.person_token(replace(signed_in.context, keyring=None), person)
    assert refused.value.reason == "token_not_usable"
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
