"""A refusal on a card says who could help; a look-up does not even say that the alert exists."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.sandbox.github import Organization
from storage import identities
from tests.flows.sign_in import identity_of
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, Stage, plain
from tests.flows.test_roles import SOMEBODY, VIEW, custom_role, somebody

pytestmark = pytest.mark.either_database

REFUSED = "GitHub doesn't let octo-reader see the alerts of octo/payments."
NOT_THEIRS = "There is no such alert, or it is not yours to see."
COLLABORATORS = r"/repos/octo/payments/collaborators"
NAMES = {OWNER: "Ana Ruiz", ADMIN: "Bo Lind", MANAGER: "Cleo Marsh"}


@pytest.fixture(autouse=True)
def names(stage: Stage) -> None:
    """People have names of their own in Slack."""
    for user, name in NAMES.items():
        stage.slack.workspace.change_user(user, name=name)


async def refused(stage: Stage, user: str = READER) -> str:
    """What somebody is told who may not view the only alert."""
    await stage.click(user, "check_validity")
    return stage.answer_to(user)


async def test_a_refusal_names_up_to_three_people_who_can(stage: Stage) -> None:
    await stage.leak()
    answer = await refused(stage)
    assert f"{REFUSED}" in answer
    assert "Bo Lind, Ana Ruiz and Cleo Marsh can." in answer
    assert "<@" not in stage.answer_markup(READER)
    assert await stage.audited("check_validity") == [("refused", "no_role")]


async def test_the_people_are_asked_for_once_in_ten_minutes(stage: Stage) -> None:
    await stage.leak()
    for _ in range(3):
        await refused(stage)
    assert len(stage.github.calls("GET", COLLABORATORS)) == 1
    stage.clock.advance(601)
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    answer = await refused(stage)
    assert len(stage.github.calls("GET", COLLABORATORS)) == 2
    assert "Ana Ruiz and Cleo Marsh can." in answer


async def test_roles_of_the_last_hour_are_used_before_github_is_asked(stage: Stage) -> None:
    await stage.leak()
    for user in NAMES:
        await stage.click(user, "check_validity")
    await refused(stage)
    assert stage.github.calls("GET", COLLABORATORS) == []


async def test_people_are_named_only_if_they_are_linked_and_active(stage: Stage) -> None:
    unlinked = stage.github.add_user("boss")
    organization = stage.github.app_owner
    assert isinstance(organization, Organization)
    stage.github.add_member(organization, unlinked, role="admin")
    await stage.leak()
    stage.slack.workspace.change_user(ADMIN, deleted=True)
    stage.slack.workspace.change_user(OWNER, is_restricted=True)
    answer = await refused(stage)
    assert "Cleo Marsh can." in answer
    assert not any(name in answer for name in ("Ana", "Bo", "boss"))


async def test_somebody_about_whom_slack_does_not_answer_is_left_out(stage: Stage) -> None:
    await stage.leak()
    # The first question is about the person who clicks.
    stage.slack.faults.add(
        "users.info", status=200, body={"ok": False, "error": "internal_error"}, skip=1, times=1
    )
    answer = await refused(stage)
    assert "Ana Ruiz and Cleo Marsh can." in answer
    assert "Bo Lind" not in answer


@pytest.mark.parametrize(
    "change", [{"suspension": "lapsed"}, {"proof": "directory"}], ids=["suspended", "by the directory alone"]
)
async def test_people_are_named_only_if_their_link_lets_them_act(
    stage: Stage, change: dict[str, str]
) -> None:
    await stage.leak()
    for user in (ADMIN, OWNER):
        identity = await identity_of(stage, user)
        assert identity is not None
        async with stage.context.db.begin() as tx:
            await identities.put(tx, replace(identity, **change))  # type: ignore[arg-type]  # Two of its texts.
    answer = await refused(stage)
    assert "Cleo Marsh can." in answer
    assert "Bo Lind" not in answer


async def test_a_refused_action_names_people_who_may_do_it(stage: Stage) -> None:
    """A custom role that may only view is no help to close an alert."""
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    await stage.click(SOMEBODY, "check_validity")
    await stage.pick(SOMEBODY, "close_as", "revoked")
    shown = stage.form(SOMEBODY).shown_text
    assert "You can't close this alert." in shown
    assert "Bo Lind, Ana Ruiz and Cleo Marsh can." in shown
    assert "somebody can" not in await refused(stage)


async def test_with_delegated_dismissal_the_refusal_names_people_who_may_close(stage: Stage) -> None:
    """A repository admin is no help there."""
    stage.repository.delegated_dismissal = True
    stage.slack.workspace.change_user(READER, name="Rae Novak")
    stage.github.add_collaborator(stage.repository, stage.people[READER], "admin")
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    assert "Ana Ruiz and Cleo Marsh can." in stage.form(ADMIN).shown_text
    assert "Rae" not in stage.form(ADMIN).shown_text


async def test_a_submit_with_delegated_dismissal_names_them_too(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.repository.delegated_dismissal = True
    await stage.submit(ADMIN)
    assert "has delegated alert dismissal on" in stage.answer_to(ADMIN)
    assert "Ana Ruiz and Cleo Marsh can." in stage.answer_to(ADMIN)


@pytest.mark.parametrize("line", ["step_back", "hand_over"])
async def test_of_an_alert_that_somebody_else_is_on_it_names_people_who_may_close(
    stage: Stage, line: str
) -> None:
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    await stage.click(OWNER, "take")
    await stage.pick(SOMEBODY, "more", line)
    shown = stage.answer_to(SOMEBODY) if line == "step_back" else plain(stage.form(SOMEBODY).shown_text)
    assert "You are not on it." in shown
    assert "Bo Lind, Ana Ruiz and Cleo Marsh can." in shown


async def find_uses(stage: Stage, user: str) -> str:
    """Press *Find its uses* in the checklist of the only card."""
    [checklist] = [m for m in stage.slack.thread(CHANNEL, stage.card().ts) if "token_uses" in m.action_ids]
    await stage.slack.click(user, CHANNEL, checklist.ts, "token_uses")
    await stage.work(within=3)
    return stage.answer_to(user)


async def test_find_its_uses_names_owners_alone(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    answer = await find_uses(stage, MANAGER)
    assert "Organization owners alone can search the audit log" in answer
    assert "Ana Ruiz can." in answer
    assert await stage.audited("token_uses") == [("refused", "no_role")]
    await stage.click(OWNER, "check_validity")
    assert "Ana Ruiz can." in await find_uses(stage, ADMIN), "by the role of the last hour"


async def test_somebody_outside_the_organization_gets_no_names_of_owners(stage: Stage) -> None:
    user = await somebody(stage)
    stage.github.add_collaborator(stage.repository, user, "admin")
    await stage.leak()
    await stage.click(ADMIN, "take")
    answer = await find_uses(stage, SOMEBODY)
    assert "Ask in this channel who can." in answer
    assert not any(name in answer for name in NAMES.values())


async def test_step_back_names_people_by_known_roles_while_github_is_down(stage: Stage) -> None:
    user = await somebody(stage)
    custom_role(VIEW)(stage, user)
    await stage.leak()
    await stage.click(SOMEBODY, "check_validity")
    await stage.click(OWNER, "take")
    asked = len(stage.github.calls("GET", COLLABORATORS))
    stage.github.faults.add(".*", status=503)
    await stage.pick(SOMEBODY, "more", "step_back")
    assert "Ana Ruiz can." in stage.answer_to(SOMEBODY)
    assert len(stage.github.calls("GET", COLLABORATORS)) == asked


async def test_somebody_outside_the_organization_is_sent_to_the_default_channel(stage: Stage) -> None:
    await somebody(stage)
    await stage.leak()
    answer = await refused(stage, SOMEBODY)
    assert "GitHub doesn't let somebody see the alerts of octo/payments." in answer
    assert "Ask in this channel who can." in answer
    assert not any(name in answer for name in NAMES.values())
    assert stage.github.calls("GET", COLLABORATORS) == []


async def test_where_nobody_can_help_by_name_people_are_sent_to_the_default_channel(stage: Stage) -> None:
    await stage.leak()
    for user in NAMES:
        stage.slack.workspace.change_user(user, deleted=True)
    assert "Ask in this channel who can." in await refused(stage)


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 403, "body": {"message": "No."}}])
async def test_a_refusal_needs_no_list_of_people(stage: Stage, fault: dict[str, Any]) -> None:
    await stage.leak()
    stage.github.faults.add(f"GET {COLLABORATORS}$", **fault)
    answer = await refused(stage)
    assert REFUSED in answer
    assert "Ask in this channel who can." in answer


async def test_the_details_of_a_card_are_refused_in_the_same_way(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(READER, "more", "history")
    answer = stage.answer_to(READER)
    assert REFUSED in answer
    assert "can." in answer
    assert await stage.audited("look_up") == [("refused", "no_role")]


async def test_a_look_up_says_neither_that_the_alert_exists_nor_who_could_help(stage: Stage) -> None:
    await stage.leak()
    await refused(stage)
    known = await stage.type(READER, f"show {stage.repository.full_name}#1")
    unknown = await stage.type(READER, f"show {stage.repository.full_name}#777")
    assert known == unknown
    assert NOT_THEIRS in known


async def test_a_control_that_names_an_alert_without_a_card_in_its_channel_says_nothing_of_it(
    stage: Stage,
) -> None:
    """A request that was made up, for an alert whose card is in another channel."""
    stage.slack.workspace.add_channel("C0OTHER", name="other", members=[READER])
    alert = await stage.leak()
    stage.slack.workspace.post_as_app("C0OTHER", "x", [])
    [message] = stage.slack.workspace.messages("C0OTHER")
    value = f"{alert.repository.id}/{alert.number}"
    await stage.slack.click(READER, "C0OTHER", message.ts, "check_validity", value=value, force=True)
    await stage.work(within=3)
    assert NOT_THEIRS in stage.answer_to(READER)
    assert "octo/payments" not in stage.answer_to(READER)


async def test_a_name_from_slack_can_t_mention_or_show_a_secret(stage: Stage) -> None:
    await stage.leak()
    token = "ghp_" + "a1B2" * 9
    stage.slack.workspace.change_user(OWNER, name=f"<!channel> {token}")
    await refused(stage)
    markup = stage.answer_markup(READER)
    assert "<!" not in markup
    assert token not in markup
