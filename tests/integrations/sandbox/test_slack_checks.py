"""The stand-in Slack's rules for blocks and views."""

from typing import Any

import pytest

from integrations.sandbox.slack.calls import ApiError
from integrations.sandbox.slack.checks import Checker
from tests.integrations.sandbox.slack_drawings import (
    CARD,
    FORM,
    STEPS,
    actions,
    button,
    field,
    menu,
    modal,
    option,
    plain,
    section,
)

MENU = menu("close_as", "revoked", "wont_fix")
BOXES = menu("next_steps", "rotated", "services", type="checkboxes")
TEXT_INPUT = {"type": "plain_text_input", "action_id": "comment"}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


def refused(checker: Checker, *blocks: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as raised:
        checker.message("Leak", list(blocks))
    assert raised.value.error == "invalid_blocks"
    return str(raised.value)


@pytest.mark.parametrize("blocks", [CARD, STEPS, [section("<!date^1795488000^{date}|today> <!subteam^S1>")]])
def test_valid_messages_pass(checker: Checker, blocks: list[dict[str, Any]]) -> None:
    checker.message("Leak", blocks)


def test_valid_views_pass(checker: Checker) -> None:
    checker.view(FORM, "modal")
    checker.view({"type": "home", "blocks": [section()]}, "home")


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "nonsense"}, "/blocks/0/type"),
        ({"type": "alert", "text": plain("Only in modals")}, "/blocks/0/type"),
        (section("x" * 3001), "/blocks/0/text/text"),
        (section(""), "/blocks/0/text/text"),
        (section(colour="red"), "/blocks/0"),
        ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
        (actions("a", button("b", text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
        (actions("a", button("b", style="green")), "/blocks/0/elements/0/style"),
        (actions("a", *(button(str(n)) for n in range(26))), "/blocks/0/elements"),
        (actions("a" * 256, button("b")), "/blocks/0/block_id"),
        (actions("a", menu("b", *"cdefgh", type="overflow")), "/blocks/0/elements/0/options"),
        (actions("a", menu("b", "x" * 151)), "/blocks/0/elements/0/options/0/value"),
        (actions("a", TEXT_INPUT), "/blocks/0/elements/0/type"),
        ({"type": "context", "elements": [button("b")]}, "/blocks/0/elements/0/type"),
    ],
)
def test_a_schema_fault_has_its_pointer(checker: Checker, block: dict[str, Any], pointer: str) -> None:
    assert f"[json-pointer:{pointer}]" in refused(checker, block)


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([actions("a", button("b")), actions("a", button("c"))], "block_id 'a' is there twice"),
        ([actions("a", button("b"), button("b"))], "action_id 'b' is there twice"),
        ([actions("a", button("b", style="primary"), button("c", style="primary"))], "more than one primary"),
        ([actions("a", menu("b", "c", "c"))], "option value 'c' is there twice"),
        (
            [actions("a", {**MENU, "options": [{**option("c"), "url": "https://x.test"}]})],
            "outside an overflow",
        ),
        ([actions("a", {**MENU, "initial_option": option("other")})], "not one of the options"),
        ([actions("a", {**BOXES, "initial_options": [option("other")]})], "not one of the options"),
        (
            [actions("a", {**BOXES, "initial_options": [option("rotated")] * 2})],
            "initial option is there twice",
        ),
        ([section("Hi <!channel>")], "special mention"),
        ([section("Hi <!here|here>")], "special mention"),
        ([field("a", {**TEXT_INPUT, "min_length": 9, "max_length": 5})], "min_length above max_length"),
        ([field("a", {**TEXT_INPUT, "initial_value": "123456", "max_length": 5})], "longer than max_length"),
        (
            [field(name, {**TEXT_INPUT, "action_id": name, "focus_on_load": True}) for name in "ab"],
            "focus_on_load",
        ),
        ([TABLE, TABLE], "only_one_table_allowed"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "12000 characters"),
    ],
)
def test_faults_beyond_the_schema_are_refused(
    checker: Checker, blocks: list[dict[str, Any]], reason: str
) -> None:
    assert reason in refused(checker, *blocks)


def test_a_message_has_at_most_fifty_blocks(checker: Checker) -> None:
    assert "[json-pointer:/blocks]" in refused(checker, *[section()] * 51)


def test_special_mentions_in_the_text_are_refused(checker: Checker) -> None:
    with pytest.raises(ApiError, match="special mention"):
        checker.message("<!everyone> look", None)


@pytest.mark.parametrize(
    ("view", "kind", "reason"),
    [
        (modal(*[section()] * 101), "modal", "/view/blocks"),
        (modal(section("<!channel>")), "modal", "json-pointer:/view/blocks/0/text/text"),
        ({"type": "home", "blocks": [{"type": "alert", "text": plain("x")}]}, "home", "/view/blocks/0/type"),
        ({"type": "home", "blocks": [section()], "title": plain("x")}, "home", "title"),
    ],
)
def test_views_have_their_own_rules(checker: Checker, view: dict[str, Any], kind: str, reason: str) -> None:
    with pytest.raises(ApiError) as raised:
        checker.view(view, kind)
    assert raised.value.error == "invalid_arguments"
    assert reason in str(raised.value)


def test_a_checker_that_is_off_accepts_everything() -> None:
    Checker(on=False).message("", [{"type": "nonsense"}])
