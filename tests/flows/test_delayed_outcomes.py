"""Accepted work ends in an answer: reports that wait, forms that open late, messages to a token's owner."""

import asyncio

import pytest

from bot.job_kinds import PerformAction
from bot.job_rows import read_job
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import LEASE, Worker
from bot.views.refusals import internal_error
from integrations.sandbox.github import GitHubAlert
from storage import alerts, job_queue, jobs
from storage.records import JobState
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage, key_of

pytestmark = pytest.mark.either_database

REVOKE = "/credentials/revoke"
LEAKY = "U0LEAKY"


async def wait_for_quota(stage: Stage) -> None:
    """Request a report that GitHub accepts only in ten minutes."""
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await stage.report(ADMIN)
    assert "will be sent" in stage.read()


async def open_report_form(stage: Stage) -> GitHubAlert:
    """Open the form for a token whose owner is linked, so that it offers to tell them."""
    alert = await stage.leak()
    stage.slack.workspace.add_user(LEAKY, name="leaky")
    await stage.link(LEAKY, stage.leaker)
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "report_leak")
    return alert


async def tell_owner(stage: Stage) -> None:
    await stage.slack.click_in_view(ADMIN, stage.form(ADMIN).id, "tell_owner", force=True)
    await stage.work(within=3)


@pytest.mark.parametrize("down", ["GET /app|POST /app/.*|GET /repos/.*", "GET /repos/.*/alerts/.*"])
async def test_a_delayed_report_is_made_after_an_outage(stage: Stage, down: str) -> None:
    await wait_for_quota(stage)
    outage = stage.github.faults.add(down, status=503)
    await stage.work(within=900)
    assert "nothing was done" not in stage.answer_to(ADMIN)
    stage.github.faults.remove(outage)
    await stage.work(within=1800)
    assert "reported and confirmed inactive" in stage.read()


async def test_a_delayed_report_is_made_once_slack_answers_about_the_person(stage: Stage) -> None:
    await wait_for_quota(stage)
    stage.slack.faults.add("users.info", times=2, status=503)
    await stage.work(within=1800)
    assert "reported and confirmed inactive" in stage.read()


async def test_a_delayed_report_that_is_refused_releases_the_alert(stage: Stage) -> None:
    """GitHub refuses for a lasting reason, and somebody may report again."""
    await wait_for_quota(stage)
    refusing = stage.github.faults.add("GET /repos/.*/alerts/.*", status=403, body={"message": "No."})
    await stage.work(within=700)
    stage.github.faults.remove(refusing)
    assert "report_leak" in stage.card().action_ids
    await stage.report(ADMIN)
    assert "reported to GitHub" in stage.read()


async def test_an_action_that_is_given_up_is_audited_as_failed(stage: Stage) -> None:
    """Each try fails by a mistake of ours; nothing is left waiting."""
    await wait_for_quota(stage)
    stage.clock.advance(601)
    [job] = await job_queue.claim(stage.context.db, "w", 9, LEASE)
    gave_up = HANDLERS[PerformAction].gave_up
    assert gave_up is not None
    await gave_up(stage.context, read_job(job), job, internal_error("c0ffee"))
    await stage.work(within=3)
    assert "Something went wrong in Stanch." in stage.answer_to(ADMIN)
    assert (await stage.audited("report_leak"))[-1] == ("failed", "mistake")
    assert "report_leak" in stage.card().action_ids


async def test_a_second_click_adds_nothing_to_the_timeline(stage: Stage) -> None:
    await stage.leak()
    ts = stage.card().ts
    for _ in range(2):
        await stage.slack.click(ADMIN, CHANNEL, ts, "take")
    await stage.work(within=30)
    await stage.pick(ADMIN, "more", "history")
    assert stage.answer_to(ADMIN).count("is on it") == 1
    # The first one changes the card; the second one changes nothing, so it is answered.
    told = [message.shown_text for message in stage.slack.private_messages(ADMIN)]
    assert sum("You are on it." in words for words in told) == 1


async def test_the_owner_of_a_token_is_told_once(stage: Stage) -> None:
    await open_report_form(stage)
    view = stage.form(ADMIN)
    for _ in range(2):
        await stage.slack.click_in_view(ADMIN, view.id, "tell_owner", force=True)
    await stage.work(within=3)
    assert len(stage.slack.private_messages(LEAKY)) == 1
    assert "has been told" in stage.form(ADMIN).shown_text


async def test_the_owner_is_not_told_of_a_refused_report(stage: Stage) -> None:
    alert = await open_report_form(stage)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await tell_owner(stage)
    assert stage.slack.private_messages(LEAKY) == []
    assert "This alert is closed already." in stage.answer_to(ADMIN)


async def test_an_owner_whom_slack_can_t_reach_is_not_shown_as_told(stage: Stage) -> None:
    await open_report_form(stage)
    stage.slack.fail("conversations.open", "user_disabled")
    await tell_owner(stage)
    assert "The owner could not be told." in stage.answer_to(ADMIN)
    await tell_owner(stage)
    assert len(stage.slack.private_messages(LEAKY)) == 1


async def test_a_lost_answer_causes_no_second_message_to_the_owner(stage: Stage) -> None:
    await open_report_form(stage)
    stage.slack.faults.add("chat.postMessage", times=1, drop="after")
    await tell_owner(stage)
    await stage.work(within=60)
    assert len(stage.slack.private_messages(LEAKY)) == 1
    assert "It is not known whether the owner got the message." in stage.answer_to(ADMIN)


async def test_a_crash_after_the_message_to_the_owner_causes_no_second_one(stage: Stage) -> None:
    """The process ended when its job had claimed the alert, and perhaps sent the message."""
    alert = await open_report_form(stage)
    await stage.slack.click_in_view(ADMIN, stage.form(ADMIN).id, "tell_owner", force=True)
    async with stage.context.db.begin() as tx:
        [job] = [one for one in await jobs.list_jobs(tx, states=[JobState.READY]) if one.kind == "act"]
        await alerts.claim(tx, key_of(alert), "tell_owner", job.id)
    await stage.work(within=3)
    assert stage.slack.private_messages(LEAKY) == []
    assert "It is not known whether the owner got the message." in stage.answer_to(ADMIN)
    await tell_owner(stage)
    assert len(stage.slack.private_messages(LEAKY)) == 1


@pytest.mark.parametrize("menu", [False, True])
async def test_a_click_whose_form_slack_does_not_open_gets_an_answer(stage: Stage, menu: bool) -> None:
    await stage.leak()
    drawn = stage.card().blocks
    stage.slack.fail("views.open", "expired_trigger_id")
    if menu:
        await stage.pick(ADMIN, "close_as", "revoked")
        assert stage.card().blocks != drawn, "the menu would keep what was picked"
    else:
        await stage.click(ADMIN, "report_leak")
    assert "Slack did not open the form" in stage.answer_to(ADMIN)


async def test_a_form_that_slack_refused_is_shown_at_the_next_try(stage: Stage) -> None:
    await stage.leak()
    stage.slack.rate_limit("views.update", retry_after=1, times=1)
    await stage.click(ADMIN, "report_leak")
    await stage.work(within=10)
    assert "It can't be undone." in stage.form(ADMIN).shown_text


async def test_a_filled_form_is_not_filled_again(stage: Stage) -> None:
    """Slack's answer was lost; a second try would delete what was typed meanwhile."""
    await stage.leak()
    stage.slack.faults.add("views.update", drop="after", times=1)
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "report_leak")
    await stage.work()
    shown = stage.form(ADMIN)
    assert "It can't be undone." in shown.shown_text
    await stage.work(within=30)
    assert stage.slack.calls("views.update")[1:] != []
    assert stage.form(ADMIN).hash == shown.hash


async def test_the_new_owner_of_a_repository_name_sees_no_history(stage: Stage) -> None:
    """Also within an organization: the admin of the new repository is none of the old one."""
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    taken = stage.github.squat("octo/payments")
    stage.github.add_collaborator(taken, stage.people[READER], "admin")
    await stage.slack.select(READER, CHANNEL, stage.card().ts, "more", "history")
    await stage.work(within=3)
    assert "GitHub doesn't let octo-reader see the alerts of octo/billing." in stage.answer_to(READER)
    await stage.click(READER, "check_validity", value=str(key_of(alert)))
    assert "GitHub doesn't let octo-reader see the alerts of octo/billing." in stage.answer_to(READER)
    await stage.slack.select(MANAGER, CHANNEL, stage.card().ts, "more", "history")
    await stage.work(within=3)
    assert "Found by GitHub." in stage.answer_to(MANAGER)


async def test_two_workers_post_one_message_once(stage: Stage) -> None:
    """A suspended worker may resume beside the one that took its job over."""
    stage.github.leak(stage.repository, token=stage.live_token())
    held = stage.slack.faults.gate("conversations.info", at="before", times=1)
    await stage.github.settle()
    working = asyncio.create_task(stage.work(within=10))
    await held.reached()
    stage.clock.advance(LEASE + 1)
    await job_queue.recover(stage.context.db, max_attempts=12)
    await Worker(stage.context, HANDLERS).run_due()
    held.open()
    await working
    assert len(stage.slack.cards(CHANNEL)) == 1
