"""An alert is named by its repository and number, or by its link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.alert_names import find_alert_link, parse_alert_name

GITHUB = "https://github.com"
LINK = "https://github.com/octo/payments/security/secret-scanning/42"


@pytest.mark.parametrize(
    "text",
    [
        "octo/payments#42",
        "  octo/payments#42 ",
        LINK,
        f"<{LINK}>",
        f"<{LINK}|alert>",
        f"{LINK}?query=is%3Aopen",
        f"{LINK}#top",
        LINK.replace("github", "GitHub"),
    ],
)
def test_a_repository_with_number_and_a_link_name_an_alert(text: str) -> None:
    named = parse_alert_name(text, GITHUB)
    assert str(named) == "octo/payments#42"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "#42",
        "payments#42",
        "octo/payments",
        "octo/payments#x",
        "octo/payments#4²",
        "octo/pay ments#42",
        "octo/payments#42 please",
        LINK.replace("github.com", "evil.example"),
        LINK.replace("https://", "https://evil.example/?"),
        f"https://evil.{LINK.removeprefix('https://')}",
        f"{LINK}abc",
        LINK.replace("secret-scanning", "code-scanning"),
        "octo/payments#" + "9" * 30,
    ],
)
def test_other_text_names_no_alert(text: str) -> None:
    assert parse_alert_name(text, GITHUB) is None


def test_a_link_is_found_inside_a_message() -> None:
    assert str(find_alert_link(f"look at <{LINK}|this>, and <{LINK}3>", GITHUB)) == "octo/payments#42"
    assert find_alert_link("look at octo/payments#42", GITHUB) is None
    assert (
        str(find_alert_link("http://ghe.example/a/b/security/secret-scanning/1", "http://ghe.example/"))
        == "a/b#1"
    )


@given(st.text())
def test_no_text_raises_an_error(text: str) -> None:
    parse_alert_name(text, GITHUB)
    find_alert_link(text, GITHUB)
