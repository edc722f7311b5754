"""Attacks on who is who: by real sign-ins, from the browser to what the person can do afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.flows.people.linking import KeptVerifiers, find_verifier, open_page
from bot.flows.people.rotate_keys import rotate_keys
from bot.flows.people.sealed_tokens import TokenOwner, seal, to_delete, unseal
from bot.flows.people.settle_identity import BY_OPERATOR, settle
from bot.job_rows import read_job
from bot.people_job_kinds import DeleteTokens
from storage import directory_pairs, identities, jobs, link_requests, sign_ins
from storage.clock import Clock
from storage.encryption import Keyring
from storage.records import (
    Account,
    DirectoryPair,
    GitHubId,
    OperatorLink,
    SlackTeamId,
    SlackUserId,
    Suspension,
)
from storage.tables import sign_in as sign_in_table
from tests.flows.sign_in import identity_of, link, open_window, request_id
from tests.flows.signed_in import sign_in, stored_sign_in
from tests.flows.stage import ADMIN, OWNER, READER, UNLINKED, Stage, new_encryption_key, open_stage

HOURS = 3600.0
ALERT = r"/repos/octo/payments/secret-scanning/alerts/\d+"
NO_RIGHTS = "until that is settled, it gives no rights"
EVE = UNLINKED


@pytest.fixture
async def stage(clock: Clock, private_key: str, database_url: str) -> AsyncIterator[Stage]:
    """People can sign in; the alert of the card is open."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await stage.leak()
        yield stage
        stage.check()


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def state_of(stage: Stage, user: str) -> tuple[str, str | None] | None:
    """Login and suspension of a Slack user's link."""
    found = await identity_of(stage, user)
    return None if found is None else (found.github.login, found.suspension)


async def assert_no_rights(stage: Stage, *users: str) -> None:
    for user in users:
        await stage.pick(user, "close_as", "revoked")
        assert NO_RIGHTS in stage.form(user).shown_text
        await stage.click(user, "take")
        assert NO_RIGHTS in stage.answer_to(user)
        assert "suspended" in await stage.type(user, "list")
    assert stage.github.calls("PATCH", ALERT) == []
    assert "Step back" not in stage.card().shown_text


@pytest.mark.parametrize("first_is_signed_in", [True, False], ids=["signed in", "by an operator"])
async def test_who_signs_in_to_another_person_s_account_gets_nothing_and_stops_it(
    stage: Stage, first_is_signed_in: bool
) -> None:
    """Eve has ADMIN's GitHub session: she links it to her own Slack account."""
    account = stage.people[ADMIN]
    if first_is_signed_in:
        await link(stage, ADMIN, account)
    await link(stage, EVE, account)
    assert await state_of(stage, ADMIN) == (account.login, Suspension.SIGNED_IN_ELSEWHERE)
    assert await state_of(stage, EVE) is None
    await assert_no_rights(stage, ADMIN, EVE)


async def test_the_owner_of_an_account_that_somebody_else_linked_first_gets_nothing_and_stops_it(
    stage: Stage,
) -> None:
    """Eve was first, to an account that nobody had linked; then its owner signs in."""
    account = stage.github.add_user("newly-hired")
    stage.github.add_collaborator(stage.repository, account, "admin")
    stage.slack.workspace.add_user("U0HIRED", name="Newly Hired")
    await link(stage, EVE, account)
    assert await state_of(stage, EVE) == ("newly-hired", None)
    await link(stage, "U0HIRED", account)
    assert await state_of(stage, EVE) == ("newly-hired", Suspension.SIGNED_IN_ELSEWHERE)
    await assert_no_rights(stage, EVE, "U0HIRED")


@pytest.mark.parametrize("who", ["the first", "the second", "both"])
async def test_unlinking_and_signing_in_again_is_no_decision(stage: Stage, who: str) -> None:
    """Eve was first, to a colleague's account. Whoever of them unlinks: Eve must not get it back by herself."""
    account = stage.github.add_user("newly-hired")
    stage.github.add_collaborator(stage.repository, account, "admin")
    stage.slack.workspace.add_user("U0HIRED", name="Newly Hired")
    await link(stage, EVE, account)
    await link(stage, "U0HIRED", account)
    for user, unlinks in ((EVE, who != "the second"), ("U0HIRED", who != "the first")):
        if unlinks:
            await stage.type(user, "unlink")
    assert await state_of(stage, EVE) == ("newly-hired", Suspension.SIGNED_IN_ELSEWHERE)
    await link(stage, EVE, account)
    assert await state_of(stage, EVE) == ("newly-hired", Suspension.SIGNED_IN_ELSEWHERE)
    await assert_no_rights(stage, EVE)


async def test_what_an_operator_says_about_others_decides_no_contest(stage: Stage) -> None:
    """Two contests are connected by somebody who signed in to both accounts, and whom the directory had there."""
    first, second = stage.people[ADMIN], stage.people[OWNER]
    await link(stage, EVE, first)
    assert await state_of(stage, ADMIN) == (first.login, Suspension.SIGNED_IN_ELSEWHERE)
    await link(stage, EVE, second)
    assert await state_of(stage, OWNER) == (second.login, Suspension.SIGNED_IN_ELSEWHERE)
    # Nothing but the contest speaks against ADMIN's link now.
    assert await state_of(stage, ADMIN) == (first.login, Suspension.SIGNED_IN_ELSEWHERE)
    team = SlackTeamId(stage.slack.team_id)
    async with stage.context.db.begin() as tx:
        once = Account(GitHubId(first.id), first.login)
        left = DirectoryPair(team, SlackUserId(EVE), once, "saml", "hash", tx.now, tx.now, tx.now, "left")
        await directory_pairs.pin(tx, left)
        account = Account(GitHubId(second.id), second.login)
        decision = OperatorLink(team, SlackUserId(OWNER), account, tx.now, BY_OPERATOR)
        await settle(tx, team, links=[decision], by=BY_OPERATOR)
    assert await state_of(stage, OWNER) == (second.login, None)
    assert await state_of(stage, ADMIN) == (first.login, Suspension.SIGNED_IN_ELSEWHERE)


async def test_waiting_until_the_other_sign_in_lapses_does_not_help(stage: Stage) -> None:
    account = stage.people[ADMIN]
    await link(stage, ADMIN, account)
    stage.clock.advance(91 * 86400)
    await stage.click(ADMIN, "take")
    assert await state_of(stage, ADMIN) == (account.login, Suspension.LAPSED)
    await link(stage, EVE, account)
    assert await state_of(stage, EVE) is None
    assert await state_of(stage, ADMIN) == (account.login, Suspension.SIGNED_IN_ELSEWHERE)


async def test_a_login_that_was_registered_anew_is_another_account(stage: Stage) -> None:
    """ADMIN's account is renamed, and a stranger takes its former login and signs in."""
    former = stage.people[ADMIN]
    login = former.login
    stage.github.rename_account(former, "octo-renamed")
    stranger = stage.github.add_user(login)
    await link(stage, EVE, stranger)
    theirs, eves = await identity_of(stage, ADMIN), await identity_of(stage, EVE)
    assert theirs is not None
    assert eves is not None
    assert (theirs.github.id, eves.github.id) == (former.id, stranger.id)
    assert theirs.suspension is eves.suspension is None
    await stage.click(EVE, "take")
    assert "Step back" not in stage.card().shown_text
    await stage.click(ADMIN, "take")
    assert "Step back" in stage.card().shown_text


@pytest.mark.parametrize("fault", ["revoked", "undecryptable", "lapsed"])
async def test_an_operator_s_link_does_not_take_the_place_of_a_sign_in_that_failed(
    stage: Stage, fault: str
) -> None:
    """ADMIN was linked by an operator before: without the sign-in the App would act."""
    await sign_in(stage, ADMIN)
    if fault == "revoked":
        stage.github.revoke_authorization(stage.people[ADMIN])
    elif fault == "undecryptable":
        async with stage.context.db.begin() as tx:
            await tx.conn.execute(sa.update(sign_in_table).values(access=b"\0" * 60))
    else:
        stage.clock.advance(91 * 86400)
    await stage.click(ADMIN, "take")
    await stage.work(within=5)
    await assert_no_rights(stage, ADMIN)
    found = await state_of(stage, ADMIN)
    assert found is not None
    assert found[1] is not None


async def test_a_pair_that_left_the_directory_gives_nothing_to_who_gets_its_address(stage: Stage) -> None:
    """The leaver's GitHub account is not joined to the Slack user who has the address now."""
    team, now = SlackTeamId(stage.slack.team_id), stage.clock.now()
    account = Account(GitHubId(stage.people[OWNER].id), stage.people[OWNER].login)
    async with stage.context.db.begin() as tx:
        # OWNER has left; EVE is new, and has the leaver's address.
        await identities.unlink(tx, team, SlackUserId(OWNER))
        left = DirectoryPair(team, SlackUserId(OWNER), account, "saml", "hash", now - 9e6, now - 9e6)
        await directory_pairs.pin(tx, left)
        await directory_pairs.suspend(tx, left, Suspension.LEFT)
        again = DirectoryPair(team, SlackUserId(EVE), account, "saml", "hash", now, now)
        await directory_pairs.pin(tx, again)
        await directory_pairs.suspend(tx, again, Suspension.AMBIGUOUS)
        await settle(tx, team, users=[SlackUserId(OWNER), SlackUserId(EVE)], by="directory")
        # Nor does the pair spare Eve the code.
        where = (tx, team, SlackUserId(EVE), account.id)
        assert not await directory_pairs.has_held(*where, since=tx.now, seen_since=0.0)
    assert await state_of(stage, OWNER) is None
    assert await state_of(stage, EVE) == (account.login, Suspension.AMBIGUOUS)
    await assert_no_rights(stage, EVE)


async def resealed(stage: Stage, user: str, keyring: Keyring) -> None:
    """Encrypt a person's stored tokens with another key, as if they had been stored before it was replaced."""
    stored = await stored_sign_in(stage, user)
    assert stored.tokens is not None
    assert stage.context.keyring is not None
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    tokens = seal(keyring, owner, unseal(stage.context.keyring, owner, stored.tokens))
    async with stage.context.db.begin() as tx:
        assert await sign_ins.reseal(tx, stored, tokens)


@pytest.fixture
async def rotating(
    clock: Clock, private_key: str, database_url: str
) -> AsyncIterator[tuple[Stage, Keyring, Keyring]]:
    """A server with a new key in front; what ADMIN's sign-in stored is encrypted with the old one."""
    new, old = new_encryption_key(), new_encryption_key()
    keys = f"{new},{old}"
    async with open_stage(
        database_url, clock, private_key, sign_in=True, stanch_encryption_keys=keys
    ) as stage:
        first, second = stage.settings.encryption_keys()
        await sign_in(stage, ADMIN)
        await resealed(stage, ADMIN, Keyring([second]))
        await stage.leak()
        yield stage, Keyring([first, second]), Keyring([first])
        stage.check()


async def test_a_key_is_replaced_beside_a_serving_process(rotating: tuple[Stage, Keyring, Keyring]) -> None:
    stage, both, new_alone = rotating
    done, _ = await asyncio.gather(
        rotate_keys(stage.context.db, both), stage.close_as(ADMIN, "revoked", "Rotated.")
    )
    assert (done.encrypted, done.had_it, done.undecryptable, done.busy) == (1, 0, [], [])
    [call] = stage.github.calls("PATCH", ALERT)
    assert call.status == 200
    stored = await stored_sign_in(stage, ADMIN)
    assert stored.tokens is not None
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    assert unseal(new_alone, owner, stored.tokens).access.reveal()


async def test_tokens_to_be_deleted_and_sign_ins_under_way_are_encrypted_again_too(
    rotating: tuple[Stage, Keyring, Keyring],
) -> None:
    """Once the old key is gone, GitHub is still asked to delete what was dropped before, and the sign-in goes on."""
    stage, both, new_alone = rotating
    _, old_key = stage.settings.encryption_keys()
    old = replace(stage.context, keyring=Keyring([old_key]))
    stage.github.faults.add("DELETE /applications/.*", status=503)
    await stage.type(ADMIN, "unlink")
    view = await open_window(stage, READER)
    started = await open_page(old, request_id(view), KeptVerifiers())
    assert started is not None
    done = await rotate_keys(stage.context.db, both)
    assert (done.encrypted, done.never_deleted) == (2, [])
    # Nothing is left for the old key alone.
    assert (await rotate_keys(stage.context.db, new_alone)).never_deleted == []
    async with stage.context.db.read() as tx:
        [(_, page)] = await link_requests.with_secrets(tx)
        [waiting] = await jobs.unfinished(tx, "delete_tokens", 0, 9)
    assert find_verifier(replace(stage.context, keyring=new_alone), page, KeptVerifiers()) is not None
    todo = read_job(waiting)
    assert isinstance(todo, DeleteTokens)
    assert unseal(new_alone, *to_delete(todo)).access.reveal()
    stage.github.faults.rules.clear()
    await stage.work(within=900)
    assert [call.status for call in stage.github.calls("DELETE", r"/applications/.*/token")][-1] == 204


async def test_a_refresh_during_the_replacement_of_the_key_keeps_its_new_tokens(
    rotating: tuple[Stage, Keyring, Keyring],
) -> None:
    """Otherwise the old pair would be stored over the new one, and both would be worthless."""
    stage, both, new_alone = rotating
    stage.clock.advance(8 * HOURS)
    before = await stored_sign_in(stage, ADMIN)
    await asyncio.gather(stage.close_as(ADMIN, "revoked", "Rotated."), rotate_keys(stage.context.db, both))
    now = await stored_sign_in(stage, ADMIN)
    assert now.tokens is not None
    assert now.version == before.version + 1
    assert (now.suspension, now.refreshing_by) == (None, None)
    owner = TokenOwner(now.slack_team, now.slack_user, now.github.id)
    assert unseal(new_alone, owner, now.tokens).access.reveal()
    # GitHub accepts it: the person goes on.
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN)
    assert [call.status for call in stage.github.calls("PATCH", ALERT)] == [200, 200]
    assert await state_of(stage, ADMIN) == (stage.people[ADMIN].login, None)
