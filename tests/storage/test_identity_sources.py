"""What the sources of identities say, and the tokens of sign-ins: stored, changed by version, deleted."""

from dataclasses import replace

import sqlalchemy as sa

from storage import directory_pairs, identities, link_requests, operator_links, sign_ins
from storage.clock import Clock
from storage.db import Database, Tx
from storage.records import (
    ChannelId,
    DirectoryPair,
    LinkPage,
    LinkRequest,
    OperatorLink,
    SignIn,
    SlackTeamId,
    SlackUserId,
    StoredTokens,
)
from storage.tables import identity as identity_table
from storage.tables import link_page, link_request
from tests.storage.examples import ANA, BEN, TEAM, identity

U1, U2 = SlackUserId("U1"), SlackUserId("U2")
TOKENS = StoredTokens("0a1b2c3d", b"access", b"refresh", 5000.0, 9000.0)
NEWER = StoredTokens("0a1b2c3d", b"access-2", b"refresh-2", 6000.0, 9500.0)


def sign_in(user: SlackUserId = U1, tokens: StoredTokens | None = TOKENS, at: float = 1000.0) -> SignIn:
    return SignIn(TEAM, user, ANA, at, at + 90, tokens)


async def stored(tx: Tx, user: SlackUserId = U1) -> SignIn:
    found = await sign_ins.load(tx, TEAM, user)
    assert found is not None
    return found


async def test_a_suspended_identity_is_found_only_by_who_asks_for_it(db: Database) -> None:
    async with db.begin() as tx:
        await identities.put(tx, identity("U1", ANA))
        values = {"suspension": "sources_disagree", "suspended_at": 5.0}
        await tx.conn.execute(sa.update(identity_table).values(values))
        assert await identities.of_slack(tx, TEAM, U1) is None
        assert await identities.of_github(tx, TEAM, ANA.id) is None
        assert await identities.of_accounts(tx, TEAM, [ANA.id]) == []
        expected = replace(identity("U1", ANA), suspension="sources_disagree", suspended_at=5.0)
        assert await identities.of_slack(tx, TEAM, U1, suspended=True) == expected
        assert await identities.all_identities(tx) == [expected]


async def test_two_slack_users_may_have_signed_in_to_one_account(db: Database) -> None:
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in(U2, at=2000.0))
        await sign_ins.save(tx, sign_in(U1))
        found = await sign_ins.concerning(tx, TEAM, [], [ANA.id])
        assert sorted(found, key=lambda one: one.slack_user) == [sign_in(U1), sign_in(U2, at=2000.0)]
        assert await sign_ins.concerning(tx, SlackTeamId("T2"), [], [ANA.id]) == []
        assert await sign_ins.delete(tx, TEAM, U1) == sign_in(U1)
        assert await sign_ins.delete(tx, TEAM, U1) is None


async def test_a_new_sign_in_counts_the_version_on(db: Database) -> None:
    """Otherwise a change that was under way for the former tokens would overwrite the new ones."""
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in())
        before = await stored(tx)
        await sign_ins.suspend(tx, before, "token_refused")
        await sign_ins.save(tx, replace(sign_in(tokens=NEWER), github=BEN))
        now = await stored(tx)
        assert (now.version, now.tokens, now.github, now.suspension) == (3, NEWER, BEN, None)
        assert not await sign_ins.replace_tokens(tx, before, TOKENS)
        assert not await sign_ins.suspend(tx, before, "token_refused")


async def test_one_process_refreshes_at_a_time(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in())
        one = await stored(tx)
        assert await sign_ins.begin_refresh(tx, one, "a", tx.now + 30)
        assert not await sign_ins.begin_refresh(tx, one, "b", tx.now + 30)
        assert not await sign_ins.end_refresh(tx, one, "b")
        assert await sign_ins.end_refresh(tx, one, "a")
        assert await sign_ins.begin_refresh(tx, one, "b", tx.now + 30)
    clock.advance(31)
    async with db.begin() as tx:
        assert await sign_ins.begin_refresh(tx, one, "a", tx.now + 30)


async def test_a_late_refresher_neither_drops_nor_overwrites_the_new_pair(db: Database) -> None:
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in())
        one = await stored(tx)
        assert await sign_ins.begin_refresh(tx, one, "a", tx.now)
        assert await sign_ins.begin_refresh(tx, one, "b", tx.now + 30)
        # "a" was slow; its answer is the first all the same.
        assert await sign_ins.replace_tokens(tx, one, NEWER)
        assert not await sign_ins.suspend(tx, one, "token_refused", process="b")
        assert not await sign_ins.replace_tokens(tx, one, TOKENS)
        now = await stored(tx)
        assert (now.tokens, now.version, now.refreshing_by, now.suspension) == (NEWER, 2, None, None)


async def test_tokens_are_resealed_only_while_nobody_refreshes_or_has_changed_them(db: Database) -> None:
    other = replace(TOKENS, key_id="ffffffff", access=b"resealed")
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in())
        one = await stored(tx)
        await sign_ins.begin_refresh(tx, one, "a", tx.now + 30)
        assert not await sign_ins.reseal(tx, one, other)
        await sign_ins.replace_tokens(tx, one, NEWER)
        assert not await sign_ins.reseal(tx, one, other)
        now = await stored(tx)
        assert await sign_ins.reseal(tx, now, other)
        # A refresh that begins before the reseal has its effect after it.
        assert await sign_ins.replace_tokens(tx, now, TOKENS)


async def test_a_suspended_sign_in_keeps_no_token(db: Database) -> None:
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in())
        await sign_ins.save(tx, sign_in(U2))
        assert [one.slack_user for one in await sign_ins.with_tokens(tx, ("", ""), 9)] == ["U1", "U2"]
        assert await sign_ins.suspend(tx, await stored(tx), "token_refused")
        now = await stored(tx)
        assert (now.tokens, now.suspension, now.suspended_at) == (None, "token_refused", tx.now)
        assert [one.slack_user for one in await sign_ins.with_tokens(tx, (TEAM, "U1"), 9)] == ["U2"]
        assert await sign_ins.with_tokens(tx, (TEAM, "U2"), 9) == []


async def test_sign_ins_that_lapsed_are_found(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await sign_ins.save(tx, sign_in(at=tx.now))
        assert await sign_ins.lapsed(tx, 9) == []
    clock.advance(90)
    async with db.begin() as tx:
        [found] = await sign_ins.lapsed(tx, 9)
        await sign_ins.suspend(tx, found, "lapsed")
        assert await sign_ins.lapsed(tx, 9) == []


async def test_an_operator_s_link_replaces_those_of_both_sides(db: Database) -> None:
    async with db.begin() as tx:
        await operator_links.save(tx, OperatorLink(TEAM, U1, ANA, 1.0, "cli"))
        await operator_links.save(tx, OperatorLink(TEAM, U2, BEN, 2.0, "cli"))
        await operator_links.save(tx, OperatorLink(TEAM, U1, BEN, 3.0, "cli"))
        assert await operator_links.of_user(tx, TEAM, U2) is None
        assert await operator_links.concerning(tx, TEAM, [], [ANA.id]) == []
        expected = OperatorLink(TEAM, U1, BEN, 3.0, "cli")
        assert await operator_links.concerning(tx, TEAM, [], [BEN.id]) == [expected]
        assert await operator_links.delete(tx, TEAM, U1) is not None
        assert await operator_links.delete(tx, TEAM, U1) is None


async def test_a_pair_keeps_when_it_was_first_seen_and_its_suspension(db: Database) -> None:
    pair = DirectoryPair(TEAM, U1, ANA, "saml", "hash", 100.0, 100.0)
    async with db.begin() as tx:
        await directory_pairs.pin(tx, pair)
        assert await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=100.0, seen_since=100.0)
        assert not await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=99.0, seen_since=99.0)
        assert not await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=100.0, seen_since=101.0)
        assert await directory_pairs.suspend(tx, pair, "directory_changed")
        assert not await directory_pairs.suspend(tx, pair, "unlinked")
        await directory_pairs.pin(tx, replace(pair, address_hash="other", first_seen_at=200.0, seen_at=200.0))
        [found] = await directory_pairs.of_user(tx, TEAM, U1)
        assert (found.first_seen_at, found.seen_at, found.address_hash) == (100.0, 100.0, "hash")
        assert found.suspension == "directory_changed"
        assert not await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=100.0, seen_since=100.0)
        await directory_pairs.delete(tx, pair)
        assert await directory_pairs.all_pairs(tx, TEAM) == []


async def test_a_pair_with_a_rival_on_either_side_is_not_held(db: Database) -> None:
    pair = DirectoryPair(TEAM, U1, ANA, "saml", "hash", 100.0, 100.0)
    for rival in (replace(pair, slack_user=U2), replace(pair, github=BEN)):
        async with db.begin() as tx:
            await directory_pairs.pin(tx, pair)
            await directory_pairs.pin(tx, rival)
            assert not await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=100.0, seen_since=100.0)
            await directory_pairs.delete(tx, rival)
            assert await directory_pairs.has_held(tx, TEAM, U1, ANA.id, since=100.0, seen_since=100.0)


def started(hash_: str, now: float, user: SlackUserId = U1) -> LinkRequest:
    return LinkRequest(hash_, TEAM, user, ChannelId("C1"), "V1", {"text": "mine"}, now, now + 600)


async def test_a_started_sign_in_ends_once_and_after_ten_minutes(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await link_requests.add(tx, started("h1", tx.now))
        await link_requests.add(tx, started("h2", tx.now, U2))
        assert await link_requests.load(tx, "h1") == started("h1", tx.now)
        assert await link_requests.end(tx, "h1") == started("h1", tx.now)
        assert await link_requests.end(tx, "h1") is None
    clock.advance(600)
    async with db.begin() as tx:
        assert await link_requests.load(tx, "h2") is None
        assert await link_requests.of_user(tx, TEAM, U2) is None
        assert not await link_requests.count_try(tx, "h2", 5)
        assert await link_requests.end(tx, "h2") is None


async def test_starting_again_ends_what_was_started_before(db: Database) -> None:
    async with db.begin() as tx:
        await link_requests.add(tx, started("h1", tx.now))
        await link_requests.add_page(tx, LinkPage("s1", "h1", tx.now, tx.now + 600, b"v"))
        await link_requests.add(tx, started("h2", tx.now))
        assert await link_requests.load(tx, "h1") is None
        assert await link_requests.use_page(tx, "s1") is None
        found = await link_requests.of_user(tx, TEAM, U1)
        assert found is not None
        assert found.hash == "h2"


async def test_five_codes_may_be_tried(db: Database) -> None:
    async with db.begin() as tx:
        await link_requests.add(tx, started("h1", tx.now))
        assert [await link_requests.count_try(tx, "h1", 5) for _ in range(7)] == [True] * 5 + [False] * 2


async def test_a_state_is_used_once(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        await link_requests.add(tx, started("h1", tx.now))
        for state in ("s1", "s2"):
            await link_requests.add_page(tx, LinkPage(state, "h1", tx.now, tx.now + 600, b"v"))
        page = await link_requests.use_page(tx, "s1")
        assert page == LinkPage("s1", "h1", tx.now, tx.now + 600, b"v", used_at=tx.now)
        assert await link_requests.use_page(tx, "s1") is None
        done = replace(page, code_hash="c", github=ANA, tokens=TOKENS, verifier=None)
        assert await link_requests.save_page(tx, done)
        assert [one.state_hash for one in await link_requests.pages(tx, "h1")] == ["s1", "s2"]
        assert done in await link_requests.pages(tx, "h1")
    clock.advance(600)
    async with db.begin() as tx:
        assert await link_requests.use_page(tx, "s2") is None
        await link_requests.prune(tx, tx.now)
        [(request, page)] = await link_requests.expired_tokens(tx, 10)
        assert (request.hash, page) == ("h1", done), "a token was deleted that is not dropped at GitHub yet"
        await link_requests.save_page(tx, replace(page, tokens=None))
        assert await link_requests.expired_tokens(tx, 10) == []
        await link_requests.prune(tx, tx.now)
        for table in (link_request, link_page):
            assert (await tx.conn.execute(sa.select(table))).all() == []


async def test_a_page_is_resealed_only_while_it_is_as_it_was_read(db: Database) -> None:
    async with db.begin() as tx:
        await link_requests.add(tx, started("h1", tx.now))
        for state, verifier, tokens in (("s1", b"v", None), ("s2", None, TOKENS), ("s3", None, None)):
            github = None if tokens is None else ANA
            page = LinkPage(state, "h1", tx.now, tx.now + 600, verifier, github=github, tokens=tokens)
            await link_requests.add_page(tx, page)
        found = await link_requests.with_secrets(tx)
        pages = sorted((page for _, page in found), key=lambda page: page.state_hash)
        assert [page.state_hash for page in pages] == ["s1", "s2"]
        first, second = pages
        newer = replace(second, tokens=NEWER)
        assert await link_requests.reseal(tx, first, replace(first, verifier=b"again"))
        assert await link_requests.reseal(tx, second, newer)
        assert not await link_requests.reseal(tx, first, replace(first, verifier=b"late"))
        assert not await link_requests.reseal(tx, second, replace(second, tokens=None))
        assert [page.verifier for page in await link_requests.pages(tx, "h1")] == [b"again", None, None]
        assert newer in await link_requests.pages(tx, "h1")
