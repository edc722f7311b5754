"""Lists of alerts and other answers to look-ups, as they are sent to Slack."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.commands import SUBCOMMANDS
from bot.commands.help import help_answer
from bot.commands.list_page import parse_typed_filter
from bot.errors import Refused
from bot.rules.filters import open_by_default, parse_filter
from bot.rules.pagination import ListPage, Side, parse_page
from bot.views import refusals
from bot.views.answers import refusal
from bot.views.card import draw_card
from bot.views.lists import Listing, draw_list, with_private_note
from integrations.slack.blocks import Content
from storage.filter import FoundAlert, PagePosition
from storage.records import Alert, AlertKey, AlertNumber, RepositoryId
from tests.views.cases import (
    ADMIN_PERSON,
    KEY,
    LEAKY,
    NOW,
    case,
    closed,
    probe,
    repository,
    stripe,
    token,
    working,
)
from tests.views.sending import sent

HERE = PagePosition(1795488000.5, KEY)


def found(alert: Alert, number: int = 42) -> FoundAlert:
    return FoundAlert(replace(alert, key=AlertKey(KEY.repository_id, AlertNumber(number))), repository())


OPEN = (
    found(working()),
    found(stripe(taken_by=ADMIN_PERSON, taken_at=NOW), 40),
    found(token(assigned_to=LEAKY, probe=probe("inactive", "bad_credentials")), 39),
)
CLOSED = (found(closed("revoked")), found(closed("wont_fix", validity="active"), 41))
HOSTILE = FoundAlert(
    token(secret_type_name="<!channel> *Key* `x`|", html_url="javascript:alert(1)"),
    repository(full_name="octo/<@U1>", html_url="https://github.com/octo/a b"),
)


def listing(typed: str, *shown: FoundAlert, **more: object) -> Listing:
    made = Listing(alert_filter=parse_filter(typed), shown=shown, now=NOW + 60, total=len(shown), first=1)
    return replace(made, **more)  # type: ignore[arg-type]  # Fields by name.


def between(typed: str) -> dict[str, ListPage]:
    """The previous and the next page."""
    alert_filter = parse_filter(typed)
    return {
        "previous": ListPage(alert_filter, Side.BEFORE, HERE),
        "following": ListPage(alert_filter, Side.AFTER, HERE),
    }


LISTS: dict[str, Listing] = {
    "open": listing("is:open", *OPEN),
    "filtered": listing("is:open validity:active", *OPEN[:1]),
    "closed": listing("is:closed", *CLOSED),
    "every-state": listing("aws", *CLOSED),
    "page-between": listing("is:open org:octo", *OPEN, total=47, first=11, **between("is:open org:octo")),
    "longer-than-counted": listing(
        "is:open", *OPEN, total=1000, is_longer=True, first=11, **between("is:open")
    ),
    "longer-and-distant": listing(
        "is:open", *OPEN, total=1000, is_longer=True, first=None, **between("is:open")
    ),
    "not-counted": listing("is:open", *OPEN, total=None, first=None, **between("is:open")),
    "page-gone": listing("is:open", *OPEN[:1], page_gone=True),
    "old-roles": listing("is:open", *OPEN[:1], roles_since=NOW - 540),
    "github-silent": listing("is:open", *OPEN[:1], total=None, first=None, github_unreachable=True),
    "too-many-repositories": listing(
        "is:open", *OPEN[:1], total=None, first=None, too_many_repositories=True
    ),
    "hostile": listing('"<!channel> `*x*`"', HOSTILE),
    "none": listing("is:open"),
    "none-filtered": listing("is:open repo:octo/web assignee:@me"),
    "none-in-any-state": listing("qwertz"),
    "none-while-github-silent": listing("is:open", total=None, first=None, github_unreachable=True),
}
NOTES: dict[str, Content] = {
    "help": help_answer(SUBCOMMANDS),
    "one-alert": with_private_note(draw_card(case(working()), (), 1), NOW - 540, NOW + 60),
    "one-alert-fresh-role": with_private_note(draw_card(case(working()), (), 1), NOW, NOW + 60),
    "role-unknown": refusal(refusals.role_unknown()),
    "unseen-channel": refusal(refusals.bot_not_in_channel()),
}


@pytest.mark.parametrize("listed", [pytest.param(one, id=name) for name, one in LISTS.items()])
def test_list(listed: Listing, golden: SnapshotAssertion) -> None:
    assert sent(draw_list(listed)) == golden


@pytest.mark.parametrize("content", [pytest.param(one, id=name) for name, one in NOTES.items()])
def test_look_up(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("valdity:active", id="unknown-word"),
        pytest.param("is:resolved", id="unknown-value"),
        pytest.param("<!channel>:*x*", id="hostile"),
        pytest.param('"a', id="open-quote"),
    ],
)
def test_bad_filter(typed: str, golden: SnapshotAssertion) -> None:
    with pytest.raises(Refused) as refused:
        parse_typed_filter(typed)
    assert sent(refusal(refused.value)) == golden


@pytest.mark.parametrize("typed", ["", "is:open", 'repo:a/b "x y" -z', "w" * 1490])
def test_the_value_of_a_page_button_fits_and_is_parsed_again(typed: str) -> None:
    page = ListPage(open_by_default(parse_filter(typed)), Side.BEFORE, HERE)
    assert parse_page(page.value) == page
    largest = PagePosition(1795488000.123457, AlertKey(RepositoryId(10**17), AlertNumber(10**17)))
    assert len(replace(page, position=largest).value) <= 2000
    assert parse_page(replace(page, position=largest).value) == replace(page, position=largest)


@pytest.mark.parametrize(
    "value", ["", "after", "after 1 1/1 sort:x", "around 1 1/1", "after nan 1/1", "after 1 a/b"]
)
def test_an_invalid_value_is_no_page(value: str) -> None:
    assert parse_page(value) is None
