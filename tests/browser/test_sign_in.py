"""Sign-in on GitHub from the demo page, on a phone."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.axe import assert_nothing_serious
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, Visitor, appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class Taps:
    """Taps on a phone, counted."""

    def __init__(self) -> None:
        self.count = 0

    async def on(self, target: Locator) -> None:
        await target.tap()
        self.count += 1

    async def opens(self, visitor: Visitor, target: Locator) -> Page:
        """Tap a link that opens a window."""
        async with visitor.page.context.expect_page() as opened:
            await self.on(target)
        page = await opened.value
        await page.wait_for_load_state()
        return page


def open_github(visitor: Visitor) -> Locator:
    return visitor.modal.get_by_role("link", name="Open GitHub")


async def test_somebody_unlinked_signs_in_with_four_taps_and_six_digits(window: OpenWindow) -> None:
    noor = await window("U0NOOR", size=PHONE, has_touch=True)
    card, taps = await noor.leaked_card("dead"), Taps()
    await noor.press(card, "take")
    await contains(noor.private, "GitHub account")
    await assert_nothing_serious(noor.page, "the offer to link")

    await taps.on(noor.private.get_by_role("button", name="Link"))
    await appears(open_github(noor))
    await assert_nothing_serious(noor.page, "the form for the code")
    github = await taps.opens(noor, open_github(noor))
    await assert_nothing_serious(github, "GitHub's page")
    await taps.on(github.get_by_role("button", name="Authorize Stanch"))
    await contains(github.locator("body"), "U0NOOR")
    await assert_nothing_serious(github, "the page with the code")
    code = await github.locator(".code").inner_text()
    await noor.modal.get_by_role("textbox").fill(code)
    await taps.on(noor.modal.locator("[type=submit]"))

    await contains(card, "On it: @Noor Haddad")
    assert taps.count == 4
    assert sum(letter.isdigit() for letter in code) == 6
    assert not await noor.scrolls_sideways()
    await github.close()


async def test_somebody_in_the_directory_signs_in_with_two_taps(window: OpenWindow) -> None:
    jonas = await window("U0JONAS", size=PHONE, has_touch=True)
    card = await jonas.leaked_card("dead")
    await jonas.press(card, "take")
    await contains(jonas.private, "directory alone")
    await contains(card, "On it: nobody yet")
    await jonas.choose(card, "close_as", "Used in tests")
    await contains(jonas.modal, "directory alone")
    await assert_nothing_serious(jonas.page, "the window in place of a form")
    taps = Taps()
    github = await taps.opens(jonas, open_github(jonas))
    await taps.on(github.get_by_role("button", name="Authorize Stanch"))
    await reads(github.locator("h1"), "You are linked")
    await assert_nothing_serious(github, "the page that says so")
    assert taps.count == 2
    await contains(jonas.modal.get_by_role("heading"), "Close")
    await github.close()


async def test_who_signed_in_acts_in_their_own_name_until_they_revoke_it(window: OpenWindow) -> None:
    """After the tests above Noor is signed in."""
    noor = await window("U0NOOR", size=PHONE)
    alert = await noor.leak("dead")
    await noor.show("slack")
    card = noor.card(alert)
    await noor.choose(card, "close_as", "Used in tests")
    await noor.modal.locator("[type=submit]").click()
    await contains(card, "Closed as used in tests")
    await noor.show("github")
    await noor.page.locator("[data-filter=closed]").click()
    await noor.page.locator(f'.alert-row[data-alert="{alert}"] button').click()
    timeline = noor.page.locator("#alert-body .timeline")
    await contains(timeline, "noor-haddad changed state: open → closed as used in tests")
    await expect(noor.page.locator("#alert-body")).not_to_contain_text("stanch[bot]")

    await noor.show("roles")
    await noor.page.get_by_role("button", name="Revoke the authorization of Noor Haddad").click()
    await expect(noor.page.locator('[data-revoke="noor-haddad"]')).to_have_count(0)
    await assert_nothing_serious(noor.page, "the people")
    assert not await noor.scrolls_sideways()
    other = await noor.leaked_card("dead")
    await noor.press(other, "take")
    await expect(noor.private).to_contain_text("sign in", ignore_case=True)
    await contains(other, "On it: nobody yet")
