"""Phone width, the phone frame, dark colours, names for screen readers, and speed."""

import sys
import time

import pytest
from playwright.async_api import Locator, expect

from bot.demo import Demo
from tests.browser.axe import assert_nothing_serious
from tests.browser.conftest import OpenWindow
from tests.browser.test_drawing import mrkdwn
from tests.browser.visitor import DESKTOP, PHONE, Visitor, appears, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SMALLEST_TARGET = 44
TOO_SMALL = """(least) => [
        ...document.querySelectorAll("button, select, textarea, input, summary, [role=menuitem], [role=option]")]
    .map((target) => target.matches("input[type=checkbox]") ? target.closest("label") : target)
    .filter((target) => target.checkVisibility({ visibilityProperty: true }) && !target.closest("[inert]"))
    .map((target) => [target, target.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.height < least - 0.5 || box.width < least - 0.5))
    .map(([target, box]) => `${target.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
NAMELESS = """() => [
        ...document.querySelectorAll("button, a, select, textarea, input, [role=dialog], [role=listbox]")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .filter((part) => !(part.textContent.trim() || part.getAttribute("aria-label") || part.labels?.length
        || document.getElementById(part.getAttribute("aria-labelledby"))))
    .map((part) => part.outerHTML.slice(0, 120))"""


FONTS = {"narrow": "-0.08em", "wide": "0.25em"}
"""Letter spacings that stand for narrow and wide fonts, so that the test is the same on every machine."""
SPACED = """(spacing) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { letter-spacing: ${spacing} !important }`);
    document.adoptedStyleSheets = [sheet];
}"""


async def assert_fits_in_every_font(sam: Visitor, state: str) -> None:
    for font, spacing in FONTS.items():
        await sam.page.evaluate(SPACED, spacing)
        assert not await sam.scrolls_sideways(), (state, font)
        small: list[str] = await sam.page.evaluate(TOO_SMALL, SMALLEST_TARGET)
        assert small == [], (state, font)
    nameless: list[str] = await sam.page.evaluate(NAMELESS)
    assert nameless == [], state


async def test_on_a_phone_nothing_scrolls_sideways_and_targets_are_large(window: OpenWindow) -> None:
    sam = await window(size=PHONE, tour=True)
    page = sam.page
    await sam.show("slack")
    await assert_fits_in_every_font(sam, "the tour")
    await page.get_by_role("button", name="End the tour").click()
    card = await sam.leaked_card("hostile")
    for panel in ("github", "roles", "faults", "audit", "slack"):
        await sam.show(panel)
        await assert_fits_in_every_font(sam, panel)
    await sam.press(card, "more")
    await assert_fits_in_every_font(sam, "a menu")
    await page.keyboard.press("Escape")
    await sam.press(card, "report_leak")
    await appears(sam.modal.get_by_role("checkbox"))
    await sam.modal.locator("[type=submit]").click()
    await appears(sam.modal.locator(".field-error"))
    await assert_fits_in_every_font(sam, "a form with an error")
    box = await sam.modal.bounding_box()
    assert box is not None
    assert box["width"] == PHONE[0]
    await page.keyboard.press("Escape")
    await sam.press(card, "take")
    await contains(card, "On it: @Sam Okafor")
    await card.locator(".thread-link").click()
    await appears(page.get_by_role("region", name="Thread"))
    await assert_fits_in_every_font(sam, "a thread")
    await page.get_by_role("button", name="Close thread").click()
    await page.get_by_role("button", name="All channels").click()
    await assert_fits_in_every_font(sam, "the channels")
    await page.locator("#switcher").click()
    await assert_fits_in_every_font(sam, "the people")


PLACES = """(card) => {
    const place = (part) => part.getBoundingClientRect();
    const menu = card.querySelector(".overflow");
    const screen = place(document.querySelector("#messages")), last = place(menu);
    return {
        fits: place(card.querySelector(".block")).top >= screen.top && last.bottom <= screen.bottom,
        shares: last.top === place(menu.previousElementSibling).top,
    };
}"""


async def assert_fits(card: Locator) -> None:
    """Everything from the headline to the last control is on the screen at once, and the menu shares a row."""
    await card.scroll_into_view_if_needed()
    assert await card.evaluate(PLACES) == {"fits": True, "shares": True}, await card.inner_text()


async def test_the_whole_card_is_on_a_phone_s_screen_in_every_state(window: OpenWindow, demo: Demo) -> None:
    sam = await window(size=PHONE)
    alert = await sam.leak(bypassed=True)
    await sam.show("slack")
    card = sam.card(alert)
    await appears(card)
    await assert_fits(card)
    await sam.press(card, "check_validity")
    await contains(card, "live token")
    await assert_fits(card)
    await sam.press(card, "take")
    await contains(card, "On it: @Sam Okafor")
    await sam.report(card)
    await contains(card, "reported to GitHub")
    await assert_fits(card)
    repository, number = map(int, alert.split("/"))
    demo.stage.github.override_validity(demo.stage.github.alerts[repository, number], "inactive")
    await contains(card, "confirmed inactive")
    await assert_fits(card)
    await sam.choose(card, "close_as", "Revoked")
    await sam.modal.locator("[type=submit]").click()
    await contains(card, "Closed as revoked")
    await assert_fits(card)


WIDTHS = (320, 358, 390, 768, 800, 900, 1280)
CUT = """() => [...document.querySelectorAll(".topbar *, .tour *, .panel, .panel *")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }) && part.clientWidth > 1)
    .filter((part) => getComputedStyle(part).overflowX === "hidden" && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.outerHTML.slice(0, 120))"""
# A menu shows what fits before its arrow.
CUT_MENUS = """() => [...document.querySelectorAll(".panel select")]
    .filter((menu) => menu.checkVisibility())
    .filter((menu) => {
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = getComputedStyle(menu).font;
        return pen.measureText(menu.selectedOptions[0].text).width > menu.clientWidth - 36;
    })
    .map((menu) => menu.getAttribute("aria-label") ?? menu.id)"""


async def test_at_every_width_the_purpose_is_shown_and_nothing_is_cut_off(window: OpenWindow) -> None:
    sam = await window(tour=True)
    page = sam.page
    await appears(page.locator("#tour"))
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 844})
        await expect(page.get_by_role("banner")).to_contain_text(
            "Stanch brings GitHub's leaked secret alerts"
        )
        await appears(page.locator(".purpose"))
        for panel in ("slack", "github", "roles", "faults"):
            await sam.show(panel)
            assert not await sam.scrolls_sideways(), (width, panel)
            assert await page.evaluate(CUT) == [], (width, panel)
            assert await page.evaluate(CUT_MENUS) == [], (width, panel)


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop", "phone"])
async def test_axe_finds_nothing_serious(window: OpenWindow, size: tuple[int, int], dark: bool) -> None:
    sam = await window(size=size, dark=dark, tour=True)
    page = sam.page
    await appears(page.locator("#tour"))
    await assert_nothing_serious(page, "the tour")
    await page.get_by_role("button", name="End the tour").click()
    card = await sam.leaked_card()
    for panel in ("github", "roles", "faults", "audit"):
        await sam.show(panel)
        await assert_nothing_serious(page, panel)
    await sam.show("github")
    await page.locator("#alert-list button").first.click()
    await assert_nothing_serious(page, "an alert on GitHub")
    await sam.show("slack")
    for menu in ("close_as", "more"):
        await sam.press(card, menu)
        await assert_nothing_serious(page, menu)
        await page.keyboard.press("Escape")
    await sam.press(card, "report_leak")
    await appears(sam.modal.get_by_role("checkbox"))
    await sam.modal.locator("[type=submit]").click()
    await appears(sam.modal.locator(".field-error"))
    await assert_nothing_serious(page, "a form with an error")
    await page.keyboard.press("Escape")
    await sam.press(card, "take")
    await contains(card, "0 of 3 done")
    await card.locator(".thread-link").click()
    await assert_nothing_serious(page, "a thread")
    await page.get_by_role("button", name="Close thread").click()
    await sam.command("/leaks list")
    await assert_nothing_serious(page, "a list")
    await page.locator("#switcher").click()
    await assert_nothing_serious(page, "the people")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Start over").click()
    await assert_nothing_serious(page, "a question of the page")


async def test_reporting_takes_at_most_four_taps(window: OpenWindow) -> None:
    sam = await window(size=PHONE, has_touch=True)
    card = await sam.leaked_card()
    taps = 0

    async def tap(target: Locator) -> None:
        nonlocal taps
        taps += 1
        await target.tap()

    await tap(card.locator('[data-action="report_leak"]'))
    await tap(sam.modal.get_by_role("checkbox"))
    await tap(sam.modal.locator("[type=submit]"))
    await contains(card, "reported to GitHub")
    assert taps <= 4


WITHIN = """(form) => {
    const { top, bottom } = form.parentElement.getBoundingClientRect(), box = form.getBoundingClientRect();
    return box.top >= top && box.bottom <= bottom;
}"""


@pytest.mark.parametrize("size", [(390, 500), (1280, 500)], ids=["phone", "desktop"])
async def test_a_long_form_keeps_its_title_and_its_buttons_in_view(
    window: OpenWindow, size: tuple[int, int]
) -> None:
    sam = await window(size=size)
    card = await sam.leaked_card()
    await sam.press(card, "report_leak")
    await appears(sam.modal.get_by_role("checkbox"))
    assert await sam.modal.evaluate(WITHIN)
    await expect(sam.modal.get_by_role("heading", name="Report leak")).to_be_in_viewport(ratio=1)
    await expect(sam.modal.locator("[type=submit]")).to_be_in_viewport(ratio=1)


async def test_the_phone_frame_shows_the_phone_layout_on_a_wide_screen(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await sam.page.get_by_role("button", name="Show Slack at phone width").click()
    await expect(sam.page.locator(".slack")).to_have_js_property("clientWidth", PHONE[0])
    await sam.press(card, "close_as")
    menu = await sam.page.get_by_role("listbox", name="Close as…").bounding_box()
    assert menu is not None
    assert menu["width"] == PHONE[0]
    await sam.page.keyboard.press("Escape")
    assert not await sam.scrolls_sideways()
    await sam.page.reload()
    await appears(sam.page.locator("body.phone-frame"))


TITLES = """async (channel) => {
    const title = document.querySelector("#channel-title"), shown = new Set();
    document.querySelector(`[data-channel="${channel}"]`).click();
    for (let frame = 0; frame < 60; frame++) {
        shown.add(title.innerText);
        await new Promise(requestAnimationFrame);
    }
    return [...shown];
}"""


async def test_a_channel_that_is_opened_on_a_phone_stays_in_view(window: OpenWindow) -> None:
    """It used to be blank for some frames where the system asks for less motion."""
    sam = await window(size=PHONE)
    await sam.page.get_by_role("button", name="All channels").click()
    assert await sam.page.evaluate(TITLES, "C0ALERTS") == ["security-alerts"]


async def test_an_own_answer_comes_into_view_and_a_modal_covers_the_pill(
    window: OpenWindow, demo: Demo
) -> None:
    sam = await window(size=PHONE)
    page = sam.page
    card = await sam.leaked_card("dead")
    workspace = demo.stage.slack.workspace
    for number in range(15):
        workspace.post_as_app("C0PAYMENTS", f"Message {number}", [mrkdwn(f"Message {number}")])
    await contains(page.locator("#message-list"), "Message 14")
    await card.scroll_into_view_if_needed()
    await expect(await sam.command("/leaks whoami")).to_be_in_viewport(ratio=1)
    await sam.press(card, "report_leak")
    await appears(sam.modal)
    workspace.post_as_app("C0PAYMENTS", "Newest", [mrkdwn("Newest")])
    pill = page.locator("#to-newest")
    await expect(pill).to_have_js_property("hidden", value=False)
    assert await pill.evaluate(
        """(pill) => {
            const { left, top, width, height } = pill.getBoundingClientRect();
            return document.elementFromPoint(left + width / 2, top + height / 2).closest("#modal-layer") !== null;
        }"""
    )
    await page.keyboard.press("Escape")
    await appears(pill)


async def test_dark_colours_follow_the_system_or_the_button(window: OpenWindow) -> None:
    dark = await window(dark=True)
    root = dark.page.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(dark.page.locator(".slack")).to_have_css("background-color", "rgb(23, 25, 28)")
    await dark.page.get_by_role("button", name="Use light colours").click()
    await expect(root).to_have_attribute("data-theme", "light")
    await dark.page.reload()
    await expect(root).to_have_attribute("data-theme", "light")


async def test_five_hundred_cards_are_drawn_quickly(
    window: OpenWindow, demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, blocks = demo.stage.slack.workspace, demo.stage.slack.cards("C0PAYMENTS")[0].blocks
    workspace.add_channel("C0MANY", name="many", members=["U0SAM"])
    cards = [workspace.post_as_app("C0MANY", f"Card {number}", blocks) for number in range(500)]
    sam = await window()
    page = sam.page
    await sam.go_to("C0MANY")
    painted: float = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    began = time.perf_counter()
    workspace.redraw(cards[-1], text="Changed", blocks=[{"type": "divider"}])
    await appears(page.locator(f'[data-ts="{cards[-1].ts}"] hr'))
    latency = time.perf_counter() - began
    times = f"500 alerts: first paint after {painted:.0f} ms, an update shown after {latency * 1000:.0f} ms"
    with capsys.disabled():
        sys.stdout.write(f"\n{times}\n")
    assert await page.locator("#message-list .message").count() < 100, "older ones are drawn when scrolled to"
    await page.locator("#messages").evaluate("box => box.scrollTo(0, 0)")
    await expect(page.locator("#message-list .message").nth(79)).to_be_attached()
    assert painted < 3000
    assert latency < 2
    workspace.channels.pop("C0MANY")
