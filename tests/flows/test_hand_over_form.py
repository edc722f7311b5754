"""The form of Hand over: what it says, whom it refuses, and what is checked again at the submit."""

from typing import Any

import pytest

from tests.flows.stage import ADMIN, MANAGER, OWNER, READER, UNLINKED, Stage, plain
from tests.flows.test_hand_over import GRANT, choose, hand_over, let_write, open_form, told
from tests.flows.test_roles import SOMEBODY, custom_role, somebody
from tests.flows.test_taken_alerts import VIEW, take

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("change", "words", "reason"),
    [
        ({"is_restricted": True}, "This person is a guest in Slack", "guest"),
        ({"is_ultra_restricted": True}, "This person is a guest in Slack", "guest"),
        ({"deleted": True}, "This person's Slack account is deactivated.", "deactivated"),
        ({"is_bot": True}, "That is a bot.", "bot"),
        ({"is_stranger": True}, "This person belongs to another organization", "other_organization"),
        ({"team_id": "T0ELSEWHERE"}, "This person belongs to another organization", "other_organization"),
    ],
)
async def test_outsiders_are_refused_on_the_field(
    stage: Stage, change: dict[str, Any], words: str, reason: str
) -> None:
    """An administrator of the repository who has become one of these."""
    await stage.leak()
    stage.slack.workspace.add_team("T0ELSEWHERE")
    stage.slack.workspace.change_user(MANAGER, **change)
    await open_form(stage, ADMIN)
    assert words in await choose(stage, ADMIN, MANAGER)
    result = await stage.submit(ADMIN)
    assert words in result.view_errors["receiver"]
    assert await stage.audited("hand_over") == [("refused", f"receiver_{reason}")]
    assert "nobody yet" in stage.read()
    assert told(stage, MANAGER) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("user_not_found", "Slack knows no such person here."),
        ("internal_error", "Slack did not say who this person is."),
    ],
)
async def test_somebody_about_whom_slack_says_nothing_is_refused_until_it_does(
    stage: Stage, error: str, words: str
) -> None:
    let_write(stage)
    await stage.leak()
    await open_form(stage, ADMIN)
    # The giver is asked about first.
    stage.slack.faults.add("users.info", times=1, skip=1, status=200, body={"ok": False, "error": error})
    assert words in await choose(stage, ADMIN, READER)
    await choose(stage, ADMIN, MANAGER)
    assert GRANT in await choose(stage, ADMIN, READER)


async def test_somebody_who_is_not_linked_is_refused_on_the_field(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    assert "Stanch doesn't know this person's GitHub account." in await choose(stage, ADMIN, UNLINKED)
    result = await stage.submit(ADMIN)
    assert set(result.view_errors) == {"receiver"}
    assert told(stage, UNLINKED) == []


async def test_nobody_hands_over_to_themselves(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    assert "That is you." in await choose(stage, ADMIN, ADMIN)
    assert set((await stage.submit(ADMIN)).view_errors) == {"receiver"}


async def test_the_last_pick_counts(stage: Stage) -> None:
    let_write(stage)
    await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, UNLINKED)
    form = stage.form(ADMIN)
    await stage.slack.select_in_view(ADMIN, form.id, "receiver", MANAGER)
    await stage.slack.select_in_view(ADMIN, form.id, "receiver", READER)
    await stage.work(within=3)
    said = plain(stage.form(ADMIN).shown_text)
    assert GRANT in said
    assert "octo-sec" not in said
    await stage.submit(ADMIN)
    assert f"<@{READER}>" in stage.read()


async def test_a_submit_before_the_form_says_what_follows_is_refused_on_the_field(stage: Stage) -> None:
    let_write(stage)
    await stage.leak()
    await open_form(stage, ADMIN)
    await stage.slack.select_in_view(ADMIN, stage.form(ADMIN).id, "receiver", READER)
    result = await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
    assert "Read what follows from it" in result.view_errors["receiver"]
    await stage.work(within=3)
    assert "nobody yet" in stage.read()
    await stage.submit(ADMIN)
    await stage.work(within=10)
    assert f"<@{READER}>" in stage.read()


async def test_a_grant_that_the_form_did_not_announce_is_not_made(stage: Stage) -> None:
    """The receiver loses the role between the pick and the submit."""
    alert = await stage.leak()
    stage.github.add_collaborator(stage.repository, stage.people[READER], "admin")
    await open_form(stage, ADMIN)
    assert "GitHub will show octo-reader as the assignee." in await choose(stage, ADMIN, READER)
    let_write(stage)
    await stage.submit(ADMIN)
    assert GRANT in stage.answer_to(ADMIN)
    assert ("refused", "grants_now") in await stage.audited("hand_over")
    assert "nobody yet" in stage.read()
    assert alert.assigned_to is None


@pytest.mark.parametrize("change", [{"is_restricted": True}, {"deleted": True}])
async def test_the_receiver_is_checked_again_at_the_submit(stage: Stage, change: dict[str, bool]) -> None:
    let_write(stage)
    alert = await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, READER)
    stage.slack.workspace.change_user(READER, **change)
    await stage.submit(ADMIN)
    assert "The alert can't be handed over to this person." in stage.answer_to(ADMIN)
    assert "nobody yet" in stage.read()
    assert alert.assigned_to is None


async def test_the_giver_s_role_is_checked_again_at_the_submit(stage: Stage) -> None:
    let_write(stage)
    alert = await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, READER)
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    await stage.submit(ADMIN)
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.answer_to(ADMIN)
    assert alert.assigned_to is None
    assert ("refused", "no_role") in await stage.audited("hand_over")


async def test_of_two_simultaneous_hand_overs_one_is_done(stage: Stage) -> None:
    await stage.leak()
    for giver, receiver in ((ADMIN, OWNER), (MANAGER, ADMIN)):
        await open_form(stage, giver)
        await choose(stage, giver, receiver)
    for giver in (ADMIN, MANAGER):
        await stage.slack.submit(giver, stage.form(giver).id, {})
    await stage.work(within=30)
    done = await stage.audited("hand_over")
    assert [outcome for outcome, _ in done].count("done") == 1
    assert ("refused", "changed_meanwhile") in done
    answers = stage.answer_to(ADMIN) + stage.answer_to(MANAGER)
    assert "Somebody else changed who is on it" in answers


async def test_an_alert_of_somebody_else_is_handed_over_only_by_people_who_may_close_it(stage: Stage) -> None:
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    await take(stage, MANAGER)
    await open_form(stage, SOMEBODY)
    assert "You are not on it." in stage.form(SOMEBODY).shown_text
    assert stage.form(SOMEBODY).action_ids == []
    await hand_over(stage, ADMIN, SOMEBODY)
    assert f"<@{SOMEBODY}>" in stage.read()


async def test_an_alert_closed_meanwhile_is_not_handed_over(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    await choose(stage, ADMIN, OWNER)
    await stage.close_as(OWNER, "revoked")
    await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
    await stage.work(within=5)
    assert "This alert is closed already." in stage.answer_to(ADMIN)
    assert told(stage, OWNER) == []


async def test_the_form_names_who_is_on_it(stage: Stage) -> None:
    await stage.leak()
    await take(stage, MANAGER)
    await open_form(stage, ADMIN)
    assert f"On it: <@{MANAGER}> (octo-sec)" in plain(stage.form(ADMIN).shown_text)


async def test_a_forged_grant_gives_nothing_to_those_who_may_not_be_given_it(stage: Stage) -> None:
    """What the form carries is untrusted: rights are asked for again."""
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    let_write(stage)
    alert = await stage.leak()
    await open_form(stage, SOMEBODY)
    await choose(stage, SOMEBODY, READER)
    view = stage.form(SOMEBODY)
    forged = str(view.content["private_metadata"]).replace('"refused"', '"grants": "yes", "was"')
    view.content["private_metadata"] = forged
    await stage.submit(SOMEBODY, force=True)
    assert "can't be handed over to this person" in stage.answer_to(SOMEBODY)
    assert alert.assigned_to is None
    assert "nobody yet" in stage.read()


async def test_a_submit_without_a_receiver_is_refused_on_the_field(stage: Stage) -> None:
    await stage.leak()
    await open_form(stage, ADMIN)
    result = await stage.submit(ADMIN, force=True)
    assert result.json()["errors"] == {"receiver": "Pick a person."}
    assert await stage.audited("hand_over") == []
