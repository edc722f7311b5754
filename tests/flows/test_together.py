"""Several people around one alert: who is on it, what is left to do, and what each may look up."""

import urllib.parse

import pytest

from integrations.sandbox.slack import SlackMessage
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage


def checklist(stage: Stage) -> SlackMessage:
    """The checklist in the only card's thread."""
    [found] = [m for m in stage.slack.thread(CHANNEL, stage.card().ts) if "next_steps" in m.action_ids]
    return found


@pytest.mark.either_database
async def test_im_on_it_is_shown_on_the_card_and_assigned_on_github(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "take")
    card = stage.card()
    assert f"On it: <@{ADMIN}> (octo-admin)" in card.shown_text.replace("*", "").replace("`", "")
    assert "take" not in card.action_ids
    assert alert.assigned_to is not None
    assert alert.assigned_to.login == "octo-admin"
    assert stage.slack.private_messages(ADMIN) == []
    assert card.text.endswith("octo-admin is on it.")


@pytest.mark.either_database
async def test_without_write_access_github_keeps_its_assignee(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click_privately(MANAGER, "take")
    assert f"<@{MANAGER}>" in stage.card().shown_text
    assert alert.assigned_to is None
    assert "write access" in stage.answer_markup(MANAGER)


@pytest.mark.either_database
async def test_stepping_back_gives_the_alert_free_again(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "take")
    await stage.pick(ADMIN, "more", "step_back")
    assert "nobody yet" in stage.card().shown_text
    assert "take" in stage.card().action_ids
    assert alert.assigned_to is None


@pytest.mark.either_database
async def test_an_assignment_on_github_is_shown_and_ends_there(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.assign(alert, stage.people[ADMIN], by=stage.people[OWNER])
    await stage.work(within=3)
    assert f"<@{ADMIN}>" in stage.card().shown_text
    stage.github.unassign(alert, by=stage.people[OWNER])
    await stage.work(within=3)
    assert "nobody yet" in stage.card().shown_text


async def test_two_peoples_ticks_do_not_undo_each_other(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    shown = checklist(stage)
    await stage.slack.tick(ADMIN, CHANNEL, shown.ts, "next_steps", "rotated", shown=shown)
    await stage.slack.tick(OWNER, CHANNEL, shown.ts, "next_steps", "logs", shown=shown)
    await stage.work(within=3)
    control = checklist(stage).control("next_steps")
    assert control is not None
    assert {option["value"] for option in control["initial_options"]} == {"rotated", "logs"}
    assert "2 of 3 done" in stage.card().shown_text
    assert "octo-owner" in checklist(stage).shown_text


@pytest.mark.either_database
async def test_a_tick_is_taken_back(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    for _ in range(2):
        await stage.slack.tick(ADMIN, CHANNEL, checklist(stage).ts, "next_steps", "rotated")
        await stage.work(within=3)
    assert "0 of 3 done" in stage.card().shown_text


@pytest.mark.either_database
async def test_an_owner_finds_the_uses_of_the_token_and_others_ask_one(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    thread = checklist(stage)
    await stage.slack.click(OWNER, CHANNEL, thread.ts, "token_uses")
    await stage.slack.click(ADMIN, CHANNEL, thread.ts, "token_uses")
    await stage.work(within=3)
    assert 'hashed_token:"' in stage.answer_markup(OWNER)
    assert "/organizations/octo/settings/audit-log" in urllib.parse.unquote(stage.answer_markup(OWNER))
    assert "octo-owner can." in stage.answer_markup(ADMIN)
    assert "hashed_token" not in stage.answer_markup(ADMIN)


@pytest.mark.either_database
async def test_locations_and_history_are_shown_privately(stage: Stage) -> None:
    alert = await stage.leak(path="config/deploy.env")
    stage.github.add_location(alert, path="src/old.py", start_line=7, end_line=7)
    await stage.work(within=3)
    await stage.pick(ADMIN, "more", "locations")
    assert "Found at 2 locations" in stage.answer_markup(ADMIN)
    assert "src/old.py" in stage.answer_markup(ADMIN)
    await stage.click(ADMIN, "take")
    await stage.pick(ADMIN, "more", "history")
    assert "is on it" in stage.answer_markup(ADMIN)
    await stage.pick(READER, "more", "history")
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in stage.answer_markup(READER)


@pytest.mark.either_database
async def test_closed_as_false_positive_leaves_nothing_to_do(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    await stage.close_as(ADMIN, "false_positive")
    replies = " ".join(reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts))
    assert "Nothing is left to do" in replies
    assert "of 3 done" not in stage.card().shown_text
