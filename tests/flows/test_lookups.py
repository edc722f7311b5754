"""Look-ups: their answers, and how soon they come."""

import json

import pytest

from bot.rules.filters import parse_filter
from bot.rules.pagination import ListPage, Side
from storage.filter import PagePosition
from storage.records import AuditOutcome
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, UNLINKED, Stage, key_of, plain

pytestmark = pytest.mark.either_database

NOT_THEIRS = "There is no such alert, or it is not yours to see."


async def typed_at_once(stage: Stage, user: str, text: str) -> str:
    """The text of the acknowledgement."""
    result = await stage.slack.command(user, CHANNEL, text)
    assert result.status == 200
    return plain(json.loads(result.body)["text"]) if result.body else ""


async def test_the_list_shows_open_alerts_with_their_main_facts(stage: Stage) -> None:
    alert = await stage.leak(validity="active")
    stage.github.close(await stage.leak(), by=stage.people[OWNER], resolution="revoked")
    await stage.work()
    stage.clock.advance(16 * 60)
    answer = await stage.type(OWNER, "list")
    assert "1 open alert" in answer
    assert f"octo/payments #{alert.number}, works, 16 minutes old, nobody yet" in answer
    assert "Only repositories whose alerts you may view." in answer
    [shown] = [one for one in stage.slack.private_messages(OWNER) if "1 open alert" in one.text]
    assert shown.action_ids == ["show_alert"]


async def test_a_filter_narrows_and_widens_the_list(stage: Stage) -> None:
    first = await stage.leak(validity="active")
    second = await stage.leak(secret_type="aws_access_key_id")
    stage.github.close(first, by=stage.people[OWNER], resolution="revoked")
    await stage.work()
    assert f"#{second.number}, not known whether it works" in await stage.type(OWNER, "list validity:unknown")
    closed = await stage.type(OWNER, "list is:closed")
    assert "1 closed alert" in closed
    assert f"#{first.number}, closed as revoked, still works" in closed
    assert "2 alerts" in await stage.type(OWNER, "list is:open,closed")
    assert f"#{second.number}" in await stage.type(OWNER, "list secret-type:aws_access_key_id older:0m")
    assert "2 alerts" in await stage.type(OWNER, "search payments")
    assert "1 alert for aws" in await stage.type(OWNER, "search AWS")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("list valdity:active", "Did you mean validity:?"),
        ("list is:opne", "Did you mean is:open?"),
        ("search", "/leaks search deploy.yml"),
        ("show", "/leaks show octo/payments#42"),
        ("show 42", "/leaks show octo/payments#42"),
        ("history https://evil.example/octo/payments/security/secret-scanning/1", "That names no alert."),
        ("show octo/payments#777", NOT_THEIRS),
        ("history octo/elsewhere#1", NOT_THEIRS),
        ("list repo:octo/elsewhere", "No open alerts for repo:octo/elsewhere that you may see."),
        ("list validity:active", "/leaks list is:closed,open validity:active"),
        ("search qwertz", "No alerts for qwertz that you may see."),
        ("mine", "No open alerts for assignee:@me that you may see."),
        ("lst", "Did you mean /leaks list?"),
    ],
)
async def test_a_look_up_without_results_suggests_others(stage: Stage, text: str, answer: str) -> None:
    await stage.leak()
    assert answer in await stage.type(OWNER, text)


async def test_show_answers_with_the_card_and_its_controls_work(stage: Stage) -> None:
    alert = await stage.leak()
    for named in (
        f"octo/payments#{alert.number}",
        f"OCTO/Payments#{alert.number}",
        stage.github.alert_url(alert),
    ):
        answer = await stage.type(ADMIN, f"show {named}")
        assert "Normal: not known whether it works" in answer
        assert "Only you see this." in answer
    card = stage.slack.private_messages(ADMIN)[-1]
    assert card.action_ids == stage.card().action_ids
    await stage.slack.click(ADMIN, CHANNEL, card.ts, "take")
    await stage.work(within=3)
    assert "On it: octo-admin" in stage.read() or "(octo-admin)" in stage.read()
    await stage.slack.select(ADMIN, CHANNEL, card.ts, "close_as", "revoked")
    await stage.work(within=3)
    await stage.submit(ADMIN)
    assert alert.state == "resolved"


async def test_history_tells_who_did_what_and_why(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "wont_fix", "Only a test account.")
    answer = await stage.type(OWNER, f"history octo/payments#{alert.number}")
    assert "Found by GitHub." in answer
    assert "Closed as won't fix" in answer
    assert "octo-admin" in answer
    assert "Only a test account." in answer


async def test_mine_lists_taken_and_assigned_alerts(stage: Stage) -> None:
    taken, assigned, other = [await stage.leak() for _ in range(3)]
    [card] = [
        one for one in stage.slack.cards(CHANNEL) if one.metadata and _number(one.metadata) == taken.number
    ]
    await stage.slack.click(ADMIN, CHANNEL, card.ts, "take")
    stage.github.assign(assigned, stage.people[ADMIN])
    await stage.work(within=3)
    answer = await stage.type(ADMIN, "mine")
    assert "2 open alerts for assignee:@me" in answer
    assert f"#{taken.number}," in answer
    assert f"#{assigned.number}," in answer
    assert f"#{other.number}," not in answer


def _number(metadata: dict[str, object]) -> object:
    payload = metadata["event_payload"]
    assert isinstance(payload, dict)
    return payload["alert_number"]


async def test_github_is_not_asked_if_the_role_is_stored(stage: Stage) -> None:
    """The acknowledgement holds the answer, even while GitHub is down."""
    alert = await stage.leak()
    await stage.type(OWNER, "list")
    stage.github.faults.add("GET /.*", status=503)
    asked = len(stage.github.requests)
    for text in (
        "list",
        f"show octo/payments#{alert.number}",
        f"history octo/payments#{alert.number}",
        "mine",
    ):
        assert await typed_at_once(stage, OWNER, text)
    assert len(stage.github.requests) == asked


async def test_a_first_look_up_is_answered_after_github_was_asked_for_the_role(stage: Stage) -> None:
    await stage.leak()
    assert await typed_at_once(stage, ADMIN, "list") == ""
    await stage.work()
    assert "1 open alert" in stage.answer_to(ADMIN)


async def test_a_slow_slack_does_not_delay_the_acknowledgement(stage: Stage) -> None:
    await stage.leak()
    await stage.type(OWNER, "list")
    stage.clock.advance(400)
    stage.slack.faults.add("users.info", slow=1.6, times=1)
    assert await typed_at_once(stage, OWNER, "list") == ""
    await stage.work()
    assert "1 open alert" in stage.answer_to(OWNER)


async def test_the_same_signed_command_is_answered_once(stage: Stage) -> None:
    """A copy of a signed request must not get an answer."""
    await stage.leak()
    await stage.type(OWNER, "list")
    result = await stage.slack.command(OWNER, CHANNEL, "list")
    assert "1 open alert" in result.body
    assert result.request is not None
    again = await stage.slack.http.post(result.request, {})
    assert (again.status, again.body) == (200, "")


async def test_two_thousand_alerts_are_all_shown_in_the_acknowledgement(stage: Stage) -> None:
    stored = await shelve(stage, ["web"], 2000)
    await stage.type(OWNER, "list")
    for one in stored[::499]:
        assert "octo/web" in await typed_at_once(stage, OWNER, f"show octo/web#{one.key.number}")
    assert await typed_at_once(stage, OWNER, "list") == "More than 1,000 open alerts that you may see"


async def test_pages_behind_the_thousandth_alert_are_shown_without_numbers(stage: Stage) -> None:
    """Onward, back, and where the requested page no longer exists."""
    stored = await shelve(stage, ["web"], 1030)
    newest_first = sorted((one.created_at, one.key) for one in stored)[::-1]
    await stage.type(OWNER, "list")
    first = stage.slack.private_messages(OWNER)[-1]
    for side, at, begins in ((Side.AFTER, 1008, 1009), (Side.BEFORE, 1024, 1014), (Side.AFTER, 1029, 1020)):
        page = ListPage(parse_filter("is:open"), side, PagePosition(*newest_first[at]))
        await stage.slack.click(OWNER, CHANNEL, first.ts, "page", value=page.value, force=True)
        await stage.work(within=3)
        shown = stage.slack.private_messages(OWNER)[-1].shown_text
        assert "More than 1,000 open alerts" in shown
        assert " to " not in shown.splitlines()[0]
        there = newest_first[begins : begins + 10]
        assert all(f"octo/web #{key.number}," in plain(shown) for _, key in there)
        assert ("that page no longer exists: this is the last page" in shown) == (at == 1029)


@pytest.mark.parametrize("user", [READER, UNLINKED])
async def test_a_refusal_is_in_the_audit_log(stage: Stage, user: str) -> None:
    alert = await stage.leak()
    answer = await stage.type(user, f"show octo/payments#{alert.number}")
    assert "octo/payments" not in answer
    [(outcome, reason)] = await stage.audited("look_up")
    assert outcome == AuditOutcome.REFUSED
    assert reason == ("no_role" if user == READER else "not_linked")


async def test_an_invisible_alert_and_an_absent_alert_are_refused_alike(stage: Stage) -> None:
    alert = await stage.leak()
    theirs = await stage.type(READER, f"show octo/payments#{alert.number}")
    assert theirs == await stage.type(READER, "show octo/payments#777")
    assert theirs == await stage.type(READER, "show octo/nowhere#1")


async def test_the_shortcut_finds_the_alert_by_its_card_its_thread_or_a_link(stage: Stage) -> None:
    alert = await stage.leak()
    card = stage.card()
    link = f"look: <{stage.github.alert_url(alert)}|this>"
    by_person = stage.slack.workspace.post_as_user(OWNER, CHANNEL, link)
    in_thread = stage.slack.workspace.post_as_user(OWNER, CHANNEL, "who has this?", thread_ts=card.ts)
    for message in (card, by_person, in_thread):
        before = len(stage.slack.private_messages(OWNER))
        await stage.slack.message_shortcut(OWNER, CHANNEL, message.ts, "show_alert")
        await stage.work(within=3)
        assert len(stage.slack.private_messages(OWNER)) == before + 1
        assert "Normal: not known whether it works" in stage.answer_to(OWNER)
    other = stage.slack.workspace.post_as_user(OWNER, CHANNEL, "lunch?")
    await stage.slack.message_shortcut(OWNER, CHANNEL, other.ts, "show_alert")
    await stage.work(within=3)
    assert "This message is about no alert." in stage.answer_to(OWNER)
    await stage.slack.message_shortcut(READER, CHANNEL, card.ts, "show_alert")
    await stage.work(within=3)
    assert NOT_THEIRS in stage.answer_to(READER)
    assert key_of(alert).number == alert.number


async def test_a_private_channel_without_the_bot_gets_no_answer_about_alerts(stage: Stage) -> None:
    await stage.leak()
    stage.slack.workspace.add_channel("C0SECRET", members=[OWNER], private=True, bot_in=False)
    result = await stage.slack.command(OWNER, "C0SECRET", "list")
    assert "Stanch is not in this channel" in result.body
    assert "payments" not in result.body


async def test_a_refused_menu_line_is_in_the_audit_log(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(READER, "more", "history")
    assert await stage.audited("look_up") == [("refused", "no_role")]
