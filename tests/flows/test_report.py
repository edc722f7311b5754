"""Reporting a leak: when it is offered, what is sent and how often, and the follow-ups."""

import base64
from typing import Any

import pytest

from bot.job_kinds import PerformAction
from bot.job_rows import new_job
from bot.requests import ActionRequest
from integrations.sandbox.github import GitHubAlert
from storage import jobs
from storage.records import SlackTeamId, SlackUserId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of

pytestmark = pytest.mark.either_database

REVOKE = "/credentials/revoke"


def sent(stage: Stage) -> list[object]:
    """The bodies of all reports."""
    return [
        call.body["credentials"] for call in stage.github.calls("POST", REVOKE) if isinstance(call.body, dict)
    ]


def probe_times(stage: Stage) -> list[float]:
    """When the token was probed, in seconds after the last report."""
    reported = stage.github.calls("POST", REVOKE)[-1].at
    return [call.at - reported for call in stage.github.calls("GET", "/rate_limit") if call.at > reported]


async def refused(stage: Stage, alert: GitHubAlert, user: str = ADMIN) -> str:
    """The refusal in the form; the button is clicked even if the card does not show it."""
    await stage.click(user, "report_leak", value=str(key_of(alert)), force=True)
    assert stage.form(user).action_ids == []
    return stage.form(user).shown_text


@pytest.mark.parametrize(
    ("leak", "words"),
    [
        ({"secret_type": "stripe_api_key"}, "This kind of secret can't be reported from here"),
        ({"secret_type": "github_oauth_access_token"}, "This kind of secret can't be reported from here"),
        (
            {"secret_type": "github_app_installation_access_token"},
            "This kind of secret can't be reported from here",
        ),
        ({"validity": "inactive"}, "It does not work here, so there is nothing to report."),
    ],
)
async def test_only_reportable_secrets_are_offered_for_report(
    stage: Stage, leak: dict[str, Any], words: str
) -> None:
    alert = await stage.leak(**leak)
    assert "report_leak" not in stage.card().action_ids
    assert words in await refused(stage, alert)
    assert sent(stage) == []


async def test_a_public_repository_is_reported_by_github_itself(stage: Stage) -> None:
    public = stage.github.add_repository(stage.github.app_owner, "website", visibility="public")
    alert = await stage.leak(public)
    assert "report_leak" not in stage.card().action_ids
    assert "GitHub reports its leaks itself" in await refused(stage, alert, OWNER)


async def test_a_secret_is_not_reported_after_its_repository_was_made_public(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    stage.github.webhook_url = None
    stage.github.set_visibility(stage.repository, "public")
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert "GitHub reports its leaks itself" in stage.answer_to(ADMIN)
    assert sent(stage) == []


async def test_a_secret_is_not_reported_after_its_alert_was_closed(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "report_leak")
    stage.clock.advance(60)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    stage.clock.advance(20)
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    answer = stage.answer_to(ADMIN)
    assert "This alert is closed already." in answer
    assert "octo-owner" in answer
    assert sent(stage) == []


async def test_an_inactive_token_is_not_reported(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "report_leak")
    stage.github.set_validity(alert, "inactive")
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert "there is nothing to report" in stage.answer_to(ADMIN)
    assert sent(stage) == []


async def test_a_base64_encoded_token_is_reported_decoded(stage: Stage) -> None:
    alert = await stage.leak(token=stage.live_token(), is_base64_encoded=True)
    token = stage.github.token_of(alert)
    assert token is not None
    assert token.literal != alert.literal
    await stage.report(ADMIN)
    assert sent(stage) == [[token.literal]]
    assert token.revoked_at is not None


async def test_an_incomplete_token_is_never_reported(stage: Stage) -> None:
    literal = base64.b64encode(b"a password, and not a token").decode()
    await stage.leak(secret_type="github_personal_access_token", literal=literal, is_base64_encoded=True)
    await stage.report(ADMIN)
    assert "not a GitHub token in full" in stage.answer_to(ADMIN)
    assert stage.github.calls("POST", REVOKE) == []
    assert await stage.audited("report_leak") == [("intended", None), ("refused", "not_a_token")]


@pytest.mark.parametrize(
    "limit",
    [
        {"status": 429, "headers": {"retry-after": "600"}},
        {"status": 403, "headers": {"retry-after": "600"}},
        {"status": 403, "body": {"message": "You have exceeded a secondary rate limit."}},
    ],
)
async def test_a_report_over_the_rate_limit_is_sent_later(stage: Stage, limit: dict[str, Any]) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, **limit)
    await stage.report(ADMIN)
    assert "its report to GitHub is waiting" in stage.read()
    assert "report_leak" not in stage.card().action_ids
    await stage.work(within=700)
    assert len(sent(stage)) == 2
    assert "reported and confirmed inactive" in stage.read()
    assert stage.slack.private_messages(ADMIN) == []


async def test_a_report_waits_for_the_hourly_limit_of_the_address(stage: Stage) -> None:
    await stage.leak()
    stage.github.unauthenticated_limit = 0
    await stage.report(ADMIN)
    assert "will be sent" in stage.read()
    stage.github.unauthenticated_limit = 60
    await stage.work(within=3700)
    assert "reported and confirmed inactive" in stage.read()


async def test_a_waiting_report_is_checked_again_before_it_is_sent(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await stage.report(ADMIN)
    stage.clock.advance(60)
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=700)
    assert len(sent(stage)) == 1
    assert "This alert is closed already." in stage.answer_to(ADMIN)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.report is None


async def test_a_waiting_report_is_not_sent_after_the_person_lost_the_role(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await stage.report(ADMIN)
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    await stage.work(within=700)
    assert len(sent(stage)) == 1
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.answer_to(ADMIN)
    assert "report_leak" in stage.card().action_ids


async def test_after_a_lost_answer_the_token_is_probed_and_not_reported_again(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", drop="after", times=1)
    await stage.report(ADMIN)
    await stage.work(within=60)
    assert len(stage.github.calls("POST", REVOKE)) == 1
    assert "Reported" in stage.read()
    assert stage.slack.private_messages(ADMIN) == []
    assert await stage.audited("report_leak") == [
        ("intended", None),
        ("done", "found_dead_after_a_lost_answer"),
    ]


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 502}])
async def test_a_report_that_never_arrived_is_sent_again(stage: Stage, fault: dict[str, Any]) -> None:
    alert = await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", times=1, **fault)
    await stage.report(ADMIN)
    await stage.work(within=60)
    assert len(stage.github.calls("POST", REVOKE)) == 2
    token = stage.github.token_of(alert)
    assert token is not None
    assert token.revoked_at is not None
    assert [outcome for outcome, _ in await stage.audited("report_leak")] == ["intended", "done"]


async def test_after_an_unclear_probe_nothing_is_reported_again(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", drop="after", times=1)
    down = stage.github.faults.add("GET /(rate_limit|user)", status=500)
    await stage.report(ADMIN)
    await stage.work(within=300)
    assert len(stage.github.calls("POST", REVOKE)) == 1
    assert down.hits < 20
    stage.github.faults.remove(down)
    await stage.work(within=60)
    assert len(stage.github.calls("POST", REVOKE)) == 1
    assert "Reported" in stage.read()


async def test_a_report_refused_by_github_says_why_and_ends_the_claim(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add(f"POST {REVOKE}", status=422, times=1)
    await stage.report(ADMIN)
    assert "GitHub did not take the report." in stage.answer_to(ADMIN)
    assert "It answered 422." in stage.answer_to(ADMIN)
    assert await stage.audited("report_leak") == [("intended", None), ("failed", "http_422")]
    await stage.report(OWNER)
    assert "reported to GitHub" in stage.read()


async def test_a_report_is_confirmed_by_the_first_inactive_follow_up(stage: Stage) -> None:
    """Revoked after three minutes: active at the probe after one minute, inactive at the probe after five."""
    stage.github.revoke_delay = 180
    await stage.leak()
    await stage.report(ADMIN)
    await stage.work(within=100)
    assert "not yet confirmed" in stage.read()
    await stage.work(within=2000)
    assert [round(at, -1) for at in probe_times(stage)] == [60, 300]
    assert "reported and confirmed inactive" in stage.read()
    assert stage.slack.private_messages(ADMIN) == []


async def test_after_15_minutes_the_person_is_told_that_the_token_still_works(stage: Stage) -> None:
    stage.github.revoke_delay = None
    await stage.leak()
    await stage.report(ADMIN)
    await stage.work(within=2000)
    assert [round(at, -1) for at in probe_times(stage)] == [60, 300, 900]
    assert "reported, but this token still works" in stage.read()
    assert "still works after 15 minutes" in stage.answer_to(ADMIN)
    replies = [reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts)]
    assert sum("it still works" in words for words in replies) == 1


async def test_if_no_follow_up_is_clear_the_person_is_told_so(stage: Stage) -> None:
    await stage.leak()
    await stage.report(ADMIN)
    stage.github.faults.add("GET /(rate_limit|user)", status=500)
    await stage.work(within=6 * 3600)
    assert "It could not be found out whether the reported secret works." in stage.answer_to(ADMIN)
    assert len(probe_times(stage)) <= 8


@pytest.mark.parametrize("status", [403, 404])
async def test_if_github_no_longer_shows_the_secret_the_person_is_told_so(stage: Stage, status: int) -> None:
    await stage.leak()
    await stage.report(ADMIN)
    stage.github.faults.add("GET /repos/.*", status=status)
    await stage.work(within=6 * 3600)
    assert "It could not be found out whether the reported secret works." in stage.answer_to(ADMIN)


async def test_a_secret_can_t_be_reported_twice(stage: Stage) -> None:
    stage.github.revoke_delay = None
    alert = await stage.leak()
    await stage.report(ADMIN)
    assert "report_leak" not in stage.card().action_ids
    assert "It has been reported already." in await refused(stage, alert, OWNER)
    await stage.work(within=2000)
    assert len(sent(stage)) == 1


async def test_the_report_carries_no_credential_of_the_app(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.report(ADMIN)
    [call] = stage.github.calls("POST", REVOKE)
    assert (call.auth, call.authorized) == (None, False)
    assert sent(stage) == [[alert.literal]]
    assert call.user_agent == stage.context.user_agent


@pytest.mark.parametrize("ticked", [["no"], ["yes", "no"], []])
async def test_only_the_ticked_box_is_consent(stage: Stage, ticked: list[str]) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    result = await stage.submit(ADMIN, {"consequence": {"understood": ticked}}, force=True)
    assert result.json()["errors"] == {
        "consequence": "Tick the box to accept the consequence; nothing was sent."
    }
    assert sent(stage) == []


@pytest.mark.parametrize("user_input", [{}, {"consequence": None}, {"consequence": ["no"]}])
async def test_consent_is_checked_again_when_the_job_runs(stage: Stage, user_input: dict[str, Any]) -> None:
    """As in a submit that another version stored, or that was sent without the form."""
    alert = await stage.leak()
    request = ActionRequest(
        action="report_leak",
        alert=key_of(alert),
        team=SlackTeamId(stage.slack.team_id),
        user=SlackUserId(ADMIN),
        at=stage.clock.now(),
        user_input={name: tuple(value) if value else None for name, value in user_input.items()},
    )
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(PerformAction(request)))
    await stage.work(within=60)
    assert sent(stage) == []
    assert "The consequence was not accepted, so nothing was sent." in stage.answer_to(ADMIN)
    assert await stage.audited("report_leak") == [("refused", "not_accepted")]
