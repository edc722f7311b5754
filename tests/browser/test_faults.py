"""Faults on the page: what it shows, and that nothing is lost."""

import pytest
from playwright.async_api import expect

from bot.demo import Demo
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_killing_the_bot_loses_nothing(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    page = sam.page
    alert = await sam.leak("dead")
    card = sam.card(alert)
    await contains(card, "Normal:")
    process = demo.bot.process_id
    await sam.show("faults")
    await page.get_by_role("button", name="Kill the bot").click()
    await contains(page.locator("#bot-banner"), "cards don't change")
    await sam.show("github")
    await page.locator(f'.alert-row[data-alert="{alert}"] button').click()
    await page.locator("#close-alert").click()
    await contains(page.locator("#alert-body"), "Closed as")
    await sam.press(card, "take")
    await contains(card.locator(".notice"), "Stanch didn't answer")
    await contains(card, "Normal:")
    await contains(await sam.command("/leaks whoami"), "failed with the error")
    await page.locator("#bot-banner-start").click()
    await expect(page.locator("#bot-banner")).to_be_hidden(timeout=30_000)
    assert demo.bot.process_id not in (None, process)
    await expect(card).to_contain_text("Closed as revoked", timeout=30_000)
    assert len([c for c in demo.stage.slack.cards("C0PAYMENTS") if names(c.metadata, alert)]) == 1


async def test_while_github_is_down_a_check_is_refused_and_taking_works(
    window: OpenWindow, demo: Demo
) -> None:
    sam = await window()
    card = await sam.leaked_card("dead")
    await sam.show("faults")
    switch = sam.page.get_by_role("switch", name="GitHub is down")
    await switch.check()
    await reads(sam.page.locator("#fault-count"), "1")
    await sam.press(card, "check_validity")
    await contains(sam.private, "GitHub can't be asked")
    await sam.press(card, "take")
    await contains(card, "On it: @Sam Okafor")
    await contains(sam.private, "GitHub does not answer now")
    await switch.uncheck()
    await sam.press(card, "check_validity")
    await contains(card, "not on this GitHub, checked")


async def test_lost_answers_of_slack_cause_no_second_card(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    await sam.show("faults")
    switch = sam.page.get_by_role("switch", name="Slack loses its answers")
    await switch.check()
    alert = await sam.leak("dead")
    await appears(sam.card(alert))
    await sam.show("faults")
    await switch.uncheck()
    await sam.press(sam.card(alert), "take")
    await expect(sam.card(alert)).to_contain_text("On it: @Sam Okafor", timeout=30_000)
    assert len([c for c in demo.stage.slack.cards("C0PAYMENTS") if names(c.metadata, alert)]) == 1


def names(metadata: dict[str, object] | None, alert: str) -> bool:
    """Whether this is the metadata of the alert's card."""
    payload = (metadata or {}).get("event_payload")
    assert isinstance(payload, dict)
    return f"{payload.get('repository_id')}/{payload.get('alert_number')}" == alert
