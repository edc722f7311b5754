"""One writer at a time, arrivals before the others, and no turn that gets lost."""

import asyncio

import pytest

from storage.write_lock import Turns


async def queue_up(turns: Turns, order: list[str], *names: str) -> list[asyncio.Task[None]]:
    """Let each wait for its turn, note its name and pass on."""

    async def wait(name: str) -> None:
        await turns.take(arrival=name.startswith("arrival"))
        order.append(name)
        await asyncio.sleep(0)
        turns.pass_on()

    tasks = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_arrivals_come_first_and_everybody_else_in_order() -> None:
    turns, order = Turns(), list[str]()
    await turns.take()
    tasks = await queue_up(turns, order, "job 1", "job 2", "arrival 1", "job 3", "arrival 2")
    turns.pass_on()
    await asyncio.gather(*tasks)
    assert order == ["arrival 1", "arrival 2", "job 1", "job 2", "job 3"]


async def test_who_stops_waiting_is_passed_over() -> None:
    turns, order = Turns(), list[str]()
    await turns.take()
    first, second, third = await queue_up(turns, order, "job 1", "arrival 1", "job 2")
    first.cancel()
    second.cancel()
    await asyncio.wait([first, second])
    turns.pass_on()
    await third
    assert order == ["job 2"]


async def test_a_turn_that_comes_with_the_cancellation_is_passed_on() -> None:
    turns, order = Turns(), list[str]()
    await turns.take()
    first, second = await queue_up(turns, order, "job 1", "job 2")
    turns.pass_on()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert order == ["job 2"]
    await asyncio.wait_for(turns.take(), 1)
