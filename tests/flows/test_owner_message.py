"""Telling the owner first: who is told, what they read, what their answers do, and who may answer."""

import asyncio

import pytest

from bot.flows.acting.owner_answers import FORM_LASTS
from integrations.sandbox.slack import SlackMessage
from storage import identities
from storage.records import Account, GitHubId, Identity, SlackTeamId, SlackUserId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, plain
from tests.flows.whole_path import LEAKY, add_owner, answer_as_owner, owner_message, tell_owner

pytestmark = pytest.mark.either_database

BUTTONS = ["owner_rotated", "owner_not_mine", "owner_wait"]


async def told(stage: Stage) -> SlackMessage:
    """An alert whose token's owner has been told."""
    await add_owner(stage)
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await tell_owner(stage)
    return owner_message(stage)


def thread(stage: Stage) -> str:
    replies = stage.slack.thread(CHANNEL, stage.card().ts)
    return "\n".join(plain(reply.shown_text) for reply in replies)


def read(stage: Stage) -> str:
    return plain(owner_message(stage).shown_text)


async def test_the_open_form_shows_what_the_owner_answers(stage: Stage) -> None:
    """What the person has ticked meanwhile stays, and so does a form that is open no more."""
    await told(stage)
    view = stage.form(ADMIN)
    assert "leaky-dev has been told." in plain(view.shown_text)
    await answer_as_owner(stage, "owner_wait")
    shown = stage.form(ADMIN)
    assert (shown.id, shown.callback_id) == (view.id, "report_leak")
    assert "leaky-dev has been told, and asks to wait with the report." in plain(shown.shown_text)
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert stage.slack.view(ADMIN) is None
    await answer_as_owner(stage, "owner_rotated")
    assert stage.slack.view(ADMIN) is None
    assert [outcome for outcome, _ in await stage.audited("report_leak")] == ["intended", "done"]


async def test_a_form_left_open_for_hours_is_not_drawn_again(stage: Stage) -> None:
    await told(stage)
    drawn = len(stage.slack.calls("views.update"))
    stage.clock.advance(FORM_LASTS + 60)
    await answer_as_owner(stage, "owner_wait")
    assert len(stage.slack.calls("views.update")) == drawn
    assert "asks to wait" in thread(stage)


# What the owner reads


async def test_an_owner_without_view_reads_neither_repository_nor_path(stage: Stage) -> None:
    message = await told(stage)
    assert message.action_ids == BUTTONS
    assert "GitHub Personal Access Token" in read(stage)
    assert "octo-admin" in read(stage)
    assert "payments" not in str(message)
    assert str(stage.github.url) not in str(message)


async def test_an_owner_who_may_view_the_alert_reads_where_it_was_found(stage: Stage) -> None:
    stage.github.add_collaborator(stage.repository, stage.leaker, "admin")
    await told(stage)
    assert "octo/payments, alert 1" in read(stage)
    await answer_as_owner(stage, "owner_rotated")
    assert "octo/payments, alert 1" in read(stage)


async def test_an_owner_whose_role_github_does_not_say_reads_no_place(stage: Stage) -> None:
    stage.github.add_collaborator(stage.repository, stage.leaker, "admin")
    await add_owner(stage)
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    stage.github.faults.add("GET /repos/.*/collaborators/leaky-dev/permission", status=500)
    await tell_owner(stage)
    assert "payments" not in str(owner_message(stage))


async def test_the_form_shows_the_message_before_it_is_sent(stage: Stage) -> None:
    await add_owner(stage)
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "report_leak")
    form = plain(stage.form(ADMIN).shown_text)
    assert "leaky-dev would get this message:" in form
    assert "A token of yours has leaked." in form
    assert "you may not view" in form
    assert stage.slack.private_messages(LEAKY) == []
    await stage.slack.click_in_view(ADMIN, stage.form(ADMIN).id, "tell_owner")
    await stage.work(within=3)
    assert "leaky-dev has been told." in plain(stage.form(ADMIN).shown_text)


async def test_a_form_opened_later_says_what_the_owner_answered(stage: Stage) -> None:
    await told(stage)
    await answer_as_owner(stage, "owner_rotated")
    await stage.slack.close_view(ADMIN, stage.form(ADMIN).id)
    await stage.click(OWNER, "report_leak")
    form = stage.form(OWNER)
    assert "has been told, and says it is rotated" in plain(form.shown_text)
    assert form.control("tell_owner") is None


async def test_the_form_advises_to_report_first_where_abuse_is_suspected(stage: Stage) -> None:
    await add_owner(stage)
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    stage.github.set_public_leak(alert)
    await stage.work(within=3)
    await stage.click(ADMIN, "report_leak")
    assert "Report it first, and tell the owner afterwards" in plain(stage.form(ADMIN).shown_text)


async def test_the_message_follows_the_alert_to_its_end(stage: Stage) -> None:
    await told(stage)
    assert "octo-admin) is about to report it" in read(stage)
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert "octo-admin reported it to GitHub, which may revoke it at any moment." in read(stage)
    assert owner_message(stage).action_ids == ["owner_rotated", "owner_not_mine"]
    await stage.work(within=70)
    assert "it no longer works" in read(stage)
    assert owner_message(stage).action_ids == []
    await stage.close_as(ADMIN, "revoked")
    assert "The alert was closed as revoked." in read(stage)


async def test_a_close_on_github_ends_the_message_too(stage: Stage) -> None:
    await told(stage)
    alert = stage.github.alerts[stage.repository.id, 1]
    stage.github.close(alert, by=stage.people[OWNER], resolution="false_positive")
    await stage.work(within=5)
    assert "closed as false positive" in read(stage)
    assert owner_message(stage).action_ids == []


# Who is told


async def assert_nobody_is_told(stage: Stage, words: str) -> None:
    """The form says why, and a forged click sends nothing."""
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "report_leak")
    form = stage.form(ADMIN)
    assert words in plain(form.shown_text)
    assert form.control("tell_owner") is None
    await stage.slack.click_in_view(
        ADMIN, form.id, "tell_owner", value=f"{stage.repository.id}/1", force=True
    )
    await stage.work(within=3)
    assert stage.slack.private_messages(LEAKY) == []
    assert "The owner can't be told." in stage.answer_to(ADMIN)
    assert words in stage.answer_to(ADMIN)


@pytest.mark.parametrize(
    "outside",
    [{"is_restricted": True}, {"is_ultra_restricted": True}, {"deleted": True}, {"team_id": "T0OTHER"}],
)
async def test_guests_and_outsiders_are_never_told(stage: Stage, outside: dict[str, object]) -> None:
    stage.slack.workspace.add_team("T0OTHER")
    await add_owner(stage)
    stage.slack.workspace.change_user(LEAKY, **outside)
    await assert_nobody_is_told(stage, "so Stanch can't tell them")


async def test_nobody_is_told_while_slack_does_not_say_who_they_are(stage: Stage) -> None:
    await add_owner(stage)
    del stage.slack.workspace.users[LEAKY]
    await assert_nobody_is_told(stage, "so Stanch can't tell them")


async def test_a_link_by_the_directory_alone_is_not_told(stage: Stage) -> None:
    stage.slack.workspace.add_user(LEAKY, name="leaky")
    account = Account(GitHubId(stage.leaker.id), stage.leaker.login)
    team = SlackTeamId(stage.slack.team_id)
    weak = Identity(team, SlackUserId(LEAKY), account, "directory", stage.clock.now(), "directory")
    async with stage.context.db.begin() as tx:
        await identities.put(tx, weak)
    await assert_nobody_is_told(stage, "Nobody here is linked to leaky-dev")


# What the answers do


@pytest.mark.parametrize(
    ("button", "in_thread", "in_message"),
    [
        ("owner_rotated", "leaky-dev says it is rotated", "You said that you rotated it."),
        ("owner_not_mine", "leaky-dev says it is not theirs", "You said that it is not yours."),
        ("owner_wait", "leaky-dev asks to wait with the report", "You asked to wait with the report."),
    ],
)
async def test_an_answer_is_shown_and_changes_nothing_else(
    stage: Stage, button: str, in_thread: str, in_message: str
) -> None:
    await told(stage)
    number, card = len(stage.slack.thread(CHANNEL, stage.card().ts)), stage.read()
    await answer_as_owner(stage, button)
    assert in_thread in thread(stage)
    assert in_message in read(stage)
    assert len(stage.slack.thread(CHANNEL, stage.card().ts)) == number
    assert stage.read() == card, "it ticks nothing"
    assert await stage.audited(button) == [("done", None)]
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert len(stage.github.calls("POST", "/credentials/revoke")) == 1, "it holds nothing"


async def test_an_owner_who_asked_to_wait_can_still_say_that_it_is_rotated(stage: Stage) -> None:
    await told(stage)
    await answer_as_owner(stage, "owner_wait")
    assert owner_message(stage).action_ids == ["owner_rotated", "owner_not_mine"]
    await answer_as_owner(stage, "owner_rotated")
    assert owner_message(stage).action_ids == []
    assert thread(stage).index("asks to wait") < thread(stage).index("says it is rotated")


async def test_an_answer_is_recorded_while_github_is_down(stage: Stage) -> None:
    await told(stage)
    stage.github.faults.add(".*", status=503)
    await answer_as_owner(stage, "owner_rotated")
    assert "leaky-dev says it is rotated" in thread(stage)


async def test_an_answer_that_the_message_can_t_show_is_confirmed_by_another_one(stage: Stage) -> None:
    message = await told(stage)
    stage.slack.rate_limit("chat.update", retry_after=60, times=None)
    await stage.slack.click(LEAKY, message.channel, message.ts, "owner_rotated")
    await stage.work(within=3)
    assert "You said that you rotated it." in stage.answer_to(LEAKY)
    assert len(stage.slack.private_messages(LEAKY)) == 2


async def test_a_message_that_slack_no_longer_has_stops_nothing(stage: Stage) -> None:
    message = await told(stage)
    stage.slack.workspace.delete_message(message.channel, message.ts)
    await stage.close_as(ADMIN, "wont_fix")
    assert "Closed as won't fix" in thread(stage)


# Who may answer


async def refused(stage: Stage, user: str, message: SlackMessage, button: str = "owner_rotated") -> str:
    """What a person is told who presses a button of this state of the message."""
    await stage.slack.click(user, message.channel, message.ts, button, shown=message, force=True)
    await stage.work(within=3)
    return stage.answer_to(user)


async def test_another_person_s_click_is_refused_and_audited(stage: Stage) -> None:
    message = await told(stage)
    assert "for the person who was told" in await refused(stage, OWNER, message)
    assert "says" not in thread(stage)
    assert await stage.audited("owner_rotated") == [("refused", "not_the_owner")]


async def test_the_owner_of_one_alert_can_t_answer_for_another(stage: Stage) -> None:
    message = await told(stage)
    forged = f"{stage.repository.id}/2"
    stage.github.leak(stage.repository, secret_type="stripe_api_key")
    await stage.work(within=10)
    await stage.slack.click(LEAKY, message.channel, message.ts, "owner_rotated", value=forged, force=True)
    await stage.work(within=3)
    assert "for the person who was told" in stage.answer_to(LEAKY)


async def test_the_same_button_twice_answers_with_a_sentence(stage: Stage) -> None:
    message = await told(stage)
    await answer_as_owner(stage, "owner_rotated")
    assert "You have answered this already." in await refused(stage, LEAKY, message)
    assert thread(stage).count("says it is rotated") == 1


async def test_two_answers_at_once_are_one(stage: Stage) -> None:
    message = await told(stage)
    clicks = [
        stage.slack.click(LEAKY, message.channel, message.ts, button)
        for button in ("owner_rotated", "owner_not_mine")
    ]
    await asyncio.gather(*clicks)
    await stage.work(within=5)
    assert thread(stage).count("leaky-dev says") == 1


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("reported", "there is nothing to wait with"),
        ("confirmed", "The token no longer works"),
        ("closed", "This alert is closed"),
    ],
)
async def test_a_button_of_an_outdated_message_answers_with_a_sentence(
    stage: Stage, end: str, words: str
) -> None:
    message = await told(stage)
    if end == "closed":
        await stage.close_as(ADMIN, "wont_fix")
    else:
        await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
        await stage.work(within=70 if end == "confirmed" else 0)
    assert words in await refused(stage, LEAKY, message, "owner_wait")
    assert "asks to wait" not in thread(stage)


async def test_somebody_who_has_become_a_guest_can_t_answer(stage: Stage) -> None:
    message = await told(stage)
    stage.slack.workspace.change_user(LEAKY, is_restricted=True)
    assert "You can't use Stanch here." in await refused(stage, LEAKY, message)
    assert "says" not in thread(stage)


async def test_an_answer_waits_until_slack_says_who_it_is(stage: Stage) -> None:
    message = await told(stage)
    silent = stage.slack.fail("users.info", "internal_error", times=None)
    await stage.slack.click(LEAKY, message.channel, message.ts, "owner_rotated")
    await stage.work(within=3)
    assert "says" not in thread(stage)
    stage.slack.faults.remove(silent)
    await stage.work(within=10)
    assert "leaky-dev says it is rotated" in thread(stage)
    assert owner_message(stage).action_ids == []
