"""Rights are checked at the time of the action: assignments, Slack's facts, delegated dismissal."""

from typing import Any

import pytest

from tests.flows.stage import ADMIN, READER, Stage

pytestmark = pytest.mark.either_database

REVOKE = "/credentials/revoke"
PATCH = r"/repos/.*/secret-scanning/alerts/\d+"
NO_VIEW = "GitHub doesn't let octo-reader see the alerts of octo/payments."
ACCEPTED = {"consequence": {"understood": ["yes"]}}
CHANGES: dict[str, Any] = {
    "report_leak": ACCEPTED,
    "close_as": {},
    "reopen": {},
}


def effects(stage: Stage) -> int:
    """The number of calls that change an alert or report a secret."""
    return len(stage.github.calls("POST", REVOKE)) + len(stage.github.calls("PATCH", PATCH))


async def assigned(stage: Stage) -> Any:
    """An alert assigned to a person without a role; the assignment is stored."""
    alert = await stage.leak()
    stage.github.assign(alert, stage.people[READER])
    await stage.work(within=5)
    return alert


async def open_form(stage: Stage, user: str, action: str) -> None:
    if action == "close_as":
        await stage.pick(user, action, "revoked")
    else:
        await stage.click(user, action)


@pytest.mark.parametrize("action", ["report_leak", "close_as"])
async def test_a_former_assignee_has_no_right_even_if_the_store_names_them(stage: Stage, action: str) -> None:
    alert = await assigned(stage)
    stage.github.webhook_url = None
    stage.github.unassign(alert)
    stage.clock.advance(400)
    await open_form(stage, READER, action)
    assert NO_VIEW in stage.form(READER).shown_text
    assert stage.form(READER).action_ids == []


@pytest.mark.parametrize("action", ["report_leak", "close_as"])
async def test_an_assignment_that_ends_before_the_submit_refuses_it(stage: Stage, action: str) -> None:
    alert = await assigned(stage)
    await open_form(stage, READER, action)
    stage.github.webhook_url = None
    stage.github.unassign(alert)
    await stage.submit(READER, CHANGES[action])
    assert NO_VIEW in stage.answer_to(READER)
    assert effects(stage) == 0
    assert alert.state == "open"


@pytest.mark.parametrize("action", ["check_validity", "step_back", "locations", "history"])
async def test_a_former_assignee_may_not_view_the_alert(stage: Stage, action: str) -> None:
    alert = await assigned(stage)
    stage.github.webhook_url = None
    stage.github.unassign(alert)
    stage.clock.advance(400)
    if action == "check_validity":
        await stage.click(READER, action)
    else:
        await stage.pick(READER, "more", action)
    assert NO_VIEW in stage.answer_to(READER)
    assert stage.github.calls("GET", "/user") == []
    assert stage.github.calls("GET", r"/repos/.*/locations") == []


async def test_an_assignee_closes_and_reopens_without_a_role(stage: Stage) -> None:
    alert = await assigned(stage)
    await stage.close_as(READER, "revoked")
    assert alert.resolution == "revoked"
    await stage.click(READER, "reopen")
    await stage.submit(READER)
    assert alert.state == "open"


@pytest.mark.parametrize("known", [True, False])
async def test_an_assignee_does_not_close_if_dismissal_is_or_may_be_delegated(
    stage: Stage, known: bool
) -> None:
    stage.repository.delegated_dismissal = stage.repository.app_reviews_dismissals = True
    stage.repository.hides_settings = not known
    alert = await assigned(stage)
    await open_form(stage, READER, "close_as")
    assert stage.form(READER).action_ids == []
    assert alert.state == "open"
    await stage.click(READER, "check_validity")
    assert NO_VIEW not in stage.answer_to(READER)
    assert await stage.audited("check_validity") == [("intended", None), ("done", "active: accepted")]


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("report_leak", {"is_restricted": True}),
        ("report_leak", {"deleted": True}),
        ("close_as", {"is_restricted": True}),
        ("reopen", {"is_restricted": True}),
    ],
)
async def test_slack_is_asked_about_the_person_again_at_the_submit(
    stage: Stage, action: str, change: dict[str, bool]
) -> None:
    alert = await stage.leak()
    if action == "reopen":
        await stage.close_as(ADMIN, "revoked")
    before, state = effects(stage), alert.state
    await open_form(stage, ADMIN, action)
    stage.slack.workspace.change_user(ADMIN, **change)
    await stage.submit(ADMIN, CHANGES[action], force=True)
    assert effects(stage) == before
    assert alert.state == state
    audited = {"close_as": "close_alert", "reopen": "reopen_alert"}.get(action, action)
    reason = "guest" if "is_restricted" in change else "deactivated"
    assert ("refused", reason) in await stage.audited(audited)


async def test_delegated_dismissal_turned_on_after_the_form_refuses_the_submit(
    stage: Stage,
) -> None:
    """GitHub itself would close it, since the app may review dismissals."""
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "false_positive")
    stage.repository.delegated_dismissal = stage.repository.app_reviews_dismissals = True
    await stage.submit(ADMIN)
    assert alert.state == "open"
    assert stage.github.calls("PATCH", PATCH) == []
    assert "has delegated alert dismissal on" in stage.answer_to(ADMIN)
    assert ("refused", "delegated_dismissal") in await stage.audited("close_alert")


async def test_known_delegated_dismissal_stays_if_github_leaves_it_out(
    stage: Stage,
) -> None:
    stage.repository.delegated_dismissal = stage.repository.app_reviews_dismissals = True
    alert = await stage.leak()
    stage.repository.hides_settings = True
    await stage.click(ADMIN, "check_validity")
    await stage.pick(ADMIN, "close_as", "false_positive")
    assert "has delegated alert dismissal on" in stage.form(ADMIN).shown_text
    stage.repository.hides_settings = stage.repository.delegated_dismissal = False
    await stage.close_as(ADMIN, "false_positive")
    assert alert.resolution == "false_positive"
