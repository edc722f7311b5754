"""A channel subscribes to alerts and ends it again, at the width of a phone."""

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from bot.demo import Demo
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import PHONE, contains

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
INFRA = "C0INFRA"


@pytest.fixture
def channel(demo: Demo) -> Iterator[str]:
    """A channel without a subscription; it is gone after the test."""
    workspace = demo.stage.slack.workspace
    workspace.add_channel(INFRA, name="infra-security", members=["U0SAM", "U0ANA"])
    yield INFRA
    workspace.channels.pop(INFRA)


async def test_a_channel_is_subscribed_after_a_preview_listed_and_unsubscribed(
    window: OpenWindow, channel: str
) -> None:
    sam = await window(size=PHONE)
    page, messages = sam.page, sam.page.locator("#message-list")
    await page.get_by_role("button", name="All channels").click()
    await sam.go_to(channel)
    # The preview: what the filter would bring, the options, and nothing stored yet.
    preview = await sam.command("/leaks subscribe repo:octo/legacy-billing thread=all")
    for words in ("This channel would get: repo:octo/legacy-billing", "2 open alerts", "Thread: all events"):
        await contains(preview, words)
    assert not await sam.scrolls_sideways()
    await expect(await sam.command("/leaks subscriptions")).not_to_contain_text("#infra-security")
    # The confirmation: the channel is told once, and gets the open alerts as one summary.
    await preview.get_by_role("button", name="Subscribe", exact=True).click()
    await contains(messages, "Subscribed.")
    told = messages.locator(".message:not(.private)")
    await contains(told.first, "repo:octo/legacy-billing")
    await expect(told.filter(has_text="2 alerts in 1 repository")).to_have_count(1)
    # The list, and the end after a question.
    listed = await sam.command("/leaks subscriptions")
    await contains(listed, "#infra-security: repo:octo/legacy-billing")
    await contains(listed, "by sam-okafor")
    assert not await sam.scrolls_sideways()
    question = await sam.command("/leaks unsubscribe")
    await contains(question, "This channel would no longer get: repo:octo/legacy-billing")
    await question.get_by_role("button", name="Unsubscribe").click()
    await contains(messages, "Unsubscribed.")
    await expect(await sam.command("/leaks subscriptions")).not_to_contain_text("#infra-security")


async def test_what_somebody_may_not_view_is_refused_as_if_it_did_not_exist(
    window: OpenWindow, channel: str
) -> None:
    ana = await window("U0ANA", size=PHONE)
    await ana.page.get_by_role("button", name="All channels").click()
    await ana.go_to(channel)
    refused, unknown = [
        (await (await ana.command(f"/leaks subscribe repo:octo/{name}")).inner_text()).replace(name, "NAME")
        for name in ("infra", "no-such-repository")
    ]
    assert refused == unknown
    assert "Subscribe" not in refused
