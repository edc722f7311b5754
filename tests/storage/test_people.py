"""Identities, cached roles, subscriptions and saved values."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from storage import identities, role_cache, saved_values, subscriptions
from storage.clock import Clock
from storage.db import Database
from storage.records import (
    Audience,
    ChannelId,
    GitHubId,
    Person,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
    Subscription,
    ThreadLevel,
)
from tests.storage.examples import ANA, BEN, TEAM, identity


async def test_identity_is_found_from_both_sides(db: Database) -> None:
    async with db.begin() as tx:
        await identities.put(tx, identity("U1", ANA))
        assert await identities.of_slack(tx, TEAM, SlackUserId("U1")) == identity("U1", ANA)
        assert await identities.of_github(tx, TEAM, ANA.id) == identity("U1", ANA)
        assert await identities.of_slack(tx, SlackTeamId("T2"), SlackUserId("U1")) is None
        assert await identities.of_github(tx, TEAM, BEN.id) is None


async def test_an_identity_is_overwritten(db: Database) -> None:
    async with db.begin() as tx:
        await identities.put(tx, identity("U1", ANA))
        await identities.put(tx, identity("U1", ANA, SlackTeamId("T2")))
        renewed = replace(
            identity("U1", replace(ANA, login="ana-new")), proof="sign_in", linked_at=2000.0, linked_by="U1"
        )
        await identities.put(tx, renewed)
        assert await identities.of_slack(tx, TEAM, SlackUserId("U1")) == renewed
        assert len(await identities.all_identities(tx)) == 2
        await identities.rename_login(tx, ANA.id, "ana-newest")
        assert {one.github.login for one in await identities.all_identities(tx)} == {"ana-newest"}


async def test_an_account_has_one_slack_user(db: Database) -> None:
    async with db.begin() as tx:
        await identities.put(tx, identity("U1", ANA))
    with pytest.raises(IntegrityError):
        async with db.begin() as tx:
            await identities.put(tx, identity("U2", ANA))


async def test_an_unlinked_account_can_be_linked_again(db: Database) -> None:
    async with db.begin() as tx:
        await identities.put(tx, identity("U1", ANA))
        assert await identities.unlink(tx, TEAM, SlackUserId("U1")) == identity("U1", ANA)
        assert await identities.unlink(tx, TEAM, SlackUserId("U1")) is None
        await identities.put(tx, identity("U2", ANA))


async def test_roles_are_dropped_by_person_repository_and_owner(db: Database, clock: Clock) -> None:
    owner, other = GitHubId(100), GitHubId(200)
    repositories = {RepositoryId(1): owner, RepositoryId(2): owner, RepositoryId(3): other}

    async def known() -> set[tuple[str, int]]:
        async with db.read() as tx:
            return {
                (person.login, repository)
                for person in (ANA, BEN)
                for repository in repositories
                if await role_cache.load(tx, person.id, repository)
            }

    async with db.begin() as tx:
        for repository, owner_id in repositories.items():
            await role_cache.save(tx, ANA.id, repository, owner_id, {"admin": False})
            await role_cache.save(tx, BEN.id, repository, owner_id, {"admin": False})
    clock.advance(60)
    async with db.begin() as tx:
        await role_cache.save(tx, ANA.id, RepositoryId(1), owner, {"admin": True, "teams": ["x"]})
        found = await role_cache.load(tx, ANA.id, RepositoryId(1))
        assert found is not None
        assert found == ({"admin": True, "teams": ["x"]}, tx.now)
    async with db.begin() as tx:
        await role_cache.drop_repository(tx, RepositoryId(3))
    assert await known() == {(login, number) for login in ("ana", "ben") for number in (1, 2)}
    async with db.begin() as tx:
        await role_cache.save(tx, ANA.id, RepositoryId(3), other, {})
        await role_cache.drop_owner(tx, owner)
    assert await known() == {("ana", 3)}
    async with db.begin() as tx:
        await role_cache.drop_person(tx, ANA.id)
    assert await known() == set()


async def test_a_channel_has_one_subscription(db: Database, clock: Clock) -> None:
    channel = ChannelId("C1")
    async with db.begin() as tx:
        await subscriptions.add(tx, Subscription(channel, "is:open", created_at=5.0))
        later = Subscription(channel, "repo:octo/payments", ThreadLevel.ALL, 7.0)
        await subscriptions.add(tx, later)
        assert await subscriptions.of_channel(tx, channel) == later
        await subscriptions.add(tx, Subscription(ChannelId("C0"), ""))
        first, second = await subscriptions.all_subscriptions(tx)
        assert (first, second.channel, second.created_at) == (later, "C0", tx.now)
        assert await subscriptions.remove(tx, channel)
        assert not await subscriptions.remove(tx, channel)
        assert await subscriptions.of_channel(tx, channel) is None


async def test_a_subscription_is_changed_only_as_long_as_it_is_the_loaded_one(db: Database) -> None:
    channel, author = ChannelId("C1"), Person(TEAM, SlackUserId("U1"), ANA)
    first = Subscription(channel, "org:octo", created_at=5.0, changed_at=5.0)
    second = Subscription(
        channel,
        "repo:octo/web",
        ThreadLevel.NONE,
        6.0,
        mention="S0SEC",
        pinned={"repo:octo/web": 7},
        author=author,
        changed_at=6.0,
        lost_at=7.0,
        paused_at=8.0,
        audience=Audience(is_public=False, guests=(SlackUserId("U2"),)),
    )
    async with db.begin() as tx:
        assert await subscriptions.change(tx, None, first)
        assert not await subscriptions.change(tx, None, second)
        assert await subscriptions.change(tx, first, second)
        assert not await subscriptions.change(tx, first, first)
        assert await subscriptions.of_channel(tx, channel) == second
        assert not await subscriptions.remove_unchanged(tx, first)
        assert await subscriptions.remove_unchanged(tx, second)
        assert await subscriptions.of_channel(tx, channel) is None


async def test_two_people_can_t_both_replace_a_subscription(db: Database) -> None:
    """Otherwise the second one would replace a filter that was never checked."""
    before = Subscription(ChannelId("C1"), "org:octo", created_at=5.0)
    async with db.begin() as tx:
        await subscriptions.add(tx, before)

    async def replace_it(written: str) -> bool:
        async with db.begin() as tx:
            return await subscriptions.change(tx, before, replace(before, filter=written, changed_at=tx.now))

    assert sorted(await asyncio.gather(replace_it("repo:octo/a"), replace_it("repo:octo/b"))) == [False, True]


async def test_a_saved_value_is_overwritten(db: Database) -> None:
    async with db.begin() as tx:
        assert await saved_values.load(tx, "sweep") is None
        await saved_values.save(tx, "sweep", {"at": 1})
        await saved_values.save(tx, "sweep", {"at": 2})
        assert await saved_values.load(tx, "sweep") == {"at": 2}
