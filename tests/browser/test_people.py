"""Permissions of different people, and two windows at once."""

import asyncio
import json

import pytest
from playwright.async_api import expect

from bot.demo import Demo
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, Visitor, appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_each_kind_of_person_gets_the_right_refusal(window: OpenWindow) -> None:
    visitor = await window()
    alert = await visitor.leak("dead")
    for name, words in (
        ("Ravi Patel", "GitHub doesn't let ravi-patel see the alerts of octo/payments."),
        ("Ravi Patel", "Ana Ruiz, Olivia Chen and Sam Okafor can."),
        ("Noor Haddad", "link"),
        ("Grace Moore", "guest"),
    ):
        await visitor.become(name)
        card = visitor.card(alert)
        before = await visitor.page.locator("#message-list .message.private").count()
        await visitor.press(card, "take")
        answer = visitor.page.locator("#message-list .message.private").nth(before)
        await expect(answer).to_contain_text(words, ignore_case=True)
        await contains(card, "On it: nobody yet")
    await visitor.become("Theo Lang")
    await reads(visitor.page.locator("#channel-title"), "partners-globex")
    await expect(visitor.page.locator("#message-list .message .overflow")).to_have_count(0)
    await contains(await visitor.command("/leaks list"), "is not a valid command")


async def test_a_lost_role_counts_at_once(window: OpenWindow) -> None:
    ana = await window("U0ANA")
    card = await ana.leaked_card("dead")
    roles = ana.page.get_by_label("Role of Ana Ruiz")
    await ana.show("roles")
    await roles.select_option("read")
    await ana.press(card, "take")
    await contains(ana.private, "GitHub doesn't let ana-ruiz see the alerts of octo/payments.")
    await roles.select_option("admin")
    await ana.press(card, "take")
    await contains(card, "On it: @Ana Ruiz")


async def _is_told_that_it_is_closed(visitor: Visitor) -> bool:
    try:
        await expect(visitor.private).to_contain_text("closed already", timeout=4000)
    except AssertionError:
        return False
    return True


async def test_two_concurrent_submits_close_the_alert_once(window: OpenWindow, demo: Demo) -> None:
    """On two phones."""
    sam, ana = await window(size=PHONE), await window("U0ANA", size=PHONE)
    alert = await sam.leak("dead")
    await sam.show("slack")
    windows = ((sam, "Used in tests"), (ana, "False positive"))
    for visitor, reason in windows:
        await visitor.choose(visitor.card(alert), "close_as", reason)
        await appears(visitor.modal.get_by_role("textbox"))
    requests = len(demo.stage.github.requests)
    await asyncio.gather(*(visitor.modal.locator("[type=submit]").click() for visitor, _ in windows))
    for visitor, _ in windows:
        await contains(visitor.card(alert), "Closed as")
    # Whoever closed it sees that on the card; the other one is told.
    told = await asyncio.gather(*(_is_told_that_it_is_closed(visitor) for visitor, _ in windows))
    assert sorted(told) == [False, True]
    # Alerts of other tests may be changed meanwhile, since all share the demo.
    number = alert.rpartition("/")[2]
    closed = [
        request
        for request in demo.stage.github.requests[requests:]
        if request.method == "PATCH"
        and request.status == 200
        and request.path.endswith(f"/alerts/{number}")
        and '"resolved"' in json.dumps(request.body)
    ]
    assert len(closed) == 1


async def test_an_action_is_shown_in_other_windows(window: OpenWindow) -> None:
    """On a phone, what is done on a desktop, and the other way round."""
    sam, ana = await window(size=PHONE), await window("U0ANA")
    alert = await sam.leak("dead")
    await sam.show("slack")
    await appears(ana.card(alert))
    await sam.press(sam.card(alert), "take")
    await contains(ana.card(alert), "On it: @Sam Okafor")
    await ana.page.locator(f'.alert-row[data-alert="{alert}"] button').click()
    await ana.page.locator("#close-alert").click()
    await contains(sam.card(alert), "Closed as revoked")
    await expect(sam.page.locator(f'.alert-row[data-alert="{alert}"]')).to_have_count(0)
