"""The controls of cards and threads, the modals with their errors, and the message box."""

import itertools

import pytest
from playwright.async_api import Route, expect

from bot.demo import Demo
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_take_and_step_back(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await sam.press(card, "take")
    await contains(card, "On it: @Sam Okafor")
    await expect(card.locator('[data-action="take"]')).to_have_count(0)
    await sam.choose(card, "more", "Step back")
    await contains(card, "On it: nobody yet")


async def test_a_double_click_takes_once(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await card.locator('[data-action="take"]').dblclick()
    await contains(card, "On it: @Sam Okafor")
    await sam.choose(card, "more", "History")
    await contains(sam.private, "is on it")
    assert (await sam.private.inner_text()).count("is on it") == 1


async def test_check_validity_names_the_owner_and_refresh_reads_github(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card()
    await sam.press(card, "check_validity")
    await contains(card, "live token")
    await contains(card, "Token of: dana-kim, scopes repo and workflow")
    other = await sam.leaked_card("stripe")
    await expect(other.locator('[data-action="report_leak"]')).to_have_count(0)
    await other.get_by_role("button", name="Refresh from GitHub").click()
    await contains(sam.private, "GitHub")


async def test_reporting_needs_consent_and_can_notify_the_owner_first(window: OpenWindow) -> None:
    sam, dana = await window(), await window("U0DANA")
    card = await sam.leaked_card("fine_grained")
    await sam.press(card, "check_validity")
    await contains(card, "live token")
    await sam.press(card, "report_leak")
    modal = sam.modal
    for consequence in ("Rotate it first", "publicly leaked", "tells the token's owner", "can't be undone"):
        await contains(modal, consequence)
    await modal.locator("[type=submit]").click()
    await reads(modal.locator(".field-error"), "Please complete this required field.")
    await modal.get_by_role("button", name="Tell dana-kim first").click()
    await dana.go_to_direct_messages()
    await contains(dana.page.locator("#message-list"), "A token of yours has leaked.")
    await modal.get_by_role("checkbox").check()
    await expect(modal.locator(".field-error")).to_be_hidden()
    await modal.locator("[type=submit]").click()
    await expect(modal).to_have_count(0)
    await contains(card, "reported to GitHub")


async def test_a_click_on_a_card_that_was_just_redrawn_is_not_lost(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    page, workspace = sam.page, demo.stage.slack.workspace
    alert = await sam.leak("dead")
    card = sam.card(alert)
    await appears(card)
    ts = str(await card.get_attribute("data-ts"))
    drawn = itertools.count()

    def redraw(*, controls: bool = True) -> None:
        """Draw the card anew, as the bot does: with a new id for the block of controls, or without it."""
        message = workspace.message("C0PAYMENTS", ts)
        assert message is not None
        *facts, last = message.blocks
        renamed = {**last, "block_id": f"alert:{alert}:redrawn-{next(drawn)}"}
        workspace.redraw(message, blocks=[*facts, *([renamed] if controls else [])])

    async def redraw_first(route: Route) -> None:
        redraw()
        await route.fallback()

    async def take_controls_away(route: Route) -> None:
        redraw(controls=False)
        await route.fallback()

    await page.route("**/slack/*", redraw_first, times=2)
    await sam.choose(card, "close_as", "Used in tests")
    await appears(sam.modal.get_by_role("textbox"))
    await page.keyboard.press("Escape")
    await page.route("**/slack/click", redraw_first, times=1)
    await sam.press(card, "take")
    await contains(card, "On it: @Sam Okafor")
    button = card.get_by_role("button", name="Check validity")
    await button.hover()
    await page.mouse.down()
    redraw()
    await expect(page.locator("html[data-held]")).to_be_attached()
    await page.mouse.up()
    await contains(card, "not on this GitHub, checked")
    await page.route("**/slack/click", take_controls_away, times=1)
    await button.click()
    gone = page.locator(f'#message-list [data-ts="{ts}"] .notice')
    await contains(gone, "the control is no longer there")


async def test_a_cancelled_modal_changes_nothing(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    for way, reason in (("Cancel", "False positive"), ("Close", "Used in tests"), ("Escape", "Won't fix")):
        await sam.choose(card, "close_as", reason)
        await appears(sam.modal.get_by_role("textbox"))
        if way == "Escape":
            await sam.page.keyboard.press("Escape")
        else:
            await sam.modal.get_by_role("button", name=way, exact=True).click()
        await expect(sam.modal).to_have_count(0)
    await contains(card, "Normal:")
    await sam.choose(card, "close_as", "Revoked")
    await appears(sam.modal.get_by_role("textbox"))
    await sam.page.reload()
    await contains(card, "Normal:")
    await expect(sam.modal).to_have_count(0)


async def test_a_reason_can_be_chosen_again_after_the_modal_was_closed(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await sam.choose(card, "close_as", "False positive")
    await appears(sam.modal.get_by_role("textbox"))
    await sam.page.keyboard.press("Escape")
    await expect(card.locator(".select-words")).to_have_text("Close as…", timeout=4000)


async def test_closing_shows_errors_at_the_field_and_reopening_reverts_it(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await sam.choose(card, "close_as", "Used in tests")
    comment, error = sam.modal.get_by_role("textbox"), sam.modal.locator(".field-error:visible")
    await reads(sam.modal.locator(".select-words"), "Used in tests")
    await comment.fill("x" * 300)
    await sam.modal.locator("[type=submit]").click()
    await contains(error, "characters")
    await comment.fill("It was ghp_" + "a1B2" * 9)
    await expect(error).to_have_count(0)
    await sam.modal.locator("[type=submit]").click()
    await contains(error, "looks like a secret")
    await comment.fill("A fixture of the payment tests")
    await sam.modal.locator("[type=submit]").click()
    await expect(sam.modal).to_have_count(0)
    await contains(card, "Closed as used in tests")
    await contains(card, "A fixture of the payment tests")
    await sam.press(card, "reopen")
    await sam.modal.get_by_role("textbox").fill("It is a real one after all")
    await sam.modal.locator("[type=submit]").click()
    await contains(card, "Normal:")


async def test_locations_and_history_answer_privately(window: OpenWindow) -> None:
    sam, ana = await window(), await window("U0ANA")
    card = await sam.leaked_card("dead", bypassed=True)
    await contains(card, "Push protection: bypassed by")
    before = await ana.page.locator(".message.private").count()
    await sam.choose(card, "more", "Show locations")
    await contains(sam.private, "config/deploy.env")
    await contains(sam.private, "Only visible to you")
    await sam.choose(card, "more", "History")
    await expect(sam.private).not_to_contain_text("deploy.env line 1, config")
    assert await ana.page.locator(".message.private").count() == before
    await sam.private.get_by_role("button", name="Dismiss message").click()


async def test_the_checklist_is_ticked_in_the_thread(window: OpenWindow) -> None:
    sam, olivia = await window(), await window("U0OLIVIA")
    card = await sam.leaked_card()
    await sam.press(card, "take")
    await contains(card, "0 of 3 done")
    await card.locator(".thread-link").click()
    thread = sam.page.get_by_role("region", name="Thread")
    boxes = thread.get_by_role("checkbox")
    await expect(boxes).to_have_count(3)
    await boxes.nth(1).check()
    await contains(card, "1 of 3 done")
    await expect(boxes.nth(1)).to_be_checked()
    alert = str(await card.locator(".actions").get_attribute("data-block")).split(":")[1]
    shared = olivia.card(alert)
    await shared.locator(".thread-link").click()
    other = olivia.page.get_by_role("region", name="Thread")
    await other.get_by_role("checkbox").nth(0).check()
    await contains(shared, "2 of 3 done")
    await expect(boxes.nth(0)).to_be_checked()
    await other.get_by_role("button", name="Find its uses").click()
    await contains(olivia.page.locator(".message.private").last, "hashed_token:")
    await olivia.page.get_by_role("button", name="Close thread").click()
    await expect(other).to_be_hidden()


async def test_the_command_box(window: OpenWindow) -> None:
    sam = await window()
    page = sam.page
    await sam.composer.fill("/")
    await appears(page.get_by_role("option", name="/leaks"))
    await sam.composer.press("Tab")
    await expect(sam.composer).to_have_value("/leaks ")
    await contains(await sam.command("/leaks"), "/leaks whoami")
    await contains(await sam.command("/leaks whoam"), "Did you mean")
    await contains(await sam.command("/leaks whoami"), "sam-okafor")
    await contains(await sam.command("/leeks list"), "/leeks is not a valid command.")
    await expect(await sam.command("/<!channel>`*x*")).to_contain_text(
        "/<!channel>'*x* is not a valid command."
    )
    await sam.composer.press("ArrowUp")
    await sam.composer.press("ArrowUp")
    await sam.composer.press("ArrowUp")
    await expect(sam.composer).to_have_value("/leaks whoami")
    await sam.composer.press("ArrowDown")
    await expect(sam.composer).to_have_value("/leeks list")
    await sam.composer.fill("   ")
    messages = await page.locator("#message-list .message").count()
    await sam.composer.press("Enter")
    assert await page.locator("#message-list .message").count() == messages


async def test_a_card_can_be_used_by_keyboard_alone(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await card.locator('[data-action="close_as"]').focus()
    for key in ("Enter", "ArrowDown", "Enter"):
        await sam.page.keyboard.press(key)
    await reads(sam.modal.locator(".select-words"), "False positive")
    await expect(sam.modal.locator(":focus")).to_have_count(1)
    await sam.modal.get_by_role("textbox").focus()
    await sam.page.keyboard.type("Not a secret")
    for _ in range(8):
        await sam.page.keyboard.press("Tab")
        assert await sam.modal.locator(":focus").count() == 1, "the focus left the modal"
    await sam.modal.locator("[type=submit]").focus()
    await sam.page.keyboard.press("Enter")
    await contains(card, "Closed as false positive")
