"""Runs the demo once for all browser tests, and opens windows on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from bot.demo import Demo, open_demo
from integrations.sandbox.demo import PEOPLE
from integrations.sandbox.demo.faults import SWITCHES
from tests.browser.visitor import ARGUMENTS, PATIENCE, Visitor, Windows, find_chromium

OpenWindow = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip(
            "no browser: Debian's chromium is not installed (apt-get install chromium-headless-shell)"
        )
    return found


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def demo(chromium: str) -> AsyncIterator[Demo]:
    """The demo, ready for use. At the end, neither Slack nor GitHub may have recorded a violation."""
    async with open_demo("127.0.0.1", 0) as demo:
        await demo.opening
        yield demo
        assert demo.stage.slack.complaints == demo.stage.github.complaints == []


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def windows(browser: Browser, demo: Demo) -> Windows:
    return Windows(browser, demo.address)


@pytest_asyncio.fixture(loop_scope="session")
async def window(windows: Windows, demo: Demo) -> AsyncIterator[OpenWindow]:
    """Opens windows, each with its own storage; none may have an error or call another host."""
    visitors: list[Visitor] = []

    async def open_window(person: str = "U0SAM", **options: Any) -> Visitor:
        visitors.append(await windows.take(person, **options))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        await visitor.leave()
    _tidy(demo)
    assert [fault for visitor in visitors for fault in visitor.faults] == []
    assert [url for visitor in visitors for url in visitor.foreign] == []
    windows.give_back(visitors)


def _tidy(demo: Demo) -> None:
    """Close all modals and turn off all faults before the next test."""
    slack = demo.stage.slack
    for person in PEOPLE:
        for root in slack.views(person.slack_id)[:1]:
            slack.world.modals.close(root, whole_stack=True)
    for switch in SWITCHES:
        demo.stage.switches.turn(switch.id, on=False)
