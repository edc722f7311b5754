"""Clicks and submits: the calls to GitHub, the card and the private answers that follow."""

import asyncio

import pytest

from bot.cli.audit import export_audit
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage, key_of

pytestmark = pytest.mark.either_database

PATCHES = r"/repos/.*/secret-scanning/alerts/\d+"


async def test_closing_with_a_reason_closes_on_github_and_redraws_the_card(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked", "Rotated in vault.")
    assert (alert.state, alert.resolution) == ("resolved", "revoked")
    assert alert.resolution_comment == "Rotated in vault. — by octo-admin via Stanch"
    card = stage.card()
    assert "Closed as revoked" in card.shown_text
    assert "“Rotated in vault.”" in card.shown_text
    assert card.action_ids == ["reopen", "more"]
    assert stage.slack.private_messages(ADMIN) == []
    [reply] = stage.slack.thread(CHANNEL, card.ts)
    assert "Closed as revoked by" in reply.shown_text


async def test_the_menu_opens_the_form_with_the_picked_reason(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "used_in_tests")
    form = stage.form(ADMIN)
    assert form.title == "Close alert"
    control = form.control("resolution")
    assert control is not None
    assert control["initial_option"]["value"] == "used_in_tests"


async def test_a_reader_is_refused_privately_and_nothing_changes(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(READER, "close_as", "revoked")
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in stage.form(READER).shown_text
    assert alert.state == "open"
    assert stage.github.calls("PATCH", PATCHES) == []


async def test_an_unlinked_person_is_told_how_to_be_linked(stage: Stage) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "check_validity")
    assert "Stanch doesn't know which GitHub account is yours." in stage.answer_markup(UNLINKED)


async def test_a_security_manager_and_an_owner_may_close_and_reopen(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(MANAGER, "wont_fix")
    assert alert.resolution == "wont_fix"
    await stage.click(OWNER, "reopen")
    await stage.submit(OWNER)
    assert alert.state == "open"
    assert "Normal:" in stage.card().shown_text


async def test_a_check_asks_github_with_the_token_and_names_its_owner(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    card = stage.card()
    assert "live token" in card.shown_text
    assert "leaky-dev" in card.shown_text
    assert "scopes repo and workflow" in card.shown_text
    assert stage.slack.private_messages(ADMIN) == []
    assert alert.validity == "active"


async def test_reporting_needs_the_ticked_consequence(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    result = await stage.submit(ADMIN, {}, force=True)
    assert result.json()["errors"] == {
        "consequence": "Tick the box to accept the consequence; nothing was sent."
    }
    assert stage.github.calls("POST", "/credentials/revoke") == []


async def test_a_report_is_sent_without_authorization_and_followed_up(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.report(ADMIN)
    [call] = stage.github.calls("POST", "/credentials/revoke")
    assert call.auth is None
    assert "reported to GitHub, not yet confirmed dead" in stage.card().shown_text
    await stage.work(within=70)
    assert "reported and confirmed inactive" in stage.card().shown_text
    assert stage.slack.private_messages(ADMIN) == []
    assert alert.state == "open"


async def test_two_simultaneous_submits_make_one_call(stage: Stage) -> None:
    await stage.leak()
    for user in (ADMIN, OWNER):
        await stage.click(user, "report_leak")
    views = [(user, stage.form(user).id) for user in (ADMIN, OWNER)]
    values = {"consequence": {"understood": ["yes"]}}
    await asyncio.gather(*(stage.slack.submit(user, view, values) for user, view in views))
    await stage.work(within=3)
    assert len(stage.github.calls("POST", "/credentials/revoke")) == 1
    told = [stage.answer_markup(user) for user in (ADMIN, OWNER)]
    assert "reported to GitHub" in stage.card().shown_text
    assert sum("It has been reported already." in words for words in told) == 1


async def test_the_intent_is_in_the_audit_log_before_the_call(stage: Stage) -> None:
    await stage.leak()
    gate = stage.github.faults.gate(r"POST /credentials/revoke", at="before")
    await stage.click(ADMIN, "report_leak")
    await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {"consequence": {"understood": ["yes"]}})
    working = asyncio.create_task(stage.work(within=3))
    await gate.reached(timeout=5)
    rows = [row async for row in export_audit(stage.context.db, None)]
    assert [(row["action"], row["outcome"]) for row in rows if row["action"] == "report_leak"] == [
        ("report_leak", "intended")
    ]
    gate.open()
    await working
    rows = [row async for row in export_audit(stage.context.db, None)]
    assert rows[-1]["outcome"] == "done"
    assert rows[-1]["github_login"] == "octo-admin"


async def test_closing_an_alert_closed_for_another_reason_says_by_whom(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix", comment="We live with it.")
    await stage.work()
    await stage.submit(ADMIN)
    assert "It was closed already, as won't fix." in stage.answer_markup(ADMIN)
    assert "octo-owner" in stage.answer_markup(ADMIN)
    assert stage.github.calls("PATCH", PATCHES) == []


async def test_a_role_lost_between_form_and_submit_refuses_the_submit(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    await stage.submit(ADMIN)
    assert alert.state == "open"
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.answer_markup(ADMIN)


SPLIT = "It was xox" + "b-@123456789012-abcdefghijklmnop"
"""A comment that looks like a secret only after the @, a mention, is removed."""


@pytest.mark.parametrize("comment", ["It was ghp_" + "a1B2" * 9, SPLIT])
async def test_a_comment_with_a_token_is_refused_on_its_field(stage: Stage, comment: str) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    result = await stage.submit(ADMIN, {"comment": {"comment": comment}})
    assert "looks like a secret" in result.json()["errors"]["comment"]
    assert stage.github.calls("PATCH", PATCHES) == []


async def test_a_comment_for_reopening_is_checked_as_it_would_be_sent(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    await stage.click(ADMIN, "reopen")
    result = await stage.submit(ADMIN, {"comment": {"comment": SPLIT}})
    assert "looks like a secret" in result.json()["errors"]["comment"]
    assert alert.state == "resolved"


async def test_telling_the_owner_first_sends_a_message_and_adds_to_the_timeline(stage: Stage) -> None:
    alert = await stage.leak()
    stage.slack.workspace.add_user("U0LEAKY", name="leaky")
    await stage.link("U0LEAKY", stage.leaker)
    await stage.click(ADMIN, "check_validity")
    await stage.click(ADMIN, "report_leak")
    view = stage.form(ADMIN)
    assert "Tell leaky-dev first" in view.shown_text
    await stage.slack.click_in_view(ADMIN, view.id, "tell_owner")
    await stage.work(within=3)
    assert "A token of yours has leaked." in stage.answer_markup("U0LEAKY")
    assert "has been told" in stage.form(ADMIN).shown_text
    replies = " ".join(reply.shown_text for reply in stage.slack.thread(CHANNEL, stage.card().ts))
    assert "told the owner" in replies
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert len(stage.github.calls("POST", "/credentials/revoke")) == 1
    assert key_of(alert).number == 1


async def test_a_reason_can_be_picked_again_after_the_form_was_closed(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.slack.close_view(ADMIN, stage.form(ADMIN).id)
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.submit(ADMIN)
    assert alert.resolution == "revoked"
