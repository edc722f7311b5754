"""The write lock has one holder, goes to incoming requests first, and is never lost."""

import asyncio

import pytest

from storage.write_lock import WriteLock


async def queue_up(lock: WriteLock, order: list[str], *names: str) -> list[asyncio.Task[None]]:
    """Start a task for each name, which acquires the lock, notes its name and releases the lock."""

    async def wait(name: str) -> None:
        await lock.acquire(incoming=name.startswith("incoming"))
        order.append(name)
        await asyncio.sleep(0)
        lock.release()

    tasks = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_incoming_requests_come_first_and_all_others_in_order() -> None:
    lock, order = WriteLock(), list[str]()
    await lock.acquire()
    tasks = await queue_up(lock, order, "job 1", "job 2", "incoming 1", "job 3", "incoming 2")
    lock.release()
    await asyncio.gather(*tasks)
    assert order == ["incoming 1", "incoming 2", "job 1", "job 2", "job 3"]


async def test_a_cancelled_waiter_is_skipped() -> None:
    lock, order = WriteLock(), list[str]()
    await lock.acquire()
    first, second, third = await queue_up(lock, order, "job 1", "incoming 1", "job 2")
    first.cancel()
    second.cancel()
    await asyncio.wait([first, second])
    lock.release()
    await third
    assert order == ["job 2"]


async def test_a_lock_that_arrives_with_the_cancellation_is_released() -> None:
    lock, order = WriteLock(), list[str]()
    await lock.acquire()
    first, second = await queue_up(lock, order, "job 1", "job 2")
    lock.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert order == ["job 2"]
    await asyncio.wait_for(lock.acquire(), 1)
