"""Taken alerts: shown on cards, assigned on GitHub where its rules allow it, released when access ends."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.flows.alerts.sync import sync_all
from bot.flows.alerts.taken_alerts import check_holders
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage, key_of
from tests.flows.test_identity_sources import account_of, sign_in
from tests.flows.test_roles import SOMEBODY, custom_role, organization, somebody

pytestmark = pytest.mark.either_database

PATCH = r"/repos/.*/secret-scanning/alerts/\d+"
RESOLVE = "resolve_secret_scanning_alerts"
VIEW = "view_secret_scanning_alerts"


def writes(stage: Stage) -> list[object]:
    """The values that GitHub's assignee was set to, in order."""
    calls = stage.github.calls("PATCH", PATCH)
    return [
        call.body["assignee"] for call in calls if isinstance(call.body, dict) and "assignee" in call.body
    ]


def replies(stage: Stage) -> str:
    return " ".join(reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts))


async def take(stage: Stage, user: str) -> None:
    await stage.click(user, "take")
    await stage.work(within=10)


async def test_an_assignee_set_by_somebody_else_stays(stage: Stage) -> None:
    """Neither taking nor stepping back changes it; the card shows both people."""
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.assign(alert, stage.leaker)
    await take(stage, ADMIN)
    assert alert.assigned_to is stage.leaker
    assert f"On it: <@{ADMIN}> (octo-admin); GitHub's assignee is leaky-dev" in stage.read()
    await stage.pick(ADMIN, "more", "step_back")
    await stage.work(within=10)
    assert alert.assigned_to is stage.leaker
    assert writes(stage) == []


async def test_an_assignment_on_github_does_not_release_the_alert(stage: Stage) -> None:
    alert = await stage.leak()
    await take(stage, MANAGER)
    stage.github.assign(alert, stage.people[ADMIN], by=stage.people[OWNER])
    await stage.work(within=5)
    assert f"On it: <@{MANAGER}> (octo-sec); GitHub's assignee is octo-admin" in stage.read()
    await stage.pick(MANAGER, "more", "step_back")
    await stage.work(within=5)
    assert alert.assigned_to is stage.people[ADMIN]
    assert writes(stage) == []


@pytest.mark.parametrize(
    ("permission", "base", "assigned"), [(RESOLVE, "write", True), (VIEW, "write", False)]
)
async def test_only_people_who_may_resolve_by_role_are_assigned(
    stage: Stage, permission: str, base: str, assigned: bool
) -> None:
    """GitHub would assign both, and so give the second one a right that they lack."""
    user = await somebody(stage)
    custom_role(permission)(stage, user)
    organization(stage).custom_repository_roles[-1].base_role = base
    alert = await stage.leak()
    await take(stage, SOMEBODY)
    assert f"<@{SOMEBODY}>" in stage.card().shown_text
    assert (alert.assigned_to is user) is assigned
    assert len(writes(stage)) == assigned


@pytest.mark.parametrize("status", [403, 422])
async def test_a_refused_assignment_does_not_release_the_alert(stage: Stage, status: int) -> None:
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", status=status, body={"message": "No."}, times=1)
    await take(stage, ADMIN)
    assert f"<@{ADMIN}>" in stage.card().shown_text
    assert alert.assigned_to is None
    assert await stage.audited("assign") == [("failed", "taken: No.")]
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.assigned_by_us is None


async def test_our_assignment_is_taken_back_when_the_role_is_lost(stage: Stage) -> None:
    """They may still view the alert, so they stay on it. A webhook reports the loss."""
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    stage.github.add_collaborator(stage.repository, user, "admin")
    alert = await stage.leak()
    await take(stage, SOMEBODY)
    stage.github.add_collaborator(stage.repository, user, "triager")
    await stage.work(within=5)
    assert alert.assigned_to is None
    assert f"<@{SOMEBODY}>" in stage.card().shown_text
    assert await stage.audited("unassign") == [("done", "role_lost")]
    assert writes(stage) == ["somebody", None]


async def test_a_role_lost_without_a_webhook_is_found_by_the_sync(stage: Stage) -> None:
    alert = await stage.leak()
    await take(stage, ADMIN)
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    await stage.pick(ADMIN, "close_as", "revoked")
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.form(ADMIN).shown_text, (
        "our own assignment gives no right"
    )
    await sync_all(stage.context)
    await stage.work(within=10)
    assert alert.assigned_to is None
    assert "nobody yet" in stage.card().shown_text
    assert "is no longer on it: GitHub does not let them see this alert." in replies(stage)
    assert await stage.audited("release") == [("done", "no_view")]


async def test_a_refused_removal_of_the_assignee_is_retried(stage: Stage) -> None:
    alert = await stage.leak()
    await take(stage, ADMIN)
    rule = stage.github.faults.add("PATCH .*", status=403, body={"message": "No."})
    await stage.pick(ADMIN, "more", "step_back")
    await stage.work(within=10)
    assert alert.assigned_to is not None
    assert ("failed", "stepped_back: No.") in await stage.audited("unassign")
    stage.github.faults.remove(rule)
    stage.clock.advance(3600)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert alert.assigned_to is None


async def test_an_alert_is_released_when_its_holder_is_deactivated_in_slack(stage: Stage) -> None:
    alert = await stage.leak()
    await take(stage, ADMIN)
    stage.slack.workspace.change_user(ADMIN, deleted=True)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert "nobody yet" in stage.card().shown_text
    assert "is no longer on it: their Slack account is deactivated." in replies(stage)
    assert alert.assigned_to is None


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": "before"}])
async def test_taking_and_stepping_back_work_while_github_is_down(
    stage: Stage, fault: dict[str, Any]
) -> None:
    alert = await stage.leak()
    rule = stage.github.faults.add(".*", **fault)
    await stage.click(ADMIN, "take")
    assert f"<@{ADMIN}>" in stage.card().shown_text
    assert "GitHub does not answer now" in stage.answer_to(ADMIN)
    await stage.pick(ADMIN, "more", "step_back")
    assert "nobody yet" in stage.card().shown_text
    await stage.click(ADMIN, "take")
    assert f"<@{ADMIN}>" in stage.card().shown_text
    stage.github.faults.remove(rule)
    await stage.work(within=900)
    assert alert.assigned_to is stage.people[ADMIN]
    assert writes(stage) == ["octo-admin"]
    assert f"<@{ADMIN}>" in stage.card().shown_text


async def test_an_alert_taken_during_an_outage_by_somebody_without_access_is_released(stage: Stage) -> None:
    alert = await stage.leak()
    rule = stage.github.faults.add(".*", status=503)
    await stage.click(READER, "take")
    assert f"<@{READER}>" in stage.card().shown_text
    stage.github.faults.remove(rule)
    await stage.work(within=900)
    assert "nobody yet" in stage.card().shown_text
    assert "GitHub does not let them see this alert" in replies(stage)
    assert alert.assigned_to is None
    assert writes(stage) == []


async def test_somebody_without_access_takes_nothing_during_an_outage(stage: Stage) -> None:
    await stage.leak()
    await stage.click(READER, "check_validity")
    stage.github.faults.add(".*", status=503)
    await stage.click(READER, "take")
    assert "nobody yet" in stage.card().shown_text
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in stage.answer_to(READER)


async def test_an_assignment_whose_answer_was_lost_is_taken_back(stage: Stage) -> None:
    """GitHub assigned and its answer was lost; stepping back still removes the assignee."""
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", drop="after", times=1)
    await stage.click(ADMIN, "take")
    await stage.work(within=60)
    assert alert.assigned_to is stage.people[ADMIN]
    assert writes(stage) == ["octo-admin"]
    await stage.pick(ADMIN, "more", "step_back")
    await stage.work(within=10)
    assert alert.assigned_to is None


async def test_a_login_that_changed_hands_is_not_assigned(stage: Stage) -> None:
    """The account was renamed, and a stranger with write access has its old login."""
    alert = await stage.leak()
    rule = stage.github.faults.add(".*", status=503)
    await stage.click(ADMIN, "take")
    stage.github.rename_account(stage.people[ADMIN], "octo-boss")
    stranger = stage.github.add_user("octo-admin")
    stage.github.add_collaborator(stage.repository, stranger, "write")
    stage.github.faults.remove(rule)
    await stage.work(within=900)
    assert alert.assigned_to is stage.people[ADMIN]
    assert writes(stage) == ["octo-boss"]


async def suspend(stage: Stage) -> None:
    """Another Slack user signs in to the holder's account."""
    stage.slack.workspace.add_user("U0EVE", name="Eve")
    await sign_in(stage, "U0EVE", account_of(stage.people[ADMIN]))


async def unlink(stage: Stage) -> None:
    await stage.type(ADMIN, "unlink")


@pytest.mark.either_database
@pytest.mark.parametrize(
    ("end", "words"),
    [(suspend, "their link to their GitHub account is suspended"), (unlink, "they are not linked to that")],
)
async def test_whose_link_ends_is_taken_off_the_alert(
    stage: Stage, end: Callable[[Stage], Awaitable[None]], words: str
) -> None:
    """They could not even step back; GitHub's assignee, which Stanch had set, goes too."""
    await stage.leak()
    await take(stage, ADMIN)
    await end(stage)
    await stage.work(within=10)
    assert "nobody yet" in stage.card().shown_text
    assert words in replies(stage)
    assert writes(stage) == ["octo-admin", None]
    assert [outcome for outcome, _ in await stage.audited("release")] == ["done"]


async def test_while_slack_does_not_say_who_they_are_nobody_is_released(stage: Stage) -> None:
    await stage.leak()
    await take(stage, ADMIN)
    stage.slack.workspace.change_user(ADMIN, deleted=True)
    down = stage.slack.faults.add("users.info", status=503)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert f"<@{ADMIN}>" in stage.read()
    stage.slack.faults.remove(down)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert "nobody yet" in stage.read()


@pytest.mark.parametrize("status", [403, 404])
async def test_while_github_does_not_show_the_alert_nobody_is_released(stage: Stage, status: int) -> None:
    await stage.leak()
    await take(stage, ADMIN)
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    hidden = stage.github.faults.add(r"GET /repos/.*/secret-scanning/alerts/\d+", status=status)
    with capture_logs() as logged:
        await sync_all(stage.context)
        await stage.work(within=10)
    assert "job_failed" not in [line["event"] for line in logged]
    assert f"<@{ADMIN}>" in stage.read()
    stage.github.faults.remove(hidden)
    stage.clock.advance(3600)
    await sync_all(stage.context)
    await stage.work(within=10)
    assert "nobody yet" in stage.read()


async def test_in_a_repository_out_of_reach_nobody_is_released(stage: Stage) -> None:
    alert = await stage.leak()
    await take(stage, ADMIN)
    stage.github.webhook_url = None
    stage.github.delete_repository(stage.repository)
    stage.github.requests.clear()
    await check_holders(stage.context, key_of(alert).repository_id)
    await stage.work(within=10)
    assert f"<@{ADMIN}>" in stage.read()
    assert stage.github.calls("GET", ".*/collaborators/.*") == []
    assert await stage.audited("release") == []


async def test_github_is_asked_once_about_somebody_who_has_several_alerts(stage: Stage) -> None:
    leaked = [stage.github.leak(stage.repository, secret_type="stripe_api_key") for _ in range(2)]
    await stage.work(within=10)
    for card in stage.slack.cards(CHANNEL):
        await stage.slack.click(ADMIN, CHANNEL, card.ts, "take")
    await stage.work(within=10)
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    stage.github.requests.clear()
    await check_holders(stage.context, key_of(leaked[0]).repository_id)
    assert len(stage.github.calls("GET", ".*/collaborators/octo-admin/permission")) == 1
    await stage.work(within=10)
    assert await stage.audited("release") == [("done", "no_view")] * 2
