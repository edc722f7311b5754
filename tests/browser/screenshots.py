"""Takes ten pictures of the demo as PNG files; the README shows some of them."""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from bot.demo import open_demo
from tests.browser.visitor import ARGUMENTS, PATIENCE, PHONE, Visitor, find_chromium, visit

IMAGES = Path(__file__).parents[2] / ".github" / "images"


async def take_all(directory: Path) -> None:
    """Start the demo and take all pictures; the directory must exist."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Debian's chromium is not installed: apt-get install chromium-headless-shell")
    expect.set_options(timeout=PATIENCE)
    async with open_demo("127.0.0.1", 0) as demo, async_playwright() as playwright:
        await demo.opening
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        await _desktop(browser, demo.address, directory)
        await _dark(browser, demo.address, directory)
        await _phone(browser, demo.address, directory)
        await browser.close()


async def _desktop(browser: Browser, address: str, directory: Path) -> None:
    sam = await visit(browser, address, device_scale_factor=1.5)
    card = await sam.leaked_card(bypassed=True)
    await sam.press(card, "check_validity")
    await expect(card).to_contain_text("live token")
    await _take(sam, directory, "card")
    await sam.press(card, "report_leak")
    await expect(sam.modal.get_by_role("checkbox")).to_be_visible()
    await _take(sam, directory, "consent")
    await sam.modal.get_by_role("checkbox").check()
    await sam.modal.locator("[type=submit]").click()
    await expect(card).to_contain_text("reported to GitHub")
    await card.locator(".thread-link").click()
    await sam.page.get_by_role("region", name="Thread").get_by_role("checkbox").first.check()
    await expect(card).to_contain_text("1 of 3 done")
    await _take(sam, directory, "thread")
    await sam.page.get_by_role("button", name="Close thread").click()
    await sam.choose(card, "close_as", "Revoked")
    await sam.modal.get_by_role("textbox").fill("Rotated in the vault; deploys use the new one")
    await _take(sam, directory, "close")
    await sam.modal.locator("[type=submit]").click()
    await expect(card).to_contain_text("Closed as revoked")
    await sam.page.locator("[data-filter=closed]").click()
    await sam.page.locator("#alert-list button").first.click()
    await _take(sam, directory, "github")
    await sam.show("audit")
    await expect(sam.page.locator(".audit-row").first).to_be_visible()
    await _take(sam, directory, "audit-log")
    await sam.page.context.close()


async def _dark(browser: Browser, address: str, directory: Path) -> None:
    olivia = await visit(browser, address, "U0OLIVIA", dark=True, device_scale_factor=1.5)
    await olivia.go_to("C0ALERTS")
    await olivia.command("/leaks list is:open")
    await _take(olivia, directory, "list-dark")
    await olivia.page.context.close()


async def _phone(browser: Browser, address: str, directory: Path) -> None:
    sam = await visit(browser, address, size=PHONE, device_scale_factor=2)
    card = await sam.leaked_card()
    await card.scroll_into_view_if_needed()
    await _take(sam, directory, "phone-card")
    await sam.press(card, "report_leak")
    await expect(sam.modal.get_by_role("checkbox")).to_be_visible()
    await _take(sam, directory, "phone-consent")
    await sam.page.keyboard.press("Escape")
    await sam.page.get_by_role("button", name="All channels").click()
    await _take(sam, directory, "phone-channels")
    await sam.page.context.close()


async def _take(visitor: Visitor, directory: Path, name: str) -> None:
    for toast in await visitor.page.get_by_role("button", name="Dismiss notification").all():
        await toast.click()
    await visitor.page.locator(".leak-more").evaluate("details => { details.open = false }")
    await visitor.page.mouse.move(0, 0)
    await visitor.page.screenshot(path=directory / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit("usage: python -m tests.browser.screenshots [DIRECTORY]")
    target = Path(sys.argv[1]) if len(sys.argv) == 2 else IMAGES
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(target))
