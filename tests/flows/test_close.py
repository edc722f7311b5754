"""Closing and reopening: the calls to GitHub, delegated dismissal, and lost answers."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import CloseOptions, Options
from integrations.sandbox.github import GitHubRepository
from storage import jobs
from storage.clock import Clock
from storage.records import JobState
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, Stage, open_stage

pytestmark = pytest.mark.either_database

PATCH = r"/repos/.*/secret-scanning/alerts/\d+"


def patches(stage: Stage) -> list[dict[str, Any]]:
    """The bodies of all calls that change an alert on GitHub."""
    return [call.body for call in stage.github.calls("PATCH", PATCH) if isinstance(call.body, dict)]


def delegated(stage: Stage, **more: Any) -> GitHubRepository:
    """A repository with delegated dismissal."""
    octo = stage.github.app_owner
    vault = stage.github.add_repository(octo, "vault", delegated_dismissal=True, **more)
    stage.github.add_collaborator(vault, stage.people[ADMIN], "admin")
    return vault


async def test_an_admin_can_t_close_with_delegated_dismissal(stage: Stage) -> None:
    alert = await stage.leak(delegated(stage))
    await stage.pick(ADMIN, "close_as", "false_positive")
    form = stage.form(ADMIN)
    assert "has delegated alert dismissal on" in form.shown_text
    assert stage.github.alert_url(alert) in str(form.blocks)
    assert form.action_ids == []
    assert patches(stage) == []
    assert ("refused", "delegated_dismissal") in await stage.audited("close_alert")


@pytest.mark.parametrize("user", [OWNER, MANAGER])
async def test_a_reviewer_closes_if_the_app_may_review(stage: Stage, user: str) -> None:
    alert = await stage.leak(delegated(stage, app_reviews_dismissals=True))
    await stage.close_as(user, "false_positive")
    assert alert.resolution == "false_positive"


@pytest.mark.parametrize("user", [OWNER, MANAGER])
async def test_a_reviewer_gets_the_link_if_the_app_may_not_review(stage: Stage, user: str) -> None:
    alert = await stage.leak(delegated(stage))
    await stage.close_as(user, "false_positive")
    assert alert.state == "open"
    assert "GitHub does not let Stanch close this alert." in stage.answer_to(user)
    assert stage.github.alert_url(alert) in stage.answer_markup(user)
    assert "Normal: not known" in stage.read()


async def test_a_403_leaves_the_alert_open_and_unclaimed(stage: Stage) -> None:
    """GitHub did not show before that dismissal is delegated."""
    alert = await stage.leak()
    stage.github.faults.add(r"PATCH .*", status=403, times=1)
    await stage.close_as(ADMIN, "wont_fix")
    assert "GitHub does not let Stanch close this alert." in stage.answer_to(ADMIN)
    reason = "forbidden: A fault is switched on in the stand-in."
    assert await stage.audited("close_alert") == [("intended", None), ("refused", reason)]
    await stage.close_as(OWNER, "wont_fix")
    assert alert.resolution == "wont_fix"


async def test_a_closure_that_github_finds_invalid_is_told_with_its_reason(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", status=422, body={"message": "Resolution is not allowed."}, times=1)
    await stage.close_as(ADMIN, "wont_fix")
    assert "Resolution is not allowed." in stage.answer_to(ADMIN)
    audited = [("intended", None), ("failed", "Invalid: Resolution is not allowed.")]
    assert await stage.audited("close_alert") == audited
    assert alert.state == "open"


async def test_a_comment_can_be_required(database_url: str, clock: Clock, private_key: str) -> None:
    options = Options(close=CloseOptions(require_comment=True))
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        alert = await stage.leak()
        await stage.pick(ADMIN, "close_as", "revoked")
        refused = await stage.submit(ADMIN)
        assert set(refused.view_errors) == {"comment"}
        for empty in (" ", "\n\t", "\u200b"):
            result = await stage.submit(ADMIN, {"comment": {"comment": empty}}, force=True)
            assert result.json()["errors"] == {"comment": "Say in a sentence why; this is required here."}
        await stage.submit(ADMIN, {"comment": {"comment": "Rotated."}})
        assert alert.resolution_comment == "Rotated. — by octo-admin via Stanch"
        stage.check()


async def test_a_comment_can_be_required_for_some_reasons(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """The reason can be changed in the form, so the submit decides."""
    options = Options(close=CloseOptions(require_comment=frozenset({"wont_fix"})))
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        alert = await stage.leak()
        await stage.pick(ADMIN, "close_as", "wont_fix")
        assert set((await stage.submit(ADMIN)).view_errors) == {"comment"}
        await stage.pick(ADMIN, "close_as", "revoked")
        result = await stage.submit(ADMIN, {"resolution": {"resolution": "wont_fix"}})
        assert result.json()["errors"] == {"comment": "Say in a sentence why; this is required here."}
        assert patches(stage) == []
        await stage.submit(ADMIN, {"resolution": {"resolution": "used_in_tests"}})
        assert alert.resolution == "used_in_tests"
        stage.check()


async def test_a_comment_that_became_required_is_checked_when_the_job_runs(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """The submit was stored before a restart with the new option."""
    async with open_stage(database_url, clock, private_key) as stage:
        alert = await stage.leak()
        await stage.pick(ADMIN, "close_as", "wont_fix")
        await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
        options = Options(close=CloseOptions(require_comment=frozenset({"wont_fix"})))
        await Worker(replace(stage.context, options=options), HANDLERS).run_due()
        assert alert.state == "open"
        assert "The form was not complete." in stage.answer_to(ADMIN)


async def test_the_longest_comment_fits_with_the_longest_name(stage: Stage) -> None:
    stage.github.rename_account(stage.people[ADMIN], "a" * 39)
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    control = stage.form(ADMIN).control("comment")
    assert control is not None
    await stage.submit(ADMIN, {"comment": {"comment": "x" * control["max_length"]}})
    assert alert.resolution_comment is not None
    assert alert.resolution_comment.startswith("x" * 200)
    assert alert.resolution_comment.endswith(f"by {'a' * 39} via Stanch")
    assert len(alert.resolution_comment) <= 280


async def test_a_comment_that_is_too_long_is_refused_on_its_field(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    result = await stage.submit(ADMIN, {"comment": {"comment": "x" * 281}}, force=True)
    assert result.json()["errors"] == {"comment": "At most 280 characters, please."}
    assert patches(stage) == []


async def test_a_comment_mentions_nobody_on_github(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked", "Thanks @octo-owner and @octo/security, see ana@example.com.")
    comment = "Thanks octo-owner and octo/security, see ana@example.com. — by octo-admin via Stanch"
    assert alert.resolution_comment == comment


async def test_a_reason_that_github_does_not_have_is_refused_on_its_field(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    result = await stage.submit(ADMIN, {"resolution": {"resolution": "pattern_deleted"}}, force=True)
    assert result.json()["errors"] == {"resolution": "Pick one of the reasons."}
    assert patches(stage) == []


async def test_closing_an_alert_closed_for_the_same_reason_succeeds(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked", comment="Mine.")
    await stage.submit(ADMIN)
    assert "It was closed as revoked already." in stage.answer_to(ADMIN)
    assert patches(stage) == []
    assert alert.resolution_comment == "Mine."
    await stage.work(within=5)
    assert "octo-owner" in stage.read()


async def test_closing_an_alert_that_was_closed_a_moment_before_succeeds(stage: Stage) -> None:
    """GitHub answers 400 if the alert has this reason already."""
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    gate = stage.github.faults.gate("PATCH .*", at="before")
    await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
    working = asyncio.create_task(stage.work(within=3))
    await gate.reached()
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked", comment="Mine.")
    gate.open()
    await working
    assert "losed as revoked" in stage.answer_to(ADMIN)
    assert alert.resolution_comment == "Mine."


async def test_two_people_close_an_alert_once(stage: Stage) -> None:
    await stage.leak()
    for user in (ADMIN, OWNER):
        await stage.pick(user, "close_as", "revoked")
    views = [(user, stage.form(user).id) for user in (ADMIN, OWNER)]
    await asyncio.gather(*(stage.slack.submit(user, view, {}) for user, view in views))
    await stage.work(within=5)
    assert len(patches(stage)) == 1
    assert "Closed as revoked" in stage.read()
    told = sorted(stage.answer_to(user).split("\n")[0] for user in (ADMIN, OWNER))
    assert told == ["", ":white_check_mark: It was closed as revoked already."]


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": "after"}, {"drop": "before"}])
async def test_filling_the_form_is_retried_for_a_minute(stage: Stage, fault: dict[str, Any]) -> None:
    await stage.leak()
    stage.slack.faults.add("views.update", times=4, **fault)
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.work(within=30)
    assert stage.form(ADMIN).control("resolution") is not None
    stage.slack.faults.add("views.update", status=503)
    await stage.pick(OWNER, "close_as", "revoked")
    await stage.work(within=90)
    async with stage.context.db.read() as tx:
        assert (await jobs.count(tx))[JobState.PARKED] == 0


async def test_after_a_lost_answer_the_alert_is_read_and_not_closed_again(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", drop="after", times=1)
    await stage.close_as(ADMIN, "revoked", "Rotated.")
    await stage.work(within=30)
    assert len(patches(stage)) == 1
    assert alert.resolution == "revoked"
    assert stage.slack.private_messages(ADMIN) == []
    assert await stage.audited("close_alert") == [("intended", None), ("done", "revoked")]
    replies = [reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts)]
    assert len(replies) == 1
    assert "octo-admin" in replies[0]


async def test_an_alert_reopened_after_a_lost_answer_is_not_closed_again(stage: Stage) -> None:
    alert = await stage.leak()
    stage.clock.advance(60)
    gate = stage.github.faults.gate(r"PATCH .*", at="after")
    await stage.pick(ADMIN, "close_as", "revoked")
    working = asyncio.create_task(stage.submit(ADMIN))
    await gate.reached(timeout=10)
    stage.clock.advance(3)
    stage.github.reopen(alert, by=stage.people[OWNER])
    gate.drop()
    await working
    await stage.work(within=30)
    assert len(patches(stage)) == 1
    assert alert.state == "open"
    assert "The alert was changed before GitHub's answer came." in stage.answer_to(ADMIN)
    assert await stage.audited("close_alert") == [("intended", None), ("refused", "changed_meanwhile")]


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 502}, {"garbage": True}])
async def test_a_call_that_never_arrived_is_sent_again(stage: Stage, fault: dict[str, Any]) -> None:
    alert = await stage.leak()
    stage.github.faults.add("PATCH .*", times=2, **fault)
    await stage.close_as(ADMIN, "revoked")
    await stage.work(within=30)
    assert alert.resolution == "revoked"
    assert len(patches(stage)) == 3
    assert "Closed as revoked" in stage.read()


async def test_reopening_an_open_alert_says_so(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    await stage.click(ADMIN, "reopen")
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.submit(ADMIN)
    assert "It is open already." in stage.answer_to(ADMIN)
    assert len(patches(stage)) == 1


async def test_a_reopening_shows_its_comment_and_its_person(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN, {"comment": {"comment": "Still in use."}})
    assert (alert.state, alert.resolution_comment) == ("open", "Still in use. — by octo-admin via Stanch")
    replies = stage.slack.thread(CHANNEL, stage.card().ts)
    assert "Reopened by" in replies[-1].shown_text
    assert "“Still in use.”" in replies[-1].shown_text


async def test_the_form_warns_that_the_token_still_works(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.pick(ADMIN, "close_as", "revoked")
    assert "This token still works." in stage.form(ADMIN).shown_text.replace("*", "")
    await stage.submit(ADMIN)
    assert "Closed as revoked, but it still works" in stage.read()
