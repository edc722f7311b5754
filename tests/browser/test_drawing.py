"""Drawing of messages: escaped markup stays text, and unknown blocks become a warning."""

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from bot.demo import Demo
from integrations.sandbox.demo.leaks import HOSTILE
from tests.browser.conftest import OpenWindow
from tests.browser.visitor import Visitor, appears, contains, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


async def drawn(visitor: Visitor, demo: Demo, *blocks: dict[str, Any]) -> Locator:
    """Post blocks as the app into a channel that no card goes to, and return the message."""
    await visitor.go_to("C0PARTNERS")
    message = demo.stage.slack.workspace.post_as_app("C0PARTNERS", "Drawn", blocks)
    shown = visitor.page.locator(f'#message-list [data-ts="{message.ts}"]')
    await appears(shown)
    return shown


async def test_hostile_names_on_a_card_stay_text(window: OpenWindow) -> None:
    sam = await window()
    card = await sam.leaked_card("hostile")
    await contains(card, "<!channel>")
    await contains(card, "https://evil.example")
    assert await card.locator('a[href*="evil.example"]').count() == 0
    assert await card.locator(".mention.loud").count() == 0
    assert await card.locator("strong", has_text="bold").count() == 0
    assert HOSTILE.split()[0] in await card.inner_text()
    await expect(card.locator(".mention")).to_have_count(0)


async def test_markup_is_drawn_and_escaped_markup_is_not(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    shown = await drawn(
        sam,
        demo,
        mrkdwn(
            "*bold* _slanted_ ~gone~ `<co*de*>` 2*3*4 snake_case_name <@U0ANA> <https://github.com/|a &lt;b&gt;>"
        ),
        mrkdwn(
            "&lt;!channel&gt; &lt;@U0ANA&gt; &lt;https://evil.example|x&gt; &amp;lt; <javascript:alert(1)|js>"
        ),
        mrkdwn("<!date^1795488000^{date_num}|soon> :warning: :no_such_emoji: &gt; no quote\n> a quote"),
        {"type": "section", "text": {"type": "plain_text", "text": "*not bold* <@U0ANA>", "emoji": False}},
    )
    blocks = shown.locator(".block")
    first = blocks.nth(0)
    await reads(first.locator("strong"), "bold")
    await reads(first.locator("em"), "slanted")
    await reads(first.locator("s"), "gone")
    await reads(first.locator("code"), "<co*de*>")
    await reads(first.locator(".mention"), "@Ana Ruiz")
    await reads(first.locator("a"), "a <b>")
    await contains(first, "2*3*4 snake_case_name")
    second = blocks.nth(1)
    await reads(second, "<!channel> <@U0ANA> <https://evil.example|x> &lt; js")
    assert await second.locator("a, .mention").count() == 0
    third = blocks.nth(2)
    await reads(third.locator("time"), "2026-11-24")
    await expect(third.locator("svg")).to_have_attribute("aria-label", "warning")
    await contains(third, ":no_such_emoji: > no quote")
    await reads(third.locator("blockquote"), "a quote")
    await reads(blocks.nth(3), "*not bold* <@U0ANA>")


async def test_unknown_blocks_and_elements_are_a_warning(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    shown = await drawn(
        sam,
        demo,
        {"type": "rich_text", "elements": []},
        {"type": "actions", "elements": [{"type": "datepicker", "action_id": "day"}]},
    )
    warnings = shown.locator(".unknown-block")
    await expect(warnings).to_have_count(2)
    await contains(warnings.nth(0), "rich_text")
    await contains(warnings.nth(1), "datepicker")


async def test_a_notification_shows_the_plain_text(window: OpenWindow, demo: Demo) -> None:
    sam = await window()
    demo.stage.slack.workspace.post_as_app(
        "C0ALERTS", "OPEN &lt;b&gt;: a token. <@U0ANA> is on it.", [mrkdwn("*Open*")]
    )
    toast = sam.page.locator(".toast")
    await contains(toast, "#security-alerts")
    await reads(toast.locator(".toast-text"), "OPEN <b>: a token. @Ana Ruiz is on it.")
    await appears(sam.page.locator('[data-channel="C0ALERTS"] .badge'))
    await toast.locator(".toast-open").click()
    await reads(sam.page.locator("#channel-title"), "security-alerts")
    await expect(sam.page.locator('[data-channel="C0ALERTS"] .badge')).to_have_count(0)
