"""Tokens that are dropped are deleted at GitHub, and tokens that can't be used are neither sent nor refreshed."""

import asyncio
import secrets
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import Refused, RetryLater
from bot.flows.people import tokens
from bot.flows.people.linking import pending_owner
from bot.flows.people.own_name import OwnName
from bot.flows.people.rotate_keys import rotate_keys
from bot.flows.people.sealed_tokens import deletion, unseal, unseal_verifier
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import GitHubOptions, Options
from storage import jobs, link_requests, repositories, sign_ins
from storage.clock import Clock
from storage.encryption import Keyring
from storage.records import JobState, RepositoryId
from tests.flows.sign_in import Browser, button_address, open_window
from tests.flows.signed_in import (
    ALERT,
    DAYS,
    EXCHANGE,
    HOURS,
    assert_no_rights,
    identity_of,
    sign_in,
    stored_sign_in,
)
from tests.flows.stage import ADMIN, UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database

DELETED = r"/applications/.*/token"


async def drop(stage: Stage) -> None:
    """Enqueue the deletion of ADMIN's tokens, as it is when they are dropped."""
    stored = await stored_sign_in(stage, ADMIN)
    assert stored.tokens is not None
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, deletion(tokens._owner(stored), stored.tokens))


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ({"oauth": None}, "no longer configured"),
        ({"keyring": None}, "no longer configured"),
        ({"keyring": Keyring([b"k" * 32])}, "STANCH_ENCRYPTION_KEYS has no key"),
    ],
)
async def test_a_dropped_token_that_can_not_be_deleted_any_more_is_logged(
    signed_in: Stage, lost: dict[str, Any], reason: str
) -> None:
    """The job ends: neither the key nor the secret comes back by waiting."""
    await drop(signed_in)
    with capture_logs() as lines:
        assert await Worker(replace(signed_in.context, **lost), HANDLERS).run_due() == 1
    [told] = [line["reason"] for line in lines if line["event"] == "token_not_deleted"]
    assert reason in told
    assert signed_in.github.calls("DELETE", DELETED) == []
    async with signed_in.context.db.read() as tx:
        assert await jobs.unfinished(tx, "delete_tokens", 0, 9) == []


async def test_an_expired_token_whose_refresh_token_is_dead_needs_no_deletion(signed_in: Stage) -> None:
    signed_in.clock.advance(9 * HOURS)
    signed_in.github.deliver = "hold"
    signed_in.github.revoke_authorization(signed_in.people[ADMIN])
    await drop(signed_in)
    await signed_in.work()
    assert len(signed_in.github.calls("POST", EXCHANGE)) == 2, "the sign-in, and the refresh that was refused"
    assert signed_in.github.calls("DELETE", DELETED) == []
    async with signed_in.context.db.read() as tx:
        assert await jobs.unfinished(tx, "delete_tokens", 0, 9) == []


async def test_an_expired_token_is_deleted_once_the_apps_secret_is_right_again(signed_in: Stage) -> None:
    """A refresh token that lives on would be forgotten otherwise."""
    signed_in.clock.advance(9 * HOURS)
    wrong = {"error": "incorrect_client_credentials", "error_description": "They are incorrect."}
    fault = signed_in.github.faults.add(f"POST {EXCHANGE}", status=200, body=wrong)
    await drop(signed_in)
    await signed_in.work()
    async with signed_in.context.db.read() as tx:
        [waiting] = await jobs.unfinished(tx, "delete_tokens", 0, 9)
    assert waiting.state is JobState.READY
    signed_in.github.faults.remove(fault)
    await signed_in.work(within=60)
    assert [call.status for call in signed_in.github.calls("DELETE", DELETED)] == [204]


async def test_tokens_that_do_not_expire_are_used_as_they_are(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """An App can opt out of expiring user tokens; GitHub gives it no refresh tokens then."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        stage.github.user_tokens_expire = False
        await sign_in(stage, ADMIN)
        stored = await stored_sign_in(stage, ADMIN)
        assert stored.tokens is not None
        assert (stored.tokens.refresh, stored.tokens.access_until) == (None, None)
        stage.clock.advance(30 * DAYS)
        await stage.leak()
        await stage.close_as(ADMIN, "revoked")
        assert [call.user_id for call in stage.github.calls("PATCH", ALERT)] == [stage.people[ADMIN].id]
        await drop(stage)
        await stage.work()
        assert [call.status for call in stage.github.calls("DELETE", DELETED)] == [204]
        stage.check()


async def test_without_the_apps_secret_an_expired_token_is_refused_and_nobody_suspended(
    signed_in: Stage,
) -> None:
    person = await identity_of(signed_in, ADMIN)
    without = replace(signed_in.context, oauth=None)
    assert await tokens.person_token(without, person) is not None
    signed_in.clock.advance(9 * HOURS)
    with pytest.raises(Refused) as refused:
        await tokens.person_token(without, person)
    assert refused.value.reason == "token_not_usable"
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None


async def test_a_401_to_the_token_of_somebody_who_has_signed_in_anew_without_keys_is_refused(
    signed_in: Stage,
) -> None:
    """There is no newer token to try, and the App does nothing instead; the new sign-in is left as it is."""
    alert = await signed_in.leak()
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    async with context.db.read() as tx:
        repository = await repositories.load_repository(tx, RepositoryId(signed_in.repository.id))
    old = await tokens.person_token(context, person)
    assert repository is not None
    assert old is not None
    await sign_in(signed_in, ADMIN, keep_tokens=False)
    signed_in.github.live_tokens[old.access.reveal()].revoked_at = signed_in.clock.now()
    before = len(signed_in.github.calls("GET", ALERT))
    with pytest.raises(Refused) as refused:
        await OwnName(context, person, repository, old).alert(alert.number)
    assert refused.value.reason == "suspended"
    assert len(signed_in.github.calls("GET", ALERT)) == before + 1
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None


async def test_pages_of_sign_ins_under_way_are_encrypted_again_unless_they_can_not_be_read(
    signed_in: Stage,
) -> None:
    """Whoever has such a page starts anew; the others go on with the new key."""
    [old_key] = signed_in.settings.encryption_keys()
    new_key = secrets.token_bytes(32)
    view = await open_window(signed_in, UNLINKED)
    await Browser(signed_in, signed_in.leaker).sign_in(button_address(view))
    await Browser(signed_in, signed_in.leaker).go_to_github(button_address(view))
    assert (await rotate_keys(signed_in.context.db, Keyring([new_key]))).encrypted == 0
    done = await rotate_keys(signed_in.context.db, Keyring([new_key, old_key]))
    assert done.encrypted == 3, "ADMIN's sign-in and both pages"
    async with signed_in.context.db.read() as tx:
        found = await link_requests.with_secrets(tx)
    assert len(found) == 2
    new_alone = Keyring([new_key])
    for request, page in found:
        if page.tokens is not None:
            assert unseal(new_alone, pending_owner(request, page), page.tokens).access.reveal()
        else:
            assert page.verifier is not None
            assert unseal_verifier(new_alone, page.state_hash, page.verifier).reveal()


async def test_nobody_acts_for_a_person_whose_sign_in_ended_after_they_were_identified(
    signed_in: Stage,
) -> None:
    person = await identity_of(signed_in, ADMIN)
    signed_in.github.revoke_authorization(signed_in.people[ADMIN])
    await signed_in.work()
    with pytest.raises(Refused) as refused:
        await tokens.person_token(signed_in.context, person)
    assert refused.value.reason == "suspended"
    assert "taken back on GitHub" in refused.value.detail


async def test_where_everybody_acts_in_their_own_name_a_sign_in_without_a_token_only_looks_up(
    database_url: str, clock: Clock, private_key: str
) -> None:
    options = Options(github=GitHubOptions(act_as="user"))
    async with open_stage(database_url, clock, private_key, sign_in=True, options=options) as stage:
        await sign_in(stage, ADMIN, keep_tokens=False)
        await stage.leak()
        await stage.pick(ADMIN, "more", "history")
        assert "Found by GitHub." in stage.answer_to(ADMIN)
        await stage.click(ADMIN, "take")
        assert "Here everybody acts in their own name on GitHub" in stage.answer_to(ADMIN)
        assert await stage.audited("take") == [("refused", "sign_in_needed")]
        stage.check()


async def test_a_refresh_that_the_stop_cancels_is_done_once_its_lease_is_over(signed_in: Stage) -> None:
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    signed_in.clock.advance(9 * HOURS)
    gate = signed_in.github.faults.gate(f"POST {EXCHANGE}", at="before")
    asking = asyncio.create_task(tokens.person_token(context, person))
    await gate.reached()
    for refresh in context.refreshes:
        refresh.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert context.refreshes == set()
    gate.drop()
    with pytest.raises(RetryLater):
        await tokens.person_token(context, person)
    signed_in.clock.advance(tokens.LEASE + 1)
    assert await tokens.person_token(context, person) is not None


async def test_a_refused_refresh_leaves_a_sign_in_that_was_made_meanwhile(signed_in: Stage) -> None:
    person, context = await identity_of(signed_in, ADMIN), signed_in.context
    signed_in.clock.advance(9 * HOURS)
    gate = signed_in.github.faults.gate(f"POST {EXCHANGE}", at="before")
    asking = asyncio.create_task(tokens.person_token(context, person))
    await gate.reached()
    await sign_in(signed_in, ADMIN)
    signed_in.github.faults.add(f"POST {EXCHANGE}", status=200, body={"error": "bad_refresh_token"})
    gate.open()
    with pytest.raises(RetryLater):
        await asking
    assert (await stored_sign_in(signed_in, ADMIN)).suspension is None
    assert await tokens.person_token(context, person) is not None


async def test_an_expired_token_without_a_refresh_token_ends_the_sign_in(signed_in: Stage) -> None:
    stored = await stored_sign_in(signed_in, ADMIN)
    assert stored.tokens is not None
    async with signed_in.context.db.begin() as tx:
        await sign_ins.save(tx, replace(stored, tokens=replace(stored.tokens, refresh=None)))
    await signed_in.leak()
    signed_in.clock.advance(9 * HOURS)
    asked = len(signed_in.github.calls("POST", EXCHANGE))
    await assert_no_rights(signed_in, ADMIN)
    assert (await stored_sign_in(signed_in, ADMIN)).suspension == "token_refused"
    assert len(signed_in.github.calls("POST", EXCHANGE)) == asked
