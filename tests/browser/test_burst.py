"""A burst of alerts with an urgent one in it, at the width of a phone."""

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_urgent_leak_in_a_burst_has_a_card_of_its_own(window: OpenWindow) -> None:
    sam = await window(size=PHONE)
    await sam.page.get_by_role("button", name="All channels").click()
    await sam.go_to("C0ALERTS")
    await sam.leak("stripe", count=50, repository="octo/infra (private)")
    urgent = await sam.leak("classic", publicly=True, repository="octo/infra (private)")
    await sam.show("slack")
    card = sam.card(urgent)
    await contains(card, "High: leaked publicly, not known whether it works")
    assert not await sam.scrolls_sideways()
    summary = sam.page.locator("#message-list .message", has_text="new alerts")
    await contains(summary, "octo/infra")
    cards = await sam.page.locator('#message-list .message:has([data-action="take"])').count()
    assert cards < 50, "most of the burst is in the summary"
    await sam.press(card, "check_validity")
    await contains(card, "Critical: live token, leaked publicly")
    await summary.get_by_role("button").first.click()
    await contains(sam.private, "Stripe API Key")
