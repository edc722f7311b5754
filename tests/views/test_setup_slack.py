"""The panels of the set-up's steps about Slack and the person, as the terminal shows them."""

import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.actions import controls
from bot.rules.example_alert import example_case
from bot.views import setup_people as people
from bot.views import setup_slack as slack
from bot.views.card import draw_card
from bot.views.setup_html import fault
from bot.views.setup_panel import Panel
from bot.views.setup_text import field_text, panel_text
from tests.views.cases import NOW
from tests.views.sending import sent


def app(**changes: Any) -> Panel:
    usual: dict[str, Any] = {
        "address": "https://api.slack.com/apps?new_app=1",
        "manifest": "{}",
        "over_http": False,
        "public_url": None,
        "problem": None,
        "workspace": None,
    }
    return slack.app_panel(**{**usual, **changes})


GENERAL = "https://api.slack.com/apps/A0X/general"
PANELS = {
    "app": app(),
    "app-with-an-address": app(public_url="https://stanch.example.com"),
    "app-over-http": app(over_http=True, public_url="https://stanch.example.com"),
    "app-again": app(problem="Slack refuses it.", workspace="https://octo.slack.com/"),
    "connection": slack.connection_panel(page=GENERAL, over_http=False, problem=None),
    "connection-over-http": slack.connection_panel(page=GENERAL, over_http=True, problem=None),
    "channels": slack.channel_panel(
        [("C1", "security", False), ("C2", "open", True)], shared=["partners"], problem=None
    ),
    "no-channel": slack.channel_panel([], shared=[], problem="The bot is not in #security."),
    "person": people.person_panel([("U1", "Ana")], many=False, account="ana"),
    "person-of-many": people.person_panel([], many=True, account=None),
    "nobody": people.person_panel([], many=False, account=None),
    "before-the-test-card": slack.before_test_card("security"),
    "after-the-test-card": slack.after_test_card("security", "https://octo.slack.com/archives/C1/p1", "1.5"),
}


def shown(panel: Panel) -> list[str]:
    """The lines of a panel's parts, and those of each form below its heading."""
    lines = panel_text("Step", panel, "").splitlines()
    for form in panel.forms:
        lines.append(f"[{form.aside or form.button}]")
        lines += [line for field in form.fields for line in field_text(field).splitlines()]
    return lines


@pytest.mark.parametrize("panel", [pytest.param(one, id=name) for name, one in PANELS.items()])
def test_setup_slack(panel: Panel, golden: SnapshotAssertion) -> None:
    assert shown(panel) == golden


def test_setup_test_card(golden: SnapshotAssertion) -> None:
    case = example_case(NOW, "https://github.com")
    assert sent(slack.marked_as_test(draw_card(case, controls(case), 0))) == golden


def test_a_fault_links_to_the_platforms_pages_alone() -> None:
    sentence = (
        "Open https://api.slack.com/apps/A0X/oauth. Not https://api.slack.com.evil/x, nor https://evil/y."
    )
    drawn = fault(sentence, ["https://api.slack.com"])

    assert re.findall('href="([^"]*)"', drawn) == ["https://api.slack.com/apps/A0X/oauth"]
    assert re.sub("<[^>]*>", "", drawn) == sentence
