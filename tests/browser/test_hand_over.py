"""Hand over, at the width of a phone and with the keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_alert_is_handed_over_on_a_phone(window: OpenWindow) -> None:
    """The form says what follows for each picked person; the receiver finds the message and the alert."""
    ana = await window("U0ANA", size=PHONE)
    alert = await ana.leak("dead")
    await ana.show("slack")
    card = ana.card(alert)
    await ana.choose(card, "more", "Hand over…")
    picker = ana.modal.get_by_role("button", name="Hand over to")
    for name, words in (
        ("Grace Moore", "This person is a guest in Slack"),
        ("Noor Haddad", "Stanch doesn't know this person's GitHub account."),
        ("Dana Kim", "GitHub will let dana-kim see and resolve this alert."),
    ):
        await picker.click()
        await ana.page.get_by_role("option", name=name).click()
        await contains(ana.modal, words)
    assert not await ana.scrolls_sideways()
    await ana.modal.locator("[type=submit]").click()
    await expect(ana.modal).to_have_count(0)
    await contains(card, "On it: @Dana Kim")
    dana = await window("U0DANA", size=PHONE)
    await dana.go_to_direct_messages()
    await contains(dana.page.locator("#message-list"), "An alert was handed over to you.")


async def test_a_refused_person_is_an_error_on_the_field(window: OpenWindow) -> None:
    ana = await window("U0ANA")
    card = await ana.leaked_card("dead")
    await ana.choose(card, "more", "Hand over…")
    picker = ana.modal.get_by_role("button", name="Hand over to")
    await picker.press("Enter")
    await ana.page.keyboard.type("r")
    await ana.page.keyboard.press("Enter")
    await contains(ana.modal, "GitHub doesn't let ravi-patel see this alert.")
    await ana.modal.locator("[type=submit]").click()
    await contains(ana.modal.locator(".field-error"), "ravi-patel")
    await ana.page.keyboard.press("Escape")
    await contains(card, "On it: nobody yet")
