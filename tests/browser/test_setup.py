"""The page of the set-up in a real browser: its own forms, GitHub's redirect, and its look."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright._impl._api_structures import SetCookieParam
from playwright.async_api import Browser, Page

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from integrations.sandbox.github import GitHubSandbox, Organization
from integrations.sandbox.github.sign_in import COOKIE
from tests.browser.axe import assert_nothing_serious
from tests.browser.visitor import DESKTOP, PHONE
from tests.flows.setup.local_page import CODE, SetupRun, open_setup, settings_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def started(tmp_path: Path) -> AsyncIterator[tuple[SetupRun, SetCookieParam]]:
    async with GitHubSandbox() as github:
        octo = github.organization("octo")
        assert isinstance(octo, Organization)
        person = github.add_user("olga")
        github.add_member(octo, person, role="admin")
        steps = (ACCOUNT, GITHUB_APP, INSTALLATION)
        async with open_setup(tmp_path, steps, settings_of(github, tmp_path), person) as run:
            yield run, {"name": COOKIE, "value": str(person.id), "url": github.url}
        assert github.violations == []


async def assert_fits(page: Page, state: str) -> None:
    """Nothing is cut off sideways at a desk and on a phone, and nothing serious is wrong for assistive technology."""
    for width, height in (PHONE, DESKTOP):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, (state, width)
    await assert_nothing_serious(page, state)


async def test_a_browser_s_own_headers_lead_through_the_steps(
    browser: Browser, started: tuple[SetupRun, SetCookieParam]
) -> None:
    """A browser sends our origin with our forms, may post the manifest to GitHub, and comes back without it."""
    run, cookie = started
    context = await browser.new_context()
    await context.add_cookies([cookie])
    page = await context.new_page()

    async def press(button: str) -> None:
        await page.get_by_role("button", name=button, exact=True).click()
        await page.wait_for_load_state()

    await page.goto(run.page)
    await assert_fits(page, "code")
    await page.get_by_label("Code from the terminal").fill(CODE)
    await press("Continue")
    await page.get_by_text("More options").click()
    await assert_fits(page, "account")
    await page.get_by_label("Login of that account").fill("octo")
    await page.get_by_label("Address of Stanch").fill("http://stanch.octo.example")
    await press("Continue")
    await assert_fits(page, "refused")
    await page.get_by_label("Address of Stanch").fill("https://stanch.octo.example")
    await press("Continue")
    await assert_fits(page, "App")
    await press("Create the App on octo")
    await press("Create GitHub App for octo")
    await assert_fits(page, "installation")
    async with context.expect_page() as opened:
        await page.get_by_role("link", name="Install the App on GitHub").click()
    tab = await opened.value
    await tab.get_by_role("button", name="Install").click()
    await tab.wait_for_load_state()
    await press("I have installed it")
    await assert_fits(page, "done")
    assert (await run.routes.wait()).done
    # The stand-in's own, which is on this machine too.
    assert [one.get("name") for one in await context.cookies(run.page)] == [COOKIE]
    await context.close()
