"""The slots of channels."""

import asyncio

import pytest

from storage import slots
from storage.clock import Clock
from storage.db import Database
from storage.records import ChannelId

CHANNEL = ChannelId("C1")


async def test_simultaneous_callers_get_different_slots(db: Database, clock: Clock) -> None:
    async def reserve() -> float:
        async with db.begin() as tx:
            return await slots.reserve(tx, CHANNEL, 10.0)

    turns = sorted(await asyncio.gather(*(reserve() for _ in range(6))))
    assert turns[0] <= clock.now()
    assert [later - turns[0] for later in turns] == pytest.approx([0, 10, 20, 30, 40, 50], abs=2)
    clock.advance(1000)
    assert await reserve() == pytest.approx(clock.now(), abs=2)


async def test_a_slot_can_be_asked_for_from_a_later_time_on(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        later = clock.now() + 100
        assert await slots.reserve(tx, CHANNEL, 30.0, since=later) == pytest.approx(later)
        assert await slots.reserve(tx, CHANNEL, 30.0) == pytest.approx(later + 30)


async def test_no_slot_is_given_before_the_time_that_slack_asked_for(db: Database, clock: Clock) -> None:
    async with db.begin() as tx:
        until = clock.now() + 100
        await slots.pause_channel(tx, CHANNEL, until)
        await slots.pause_channel(tx, CHANNEL, until - 50)
        assert await slots.reserve(tx, CHANNEL, 1.0) == pytest.approx(until)
        assert await slots.reserve(tx, CHANNEL, 1.0) == pytest.approx(until + 1)
        assert await slots.reserve(tx, ChannelId("C2"), 1.0) <= clock.now()
        await slots.pause_channel(tx, CHANNEL, until + 60)
        assert await slots.reserve(tx, CHANNEL, 1.0) == pytest.approx(until + 60)
