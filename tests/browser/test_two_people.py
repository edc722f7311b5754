"""A report that needs a second person, on a phone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.demo import Demo
from integrations.sandbox.github import GitHubAlert
from tests.browser.axe import assert_nothing_serious
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, appears, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def one_person_again(demo: Demo) -> AsyncIterator[None]:
    """After the test a report needs one person."""
    yield
    await demo.set_two_people(on=False)


@pytest.mark.usefixtures("one_person_again")
async def test_a_second_person_approves_a_report(window: OpenWindow, demo: Demo) -> None:
    sam, olivia = await window(size=PHONE), await window("U0OLIVIA", size=PHONE)
    await sam.show("roles")
    await sam.page.get_by_label("A report needs a second person").check()
    await expect(sam.page.locator("#bot-banner")).to_be_hidden()
    await assert_nothing_serious(sam.page, "the people")
    assert not await sam.scrolls_sideways()
    alert = await sam.leak()
    await sam.show("slack")
    card = sam.card(alert)
    await appears(card)
    await sam.report(card)
    await card.locator(".thread-link").click()
    asked = sam.page.get_by_role("region", name="Thread")
    await asked.get_by_role("button", name="Approve").click()
    await contains(asked.locator(".message.private"), "a second person has to decide")
    token = demo.stage.github.token_of(_alert(demo, alert))
    assert token is not None
    assert token.revoked_at is None

    await olivia.card(alert).locator(".thread-link").click()
    await assert_nothing_serious(olivia.page, "a request for approval")
    assert not await olivia.scrolls_sideways()
    thread = olivia.page.get_by_role("region", name="Thread")
    await thread.get_by_role("button", name="Approve").click()
    await contains(thread, "olivia-chen")
    await expect(thread.get_by_role("button", name="Approve")).to_have_count(0)
    await olivia.page.get_by_role("button", name="Close thread").click()
    await contains(olivia.card(alert), "reported to GitHub")
    assert token.revoked_at is not None


def _alert(demo: Demo, alert: str) -> GitHubAlert:
    repository, number = map(int, alert.split("/"))
    return demo.stage.github.alerts[repository, number]
