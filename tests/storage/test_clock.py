"""The clock that tests advance."""

import asyncio

from storage.clock import Clock


async def test_advance_wakes_the_sleepers_that_are_due(clock: Clock) -> None:
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.timeout(5):
        long = asyncio.create_task(sleep("long", 7200))
        short = asyncio.create_task(sleep("short", 60))
        await asyncio.sleep(0)
        clock.advance(61)
        await short
        assert woken == ["short"]
        clock.advance(7200)
        await long


async def test_a_sleeper_that_is_due_twice_wakes_once(clock: Clock) -> None:
    sleeper = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.advance(30)
    clock.advance(30)
    async with asyncio.timeout(5):
        await sleeper


async def test_a_sleep_ends_without_advance(clock: Clock) -> None:
    before = clock.now()
    async with asyncio.timeout(5):
        await clock.sleep(0.02)
        await clock.sleep(0)
        await clock.sleep(-1)
    assert clock.now() - before < 5


async def test_offset_is_the_sum_of_all_advances() -> None:
    clock = Clock()
    before = clock.now()
    clock.advance(100)
    clock.advance(20)
    assert clock.offset == 120
    assert 120 <= clock.now() - before < 125
