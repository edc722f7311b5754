"""What the owner of a leaked token answers to the message that tells them, at the width of a phone."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_owner_s_answers_are_in_the_thread_and_in_their_message(window: OpenWindow) -> None:
    sam, dana = await window(size=PHONE), await window("U0DANA", size=PHONE)
    card = await sam.leaked_card()
    await sam.press(card, "check_validity")
    await contains(card, "Token of: dana-kim")
    await sam.press(card, "report_leak")
    await sam.modal.get_by_role("button", name="Tell dana-kim first").click()
    await contains(sam.modal, "dana-kim has been told")
    await sam.page.keyboard.press("Escape")
    await card.locator(".thread-link").click()
    thread = sam.page.get_by_role("region", name="Thread")
    await contains(thread, "told the owner, dana-kim")

    await dana.go_to_direct_messages()
    told = dana.page.locator("#message-list .message").last
    await contains(told, "A token of yours has leaked.")
    await told.get_by_role("button", name="Wait").click()
    await contains(told, "You asked to wait with the report.")
    await expect(told.get_by_role("button", name="Wait")).to_have_count(0)
    await contains(thread, "dana-kim asks to wait with the report")
    await told.get_by_role("button", name="I rotated it").click()
    await contains(thread, "dana-kim says it is rotated")
    assert not await dana.scrolls_sideways()
    assert not await sam.scrolls_sideways()

    await sam.page.get_by_role("button", name="Close thread").click()
    await contains(card, "0 of 3 done")
    await sam.report(card)
    await contains(told, "reported it to GitHub")
    await expect(told.get_by_role("button")).to_have_count(1)
