"""The guided tour, from the leak to the audit log, clicking what it highlights."""

import re

import pytest
from playwright.async_api import Locator, expect

from bot.demo import Demo
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import DESKTOP, PHONE, Visitor, appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
# Code spans hold text from GitHub, which may look like emoji names.
OWN_TEXTS = """() => [...document.querySelectorAll("#message-list .text")].map((text) => {
    const copy = text.cloneNode(true);
    for (const code of copy.querySelectorAll("code")) code.remove();
    return copy.textContent;
}).join("\\n")"""


async def step(visitor: Visitor, title: str) -> None:
    await reads(visitor.page.locator("#tour-title"), title)


def highlighted(visitor: Visitor, action: str) -> Locator:
    """The control, once the tour highlights it: for a moment the last step's control still is."""
    return visitor.page.locator(f'.tour-target[data-action="{action}"]')


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_the_whole_tour(window: OpenWindow, demo: Demo, size: tuple[int, int]) -> None:
    visitor = await window(size=size, tour=True)
    page, modal = visitor.page, visitor.modal
    target = page.locator(".tour-target")

    await step(visitor, "A token leaks")
    await target.click()
    await step(visitor, "The card arrives")
    await contains(target, "not known whether it works")
    alert = str(await target.locator(".actions").get_attribute("data-block")).split(":")[1]
    await page.locator("#tour-next").click()
    await step(visitor, "Does it still work?")
    await highlighted(visitor, "check_validity").click()
    await step(visitor, "Say that you are on it")
    await highlighted(visitor, "take").click()
    await step(visitor, "Tell the owner first")
    await highlighted(visitor, "report_leak").click()
    await contains(modal, "It can't be undone")
    await highlighted(visitor, "tell_owner").click()
    await step(visitor, "Answer as the owner")
    await reads(page.locator(".switcher-name"), "Dana Kim")
    await highlighted(visitor, "owner_rotated").click()
    await step(visitor, "Report the leak")
    await reads(page.locator(".switcher-name"), "Sam Okafor")
    await target.get_by_role("checkbox").check()
    await modal.locator("[type=submit]").click()
    await step(visitor, "Wait until it is dead")
    await expect(modal).to_have_count(0)
    # GitHub's own check is faster than the bot's, which comes a minute after the report.
    repository, number = map(int, alert.split("/"))
    demo.stage.github.override_validity(demo.stage.github.alerts[repository, number], "inactive")
    await step(visitor, "Do what is left")
    await target.click()
    for number in range(3):
        box = page.get_by_role("region", name="Thread").get_by_role("checkbox").nth(number)
        await box.check()
        await contains(visitor.card(alert), f"{number + 1} of 3 done")
    await step(visitor, "Close it as Revoked")
    await highlighted(visitor, "close_as").click()
    await page.get_by_role("option", name="Revoked").click()
    await modal.get_by_role("textbox").fill("Rotated in the vault")
    await modal.locator("[type=submit]").click()
    await step(visitor, "See it on GitHub")
    await target.locator("button").click()
    for words in ("Rotated in the vault", "sam-okafor via Stanch", "open → closed as revoked", "deploy.env"):
        await contains(page.locator("#alert-body"), words)
    await step(visitor, "See the audit log")
    for action in ("close_alert", "report_leak", "tell_owner", "check_validity", "take"):
        await contains(page.locator(".audit-row", has_text=action).first, "Sam Okafor")
    words = str(await page.evaluate(OWN_TEXTS))
    assert not re.search(r":[a-z_]{3,}:", words), "an emoji that the page can't draw"
    await page.locator("#tour-next").click()
    await expect(page.locator("#tour")).to_be_hidden()
    await contains(page.get_by_role("dialog", name="One leak"), "What next")
    await page.get_by_role("button", name="Look around").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_tour_that_ends_as_the_owner_returns_to_the_first_person(window: OpenWindow) -> None:
    visitor = await window("U0OLIVIA", size=PHONE, tour=True)
    name = visitor.page.locator(".switcher-name")
    await reads(visitor.page.locator("#tour-title"), "A token leaks")
    await visitor.page.locator(".tour-target").click()
    for title in (
        "The card arrives",
        "Does it still work?",
        "Say that you are on it",
        "Tell the owner first",
    ):
        await step(visitor, title)
        await visitor.page.locator("#tour-next").click()
    await step(visitor, "Answer as the owner")
    await reads(name, "Dana Kim")
    await visitor.page.get_by_role("button", name="End the tour").click()
    await reads(name, "Olivia Chen")


async def test_a_dismissed_tour_stays_away_until_its_button_is_clicked(window: OpenWindow) -> None:
    visitor = await window(tour=True)
    tour = visitor.page.locator("#tour")
    await appears(tour)
    await visitor.page.get_by_role("button", name="End the tour").click()
    await expect(tour).to_be_hidden()
    await visitor.page.reload()
    await appears(visitor.page.locator(".channel.active"))
    await expect(tour).to_be_hidden()
    await visitor.page.get_by_role("button", name="Tour", exact=True).click()
    await step(visitor, "A token leaks")
