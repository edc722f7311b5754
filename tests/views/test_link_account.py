"""The modal for linking and its results as they are sent to Slack, and the web pages of a sign-in."""

import html as entities
import re
from dataclasses import replace

import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from bot.errors import Refused
from bot.job_kinds import PerformAction
from bot.requests import ActionRequest
from bot.views import link_pages as pages
from bot.views.answers import refusal, refusal_view
from bot.views.link_account import (
    BUTTONS,
    CALLBACK_ID,
    FORM_OPENS,
    GOES_ON,
    PRESS_AGAIN,
    START_ANEW,
    TITLE,
    link_lapsed,
    link_view,
    linked_answer,
    linked_view,
    not_your_link,
    pressed_again,
    tries_used_up,
    unlinked_answer,
    waiting_view,
    wrong_code,
)
from bot.views.link_pages import Page, SlackAccount
from bot.views.refusals import not_linked
from integrations.slack.blocks import Content, View
from storage.records import ChannelId, MessageTs, SlackTeamId, SlackUserId
from tests.integrations.slack.hostile import texts
from tests.views.cases import FOUND, KEY
from tests.views.sending import opened, sent

ADDRESS = "https://stanch.example.com/github/link?request=3q2-7wEr_0123456789abcdefghijklmnopqrstuvw"
METADATA = '{"request": "3q2-7wEr_0123456789abcdefghijklmnopqrstuvw"}'
TAKE = ActionRequest(
    action="take",
    alert=KEY,
    team=SlackTeamId("T0OCTO"),
    user=SlackUserId("U0NEW"),
    at=FOUND,
    channel=ChannelId("C0ALERTS"),
    thread=MessageTs("1795488000.000100"),
)
UNLINKED = not_linked(TAKE.user, by_sign_in=True)
DANA = SlackAccount("U0DANA", "dana@octo.example", "Dana Kim")


def refused_view(refused: Refused) -> View:
    return refusal_view(refused, callback_id=CALLBACK_ID, title=TITLE)


VIEWS: dict[str, View] = {
    "window": link_view(ADDRESS, metadata=METADATA),
    "window-linked-already": link_view(ADDRESS, metadata=METADATA, linked_to="octo-admin"),
    "waiting": waiting_view(),
    "linked": linked_view("octo-admin", None),
    "linked-goes-on": linked_view("octo-admin", GOES_ON),
    "linked-form-opens": linked_view("octo-admin", FORM_OPENS),
    "linked-press-again": linked_view("octo-admin", PRESS_AGAIN),
    "linked-start-anew": linked_view("octo-admin", START_ANEW),
    "tries-used-up": refused_view(tries_used_up(FOUND + 600)),
    "lapsed": refused_view(link_lapsed()),
    "of-somebody-else": refused_view(not_your_link()),
    "window-in-place-of-a-form": link_view(ADDRESS, metadata=METADATA, refused=UNLINKED),
}
ANSWERS: dict[str, Content] = {
    "offer": refusal(UNLINKED, PerformAction(TAKE)),
    "offer-without-a-request": refusal(UNLINKED),
    "linked": linked_answer("octo-admin", GOES_ON),
    "unlinked": unlinked_answer("octo-admin"),
    "nothing-to-unlink": unlinked_answer(None),
    **{f"press-again-{name}": pressed_again("octo-admin", name, KEY, str(KEY)) for name in BUTTONS},
}
PAGES: dict[str, Page] = {
    "code": pages.code_page("012345", DANA, "octo-admin", minutes=9),
    "code-without-an-address": pages.code_page(
        "012345", SlackAccount("U0DANA", "", ""), "octo-admin", minutes=1
    ),
    "linked": pages.linked_page(DANA, "octo-admin"),
    "refused": pages.refused_page("You can't use Stanch here."),
    "unknown": pages.UNKNOWN,
    "other-browser": pages.OTHER_BROWSER,
    "used": pages.USED,
    "not-signed-in": pages.NOT_SIGNED_IN,
    "not-finished": pages.NOT_FINISHED,
    "slack-silent": pages.SLACK_SILENT,
    "wrong-app": pages.WRONG_APP,
    "not-stored": pages.NOT_STORED,
    "failed": pages.failed_page("1a2b3c4d"),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_link_view(view: View, golden: SnapshotAssertion) -> None:
    assert opened(view) == golden


@pytest.mark.parametrize("content", ANSWERS.values(), ids=ANSWERS)
def test_link_answer(content: Content, golden: SnapshotAssertion) -> None:
    assert sent(content) == golden


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_link_page(page: Page, golden: SnapshotAssertion) -> None:
    document = pages.html(page).partition("</style>")
    assert {
        "status": page.status,
        "title": page.title,
        "html": re.split(r"(?<=>)(?=<[hpdm/])", document[2]),
    } == golden


@pytest.mark.parametrize(("left", "words"), [(4, "4 tries are left."), (1, "1 try is left.")])
def test_the_error_on_the_field_counts_the_tries(left: int, words: str) -> None:
    assert wrong_code(left) == f"That is not the code; {words}"


def test_a_long_request_is_not_carried() -> None:
    long = replace(TAKE, user_input={"comment": "x" * 2000})
    message = sent(refusal(UNLINKED, PerformAction(long)))
    assert message["blocks"][-1]["elements"][0]["value"] == "-"


def test_the_policy_allows_the_page_s_own_style_and_nothing_else() -> None:
    policy = pages.headers()["Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'; "
        r"frame-ancestors 'none'",
        policy,
    )
    assert "style=" not in "".join(map(pages.html, PAGES.values()))


@given(texts, texts, texts, texts)
def test_hostile_names_are_text_on_the_page(user: str, email: str, name: str, login: str) -> None:
    document = pages.html(pages.code_page("012345", SlackAccount(user, email, name), login, minutes=9))
    tags = set(re.findall(r"</?([a-z][a-z0-9]*)", document))
    known = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "dt", "dd"}
    assert tags <= known
    assert len(re.findall(r"<dd>", document)) <= 4
    plain = entities.unescape(document)
    assert "\u202e" not in plain
