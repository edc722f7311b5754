"""Hand over: the rights on GitHub that follow from it, and the message to the receiver."""

from typing import Any

import pytest

from bot.cli.subscriptions import add_subscription
from bot.flows.alerts.sync import sync_all
from integrations.sandbox.github import GitHubAlert
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage, plain
from tests.flows.test_roles import SOMEBODY, custom_role, somebody
from tests.flows.test_taken_alerts import RESOLVE, VIEW, replies, take, writes

pytestmark = pytest.mark.either_database

GRANT = "GitHub will let octo-reader see and resolve this alert."
TOLD = "An alert was handed over to you."
DOWN = {"status": 503}


async def open_form(stage: Stage, giver: str) -> None:
    await stage.pick(giver, "more", "hand_over")


async def choose(stage: Stage, giver: str, receiver: str) -> str:
    """Pick somebody in the form; returns what the form says then."""
    await stage.slack.select_in_view(giver, stage.form(giver).id, "receiver", receiver)
    await stage.work(within=3)
    return plain(stage.form(giver).shown_text)


async def hand_over(stage: Stage, giver: str, receiver: str) -> str:
    """Hand the only alert over; returns what the form had said."""
    await open_form(stage, giver)
    said = await choose(stage, giver, receiver)
    result = await stage.submit(giver)
    assert result.view_errors == {}
    await stage.work(within=10)
    return said


def told(stage: Stage, user: str) -> list[str]:
    """The direct messages to a user, without markup."""
    direct = [m for m in stage.slack.private_messages(user) if m.ephemeral_to is None]
    return [plain(message.shown_text) for message in direct]


def let_write(stage: Stage, user: str = READER) -> None:
    """Write access alone shows nobody an alert."""
    stage.github.add_collaborator(stage.repository, stage.people[user], "write")


async def closes(stage: Stage, user: str) -> bool:
    """Whether somebody gets the form to close the only alert."""
    await stage.pick(user, "close_as", "revoked")
    allowed = "resolution" in stage.form(user).action_ids
    await stage.slack.close_view(user, stage.form(user).id)
    return allowed


async def test_an_admin_hands_over_to_somebody_without_a_role_and_says_what_that_grants(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await take(stage, ADMIN)
    assert alert.assigned_to is stage.people[ADMIN]
    said = await hand_over(stage, ADMIN, READER)
    assert GRANT in said
    assert f"On it: <@{READER}> (octo-reader)" in stage.read()
    assert alert.assigned_to is stage.people[READER]
    assert writes(stage) == ["octo-admin", None, "octo-reader"]
    assert await stage.audited("hand_over") == [
        ("intended", None),
        ("done", "to octo-reader, granted"),
    ]
    assert await stage.audited("assign") == [("done", "taken"), ("done", "granted")]
    assert await stage.audited("unassign") == [("done", "handed_over")]
    assert await closes(stage, READER)


async def test_the_receiver_is_told_with_a_link_to_the_card(stage: Stage) -> None:
    let_write(stage)
    await stage.leak()
    await hand_over(stage, ADMIN, READER)
    [message] = told(stage, READER)
    assert TOLD in message
    assert "octo/payments" in message
    assert f"By <@{ADMIN}> (octo-admin)." in message
    assert "GitHub lets you see and resolve it as its assignee." in message
    address = f"/archives/{CHANNEL}/p{stage.card().ts.replace('.', '')}"
    assert address in stage.answer_markup(READER)
    assert stage.answer_to(ADMIN) == "", "the card shows it where the click was"


async def test_the_history_shows_who_handed_it_over(stage: Stage) -> None:
    let_write(stage)
    await stage.leak()
    await hand_over(stage, ADMIN, READER)
    await stage.pick(ADMIN, "more", "history")
    history = stage.answer_to(ADMIN)
    assert "octo-admin handed it over to octo-reader." in history
    assert "GitHub lets them see and resolve it as the assignee." in history
    assert "handed" not in replies(stage)


async def test_an_admin_hands_over_to_somebody_who_may_resolve_anyway(stage: Stage) -> None:
    alert = await stage.leak()
    said = await hand_over(stage, ADMIN, OWNER)
    assert "GitHub will show octo-owner as the assignee." in said
    assert alert.assigned_to is stage.people[OWNER]
    assert await stage.audited("assign") == [("done", "taken")]


async def test_a_manager_without_write_access_is_not_assigned(stage: Stage) -> None:
    alert = await stage.leak()
    said = await hand_over(stage, ADMIN, MANAGER)
    assert "GitHub will not show octo-sec as the assignee." in said
    assert f"<@{MANAGER}>" in stage.read()
    assert alert.assigned_to is None
    assert writes(stage) == []


async def test_somebody_who_may_only_view_hands_over_and_nothing_is_written_to_github(stage: Stage) -> None:
    """Not even later, though the receiver may resolve the alert and would be assigned after taking it."""
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    alert = await stage.leak()
    await take(stage, SOMEBODY)
    said = await hand_over(stage, SOMEBODY, ADMIN)
    assert "Nothing is written to GitHub" in said
    assert f"On it: <@{ADMIN}>" in stage.read()
    [message] = told(stage, ADMIN)
    assert "octo/payments" in message
    stage.github.add_collaborator(stage.repository, user, "read")
    await sync_all(stage.context)
    await stage.work(within=30)
    assert alert.assigned_to is None
    assert writes(stage) == []


async def test_somebody_who_may_only_view_can_t_show_it_to_others(stage: Stage) -> None:
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    await open_form(stage, SOMEBODY)
    said = await choose(stage, SOMEBODY, READER)
    assert "GitHub doesn't let octo-reader see this alert." in said
    result = await stage.submit(SOMEBODY)
    assert "Only a person who may resolve it by role" in result.view_errors["receiver"]
    assert "nobody yet" in stage.read()
    assert ("refused", "receiver_no_view") in await stage.audited("hand_over")


async def test_the_right_of_an_assignee_can_t_be_passed_on(stage: Stage) -> None:
    """They may resolve the alert by the assignment alone."""
    let_write(stage)
    user = await somebody(stage)
    stage.github.add_collaborator(stage.repository, user, "write")
    await stage.leak()
    await hand_over(stage, ADMIN, READER)
    await open_form(stage, READER)
    assert "GitHub doesn't let somebody see this alert." in await choose(stage, READER, SOMEBODY)
    result = await stage.submit(READER)
    assert set(result.view_errors) == {"receiver"}


async def test_a_granted_right_ends_when_the_receiver_steps_back(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await hand_over(stage, ADMIN, READER)
    await stage.pick(READER, "more", "step_back")
    await stage.work(within=10)
    assert alert.assigned_to is None
    assert not await closes(stage, READER)
    assert ("done", "stepped_back") in await stage.audited("unassign")


async def test_a_granted_right_ends_when_the_alert_is_handed_on(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await hand_over(stage, ADMIN, READER)
    await hand_over(stage, READER, OWNER)
    assert f"<@{OWNER}>" in stage.read()
    assert alert.assigned_to is None
    assert not await closes(stage, READER)


async def test_a_granted_right_that_is_taken_away_on_github_is_not_given_again(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await hand_over(stage, ADMIN, READER)
    stage.github.unassign(alert, by=stage.people[OWNER])
    await stage.work(within=10)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert alert.assigned_to is None
    assert "nobody yet" in stage.read()
    assert not await closes(stage, READER)


async def test_a_grant_stays_while_the_sync_checks_who_is_on_alerts(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await hand_over(stage, ADMIN, READER)
    stage.clock.advance(3600)
    await sync_all(stage.context)
    await stage.work(within=30)
    assert alert.assigned_to is stage.people[READER]
    assert f"<@{READER}>" in stage.read()


@pytest.mark.parametrize("status", [403, 422])
async def test_an_alert_is_released_if_github_refuses_the_assignment_that_shows_it(
    stage: Stage, status: int
) -> None:
    let_write(stage)
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", status=status, body={"message": "No."}, times=1)
    await hand_over(stage, ADMIN, READER)
    assert alert.assigned_to is None
    assert "nobody yet" in stage.read()
    assert "GitHub did not take them as the assignee" in replies(stage)
    assert await stage.audited("assign") == [("failed", "granted: No.")]
    assert await stage.audited("release") == [("done", "not_assigned")]


async def test_somebody_without_write_access_can_t_be_given_the_right(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    assert "GitHub takes only people with write access" in await choose(stage, ADMIN, READER)
    result = await stage.submit(ADMIN)
    assert set(result.view_errors) == {"receiver"}
    assert "nobody yet" in stage.read()


async def test_an_assignee_set_on_github_stays_and_grants_to_nobody_else(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    stage.github.assign(alert, stage.leaker)
    await stage.work(within=5)
    await open_form(stage, ADMIN)
    assert "somebody else is the assignee on GitHub" in await choose(stage, ADMIN, READER)
    await stage.submit(ADMIN)
    said = await hand_over(stage, ADMIN, OWNER)
    assert "GitHub will not show octo-owner as the assignee." in said
    assert alert.assigned_to is stage.leaker
    assert f"On it: <@{OWNER}> (octo-owner); GitHub's assignee is leaky-dev" in stage.read()


async def down(stage: Stage, alert: GitHubAlert) -> Any:
    del alert
    return stage.github.faults.add(".*", status=503)


async def test_an_alert_is_handed_over_while_github_is_down(stage: Stage) -> None:
    """On the cards at once, on GitHub when it is back. The message tells nothing of an alert until then."""
    alert = await stage.leak()
    await take(stage, ADMIN)
    rule = await down(stage, alert)
    said = await hand_over(stage, ADMIN, OWNER)
    assert "GitHub does not answer now" in said
    assert f"<@{OWNER}>" in stage.read()
    [message] = told(stage, OWNER)
    assert TOLD in message
    assert "octo/payments" not in message
    stage.github.faults.remove(rule)
    await stage.work(within=900)
    assert alert.assigned_to is stage.people[OWNER]
    assert writes(stage) == ["octo-admin", None, "octo-owner"]


async def test_nothing_is_granted_by_a_hand_over_while_github_is_down(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await take(stage, ADMIN)
    rule = await down(stage, alert)
    await hand_over(stage, ADMIN, READER)
    assert f"<@{READER}>" in stage.read()
    stage.github.faults.remove(rule)
    await stage.work(within=900)
    assert "nobody yet" in stage.read()
    assert alert.assigned_to is None
    assert "octo-reader" not in writes(stage)


async def test_a_custom_role_that_may_resolve_grants_too(stage: Stage) -> None:
    let_write(stage)
    user = await somebody(stage)
    custom_role(RESOLVE)(stage, user)
    alert = await stage.leak()
    assert GRANT in await hand_over(stage, SOMEBODY, READER)
    assert alert.assigned_to is stage.people[READER]


async def test_a_hand_over_from_a_thread_is_linked_to_the_card(stage: Stage) -> None:
    """Where the click was in no card, the message links to the alert's first card."""
    await stage.leak()
    await stage.type(ADMIN, f"show {stage.repository.full_name}#1")
    private = stage.slack.private_messages(ADMIN)[-1]
    await stage.slack.select(ADMIN, CHANNEL, private.ts, "more", "hand_over")
    await stage.work(within=3)
    await choose(stage, ADMIN, OWNER)
    await stage.submit(ADMIN)
    await stage.work(within=10)
    assert f"/archives/{CHANNEL}/p{stage.card().ts.replace('.', '')}" in stage.answer_markup(OWNER)


async def test_a_receiver_who_takes_no_messages_is_on_it_all_the_same(stage: Stage) -> None:
    await stage.leak()
    stage.slack.fail("chat.getPermalink", "message_not_found")
    stage.slack.fail("conversations.open", "user_disabled")
    await hand_over(stage, ADMIN, OWNER)
    assert f"<@{OWNER}>" in stage.read()


async def test_the_receiver_is_told_nothing_if_somebody_else_is_on_it_meanwhile(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, OWNER)
    stage.slack.fail("chat.getPermalink", "fatal_error", times=2)
    await stage.submit(ADMIN)
    await stage.pick(ADMIN, "more", "step_back")
    await stage.work(within=900)
    assert told(stage, OWNER) == []


async def test_the_receiver_is_told_nothing_if_it_was_handed_on_meanwhile(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, OWNER)
    stage.slack.fail("chat.getPermalink", "fatal_error", times=8)
    await stage.submit(ADMIN)
    await hand_over(stage, ADMIN, MANAGER)
    await stage.work(within=900)
    assert told(stage, OWNER) == []
    assert len(told(stage, MANAGER)) == 1


async def test_a_hand_over_is_linked_to_the_card_that_slack_has(stage: Stage) -> None:
    """The channel of the alert's first card is archived; the default channel shows it."""
    stage.slack.workspace.add_channel("C0WEB", name="web", members=[ADMIN, OWNER])
    await add_subscription(stage.context.db, "C0WEB", [""])
    stage.slack.workspace.change_channel("C0WEB", is_archived=True)
    stage.slack.workspace.add_channel("C0TALK", name="talk", members=[ADMIN, OWNER])
    await stage.leak()
    assert stage.slack.cards("C0WEB") == []
    await stage.slack.command(ADMIN, "C0TALK", f"show {stage.repository.full_name}#1")
    await stage.work(within=3)
    private = stage.slack.private_messages(ADMIN)[-1]
    await stage.slack.select(ADMIN, "C0TALK", private.ts, "more", "hand_over")
    await stage.work(within=3)
    await choose(stage, ADMIN, OWNER)
    await stage.submit(ADMIN)
    await stage.work(within=10)
    assert TOLD in stage.answer_to(OWNER)
    [shown] = [one for one in stage.slack.channel_messages(CHANNEL) if "octo/payments" in one.shown_text]
    assert f"/archives/{CHANNEL}/p{shown.ts.replace('.', '')}" in stage.answer_markup(OWNER)
