"""Windows and private answers while Slack or the database refuses one step: the person or the log is told."""

from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from storage import alerts
from storage.clock import Clock
from tests.flows.sign_in import Browser, button_address, identity_of, open_window, type_code
from tests.flows.stage import ADMIN, CHANNEL, UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database

NO_FORM = "Slack did not open the form, so nothing was done."


async def change(stage: Stage, statement: str) -> None:
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.text(statement))


def logged(lines: list[Any], event: str) -> list[str]:
    """The reasons of all lines of an event."""
    return [str(line["reason"]) for line in lines if line["event"] == event]


async def _break_slack(slack: SlackSandbox, github: GitHubSandbox) -> None:
    del github
    slack.fail("auth.test", "internal_error", times=None)


async def test_a_link_window_that_slack_does_not_open_is_told_privately(signed_in: Stage) -> None:
    signed_in.slack.fail("views.open", "expired_trigger_id")
    await signed_in.slack.command(UNLINKED, CHANNEL, "link")
    await signed_in.work()
    assert NO_FORM in signed_in.answer_to(UNLINKED)
    assert signed_in.slack.view(UNLINKED) is None
    await open_window(signed_in, UNLINKED)


async def test_a_link_window_whose_request_can_not_be_stored_is_not_opened(signed_in: Stage) -> None:
    await change(signed_in, "ALTER TABLE link_request RENAME TO gone")
    with capture_logs() as lines:
        await signed_in.slack.command(UNLINKED, CHANNEL, "link")
        await signed_in.work()
    await change(signed_in, "ALTER TABLE gone RENAME TO link_request")
    [reason] = logged(lines, "form_not_filled")
    assert "link_request" in reason
    assert signed_in.slack.calls("views.open") == []
    await open_window(signed_in, UNLINKED)


async def test_a_repeated_request_opens_one_window(signed_in: Stage) -> None:
    """Slack repeats what was not acknowledged in time."""
    asked = await signed_in.slack.command(UNLINKED, CHANNEL, "link")
    assert asked.request is not None
    assert (await signed_in.slack.resend(asked.request)).status == 200
    await signed_in.work()
    assert len(signed_in.slack.calls("views.open")) == 1
    await signed_in.leak()
    await signed_in.click(UNLINKED, "take")
    refused = signed_in.slack.private_messages(UNLINKED)[-1]
    pressed = await signed_in.slack.click(UNLINKED, CHANNEL, refused.ts, "offer_link")
    assert pressed.request is not None
    assert (await signed_in.slack.resend(pressed.request)).status == 200
    await signed_in.work()
    assert len(signed_in.slack.calls("views.open")) == 2
    picked = await signed_in.slack.click(ADMIN, CHANNEL, signed_in.card().ts, "report_leak")
    assert picked.request is not None
    assert (await signed_in.slack.resend(picked.request)).status == 200
    await signed_in.work(within=3)
    assert len(signed_in.slack.calls("views.open")) == 3


async def test_until_slack_says_which_workspace_this_is_nobody_is_linked(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Started during an outage of Slack's."""
    async with open_stage(database_url, clock, private_key, sign_in=True, prepare=_break_slack) as stage:
        await stage.slack.command(UNLINKED, CHANNEL, "link")
        await stage.work()
        assert "Slack" in stage.answer_to(UNLINKED)
        assert stage.slack.view(UNLINKED) is None
        await stage.slack.command(UNLINKED, CHANNEL, "whoami")
        await stage.work()
        assert len(stage.slack.private_messages(UNLINKED)) == 1, "the command waits"
        stage.slack.faults.clear()
        await stage.work(within=60)
        assert "Stanch doesn't know which GitHub account is yours." in stage.answer_to(UNLINKED)
        shown = await Browser(stage, stage.leaker).sign_in(button_address(await open_window(stage, UNLINKED)))
        await type_code(stage, UNLINKED, shown.code)
        assert await identity_of(stage, UNLINKED) is not None


async def test_until_slack_says_which_workspace_this_is_an_assignee_has_no_slack_user(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, prepare=_break_slack) as stage:
        stage.github.assign(stage.github.leak(stage.repository), stage.people[ADMIN])
        await stage.work(within=5)
        async with stage.context.db.read() as tx:
            [stored] = await alerts.open_alerts(tx, limit=2)
        assert stored.taken_by is not None
        assert (stored.taken_by.slack_user, stored.taken_by.github) == (None, stored.assigned_to)


async def test_a_form_whose_job_can_not_be_stored_is_logged(stage: Stage) -> None:
    """Slack shows the skeleton already, and the click was acknowledged."""
    await stage.leak()
    await change(stage, "ALTER TABLE job RENAME TO gone")
    with capture_logs() as lines:
        await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "report_leak")
        await stage.running.slack.forms.settle()
    await change(stage, "ALTER TABLE gone RENAME TO job")
    [reason] = logged(lines, "form_not_filled")
    assert "job" in reason
    await stage.click(ADMIN, "report_leak")
    assert stage.form(ADMIN).control("understood") is not None


async def test_at_the_stop_a_form_that_slack_opens_in_time_is_filled(stage: Stage) -> None:
    await stage.leak()
    stage.slack.faults.add("views.open", slow=0.1)
    await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "report_leak")
    with capture_logs() as lines:
        await stage.running.slack.forms.stop()
    assert logged(lines, "forms_given_up") == []
    await stage.work(within=3)
    assert stage.form(ADMIN).callback_id == "report_leak"
    assert stage.form(ADMIN).control("understood") is not None


async def test_an_answer_whose_response_url_slack_refuses_comes_as_an_ephemeral_message(stage: Stage) -> None:
    stage.slack.faults.add("response_url", status=404, body="used_url")
    await stage.slack.command(ADMIN, CHANNEL, "whoami octo/payments")
    await stage.work(within=3)
    said = stage.slack.private_messages(ADMIN)[-1]
    assert "octo-admin" in said.shown_text
    assert (said.channel, said.ephemeral_to) == (CHANNEL, ADMIN)


async def test_a_direct_answer_waits_as_long_as_slack_asks(stage: Stage) -> None:
    await stage.leak()
    members = stage.slack.workspace.channels[CHANNEL].members
    stage.slack.workspace.change_channel(CHANNEL, members=members - {ADMIN})
    stage.slack.rate_limit("chat.postMessage", retry_after=40)
    await stage.pick(ADMIN, "more", "history")
    await stage.work(within=30)
    assert stage.slack.private_messages(ADMIN) == []
    await stage.work(within=45)
    assert "Found by GitHub." in stage.answer_to(ADMIN)
