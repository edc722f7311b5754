"""Two people for a report: who may approve it, what ends the request, and that one report is made."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.flows.people.continue_request import continue_request, stored_waiting
from bot.flows.people.link_by_operator import remove_link
from bot.job_kinds import FillForm, PerformAction
from bot.job_rows import read_job_text
from bot.jobs.handlers import HANDLERS
from bot.jobs.housekeeping import run_housekeeping_once
from bot.jobs.worker import Worker
from bot.options import DirectoryOptions, LimitsOptions, Options, ReportOptions
from bot.requests import ActionRequest
from integrations.sandbox.github import GitHubUser
from storage import identities, subscriptions
from storage.clock import Clock
from storage.records import (
    Account,
    AlertKey,
    AlertNumber,
    ChannelId,
    GitHubId,
    Identity,
    LinkRequest,
    RepositoryId,
    SlackTeamId,
    SlackUserId,
    Subscription,
    ThreadLevel,
)
from storage.tables import approval
from tests.flows.approving import BUTTONS, ask, decide, read_request, request, requests
from tests.flows.dying import die_after
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage, open_stage, plain
from tests.flows.test_identity_sources import account_of, sign_in
from tests.flows.test_report import REVOKE, sent
from tests.flows.test_roles import SOMEBODY, admin, organization, somebody

TWO = Options(
    report=ReportOptions(approvals=2),
    limits=LimitsOptions(reports_per_hour=100),
    directory=DirectoryOptions(source="saml", domains=("octo.example",), acts=True),
)
NAMES = {OWNER: "Ana Ruiz", ADMIN: "Bo Lind", MANAGER: "Cleo Marsh"}
APPROVED = [("intended", None), ("done", None)]
ASKED = [("intended", None), ("intended", "approval_requested")]
HOUR = 3600
words_only = pytest.mark.either_database


@pytest.fixture
async def two(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Stanch with `report.approvals` = 2."""
    async with open_stage(database_url, clock, private_key, options=TWO) as stage:
        for user, name in NAMES.items():
            stage.slack.workspace.change_user(user, name=name)
        yield stage
        stage.check()


# The usual way


@words_only
async def test_a_report_is_sent_once_a_second_person_approves_it(two: Stage) -> None:
    await ask(two)
    assert "octo-admin asks for approval to report it to GitHub." in read_request(two)
    assert "a second person approves or denies the report in the thread" in two.read()
    assert "report_leak" not in two.card().action_ids
    assert "The report is approved." in await decide(two, OWNER)
    assert len(sent(two)) == 1
    assert "octo-owner approved the report." in read_request(two)
    assert request(two).action_ids == []
    assert "reported to GitHub" in two.read()
    await two.work(within=70)
    assert "reported and confirmed inactive" in two.read()
    replies = [plain(one.shown_text) for one in two.slack.thread(CHANNEL, two.card().ts)]
    assert sum("octo-admin reported the leak to GitHub." in words for words in replies) == 1
    assert await two.audited("report_leak") == [*ASKED, ("intended", "approved"), ("done", None)]
    assert await two.audited("approve_report") == APPROVED
    assert two.slack.private_messages(ADMIN) == []


@words_only
async def test_the_form_says_that_a_second_person_has_to_approve_and_who_can(two: Stage) -> None:
    await two.leak()
    await two.click(ADMIN, "report_leak")
    form = plain(two.form(ADMIN).shown_text)
    assert "A second person has to approve this within an hour; nothing is sent before." in form
    assert "Ana Ruiz and Cleo Marsh can." in form
    assert "<@" not in two.form(ADMIN).shown_text


@words_only
async def test_somebody_from_outside_the_organization_reads_no_names_of_who_can_approve(two: Stage) -> None:
    admin(two, await somebody(two))
    await two.leak()
    await two.click(SOMEBODY, "report_leak")
    form = plain(two.form(SOMEBODY).shown_text)
    assert "A second person has to approve this within an hour; nothing is sent before." in form
    assert "Ask in this channel who can." in form
    assert not any(name in form for name in NAMES.values())


@words_only
async def test_by_default_nobody_else_is_asked(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "report_leak")
    assert "second person" not in stage.form(ADMIN).shown_text
    await stage.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert len(sent(stage)) == 1


@words_only
async def test_a_second_request_is_refused_while_one_is_open(two: Stage) -> None:
    await ask(two)
    await two.click(OWNER, "report_leak", value=f"{two.repository.id}/1", force=True)
    form = plain(two.form(OWNER).shown_text)
    assert "This report waits for a second person's approval." in form
    assert "octo-admin asked for it" in form
    assert two.form(OWNER).action_ids == []


async def test_two_requests_at_once_make_one(two: Stage) -> None:
    await two.leak()
    for user in (ADMIN, OWNER):
        await two.click(user, "report_leak")
    for user in (ADMIN, OWNER):
        await two.slack.submit(user, two.form(user).id, {"consequence": {"understood": ["yes"]}})
    other = Worker(two.context, HANDLERS)
    await asyncio.gather(two.running.worker.run_due(), other.run_due())
    await two.work(within=10)
    assert len(requests(two)) == 1
    assert ("refused", "awaits_approval") in await two.audited("report_leak")


@words_only
async def test_a_channel_without_replies_gets_the_request_and_its_result(two: Stage) -> None:
    async with two.context.db.begin() as tx:
        await subscriptions.add(tx, Subscription(ChannelId(CHANNEL), "", ThreadLevel.NONE))
    await ask(two)
    await decide(two, OWNER)
    assert "octo-owner approved the report." in read_request(two)
    assert len(requests(two)) == 1


@words_only
async def test_an_approved_report_waits_for_github_s_limit(two: Stage) -> None:
    await ask(two)
    two.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await decide(two, OWNER)
    assert "its report to GitHub is waiting" in two.read()
    await two.work(within=700)
    assert len(sent(two)) == 2
    assert "reported and confirmed inactive" in two.read()


@words_only
async def test_an_approved_report_that_is_refused_later_ends(two: Stage) -> None:
    alert = two.github.leak(two.repository, token=two.live_token())
    await two.work(within=10)
    await ask(two)
    two.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await decide(two, OWNER)
    two.github.close(alert, by=two.people[OWNER], resolution="revoked")
    await two.work(within=700)
    assert len(sent(two)) == 1
    assert "The report is not sent: the alert was closed." in read_request(two)
    assert "This alert is closed already." in two.answer_to(ADMIN)


@words_only
async def test_a_request_counts_towards_the_limit_of_an_hour_and_its_report_does_not(
    database_url: str, clock: Clock, private_key: str
) -> None:
    options = Options(report=ReportOptions(approvals=2), limits=LimitsOptions(reports_per_hour=1))
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        await ask(stage)
        await decide(stage, OWNER)
        assert len(sent(stage)) == 1
        stage.slack.workspace.delete_message(CHANNEL, stage.card().ts)
        await stage.leak()
        await stage.click(ADMIN, "report_leak")
        assert "You reported 1 secret within an hour" in plain(stage.form(ADMIN).shown_text)
        stage.check()


# Denied


@words_only
async def test_a_denied_report_is_not_sent_and_can_t_be_asked_for_again_for_an_hour(two: Stage) -> None:
    await ask(two)
    assert "Denied; nothing is sent." in await decide(two, OWNER, "deny_report")
    assert "octo-owner denied the report." in read_request(two)
    assert request(two).action_ids == []
    assert "The report that you asked for was denied." in two.answer_to(ADMIN)
    assert await two.audited("deny_report") == APPROVED
    await two.click(ADMIN, "report_leak")
    assert "A second person has denied this report." in plain(two.form(ADMIN).shown_text)
    assert two.form(ADMIN).action_ids == []
    two.clock.advance(HOUR)
    await ask(two)
    assert sent(two) == []


@words_only
async def test_after_a_denial_somebody_else_can_ask(two: Stage) -> None:
    await ask(two)
    await decide(two, OWNER, "deny_report")
    await ask(two, MANAGER)
    await decide(two, OWNER)
    assert len(sent(two)) == 1


# Who may decide


async def refused(stage: Stage, user: str, words: str, reason: str, action: str = "approve_report") -> str:
    """The refusal; nothing is sent, and the request stays open."""
    answer = await decide(stage, user, action)
    assert words in answer
    assert sent(stage) == []
    assert request(stage).action_ids == BUTTONS
    assert (await stage.audited(action))[-1] == ("refused", reason)
    return answer


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_the_person_who_asked_does_not_decide(two: Stage, action: str) -> None:
    await ask(two)
    words = "You asked for this report yourself, so a second person has to decide."
    answer = await refused(two, ADMIN, words, "self_approval", action)
    assert "Ana Ruiz and Cleo Marsh can." in answer


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_an_assignee_without_a_role_does_not_decide(two: Stage, action: str) -> None:
    alert = await two.leak()
    two.github.add_collaborator(two.repository, two.people[READER], "write")
    two.github.assign(alert, two.people[READER], by=two.people[OWNER])
    await two.work(within=5)
    await two.click(READER, "check_validity")
    await ask(two)
    words = "You can't decide this: none of your roles on GitHub gives you the right."
    answer = await refused(two, READER, words, "not_by_role", action)
    assert "Ana Ruiz and Cleo Marsh can." in answer
    assert "Bo Lind" not in answer, "the person who asked"


@words_only
async def test_somebody_without_a_right_does_not_decide(two: Stage) -> None:
    await ask(two)
    await refused(two, READER, "GitHub doesn't let octo-reader see the alerts of octo/payments.", "no_role")


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_somebody_who_lost_the_role_a_moment_ago_does_not_decide(two: Stage, action: str) -> None:
    """Their role was read less than five minutes ago, and no webhook told of the change."""
    await ask(two)
    await two.click(MANAGER, "check_validity")
    two.github.webhook_url = None
    two.github.unassign_organization_role(organization(two), "security_manager", two.people[MANAGER])
    await refused(two, MANAGER, "GitHub doesn't let octo-sec see the alerts", "no_role", action)


@words_only
async def test_somebody_who_is_not_linked_does_not_decide(two: Stage) -> None:
    await ask(two)
    await refused(two, UNLINKED, "Stanch doesn't know which GitHub account is yours.", "not_linked")


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_somebody_who_was_linked_after_the_request_does_not_decide(two: Stage, action: str) -> None:
    security = two.github.add_user("octo-late")
    two.github.add_collaborator(two.repository, security, "admin")
    await ask(two)
    await two.link(UNLINKED, security)
    words = "You were linked to your GitHub account after this was asked for"
    await refused(two, UNLINKED, words, "linked_later", action)


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_a_link_that_an_operator_freed_after_the_request_does_not_decide(
    two: Stage, action: str
) -> None:
    """Another Slack user had signed in to the approver's account."""
    two.slack.workspace.add_user("U0EVE", name="Eve")
    await sign_in(two, "U0EVE", account_of(two.people[MANAGER]))
    await ask(two)
    two.clock.advance(60)
    team = SlackTeamId(two.slack.team_id)
    async with two.context.db.begin() as tx:
        await remove_link(tx, team, SlackUserId("U0EVE"))
    words = "You were linked to your GitHub account after this was asked for"
    await refused(two, MANAGER, words, "linked_later", action)


async def put(stage: Stage, user: str, account: GitHubUser, **fields: Any) -> None:
    """Store an identity as it is, in place of the account's former one."""
    linked = Account(GitHubId(account.id), account.login)
    team, since = SlackTeamId(stage.slack.team_id), stage.clock.now() - HOUR
    identity = Identity(team, SlackUserId(user), linked, "mapping", since, "cli")
    async with stage.context.db.begin() as tx:
        former = await identities.of_github(tx, team, linked.id)
        if former is not None:
            await identities.unlink(tx, team, former.slack_user)
        await identities.put(tx, replace(identity, **fields))


@words_only
async def test_the_other_slack_user_of_the_person_who_asked_does_not_decide(two: Stage) -> None:
    await ask(two)
    await put(two, UNLINKED, two.people[ADMIN])
    await refused(two, UNLINKED, "You asked for this report yourself", "self_approval")


@words_only
async def test_another_account_of_the_person_who_asked_does_not_decide(two: Stage) -> None:
    other = two.github.add_user("octo-second")
    two.github.add_collaborator(two.repository, other, "admin")
    await ask(two)
    async with two.context.db.begin() as tx:
        await identities.unlink(tx, SlackTeamId(two.slack.team_id), SlackUserId(ADMIN))
    await put(two, ADMIN, other)
    await refused(two, ADMIN, "You asked for this report yourself", "self_approval")


@words_only
async def test_a_suspended_link_does_not_decide(two: Stage) -> None:
    await ask(two)
    await put(two, OWNER, two.people[OWNER], suspended_at=two.clock.now(), suspension="sources_disagree")
    await refused(two, OWNER, "Your link to your GitHub account is suspended.", "suspended")


@words_only
@pytest.mark.parametrize("action", BUTTONS)
async def test_a_link_by_the_directory_does_not_decide(
    database_url: str, clock: Clock, private_key: str, action: str
) -> None:
    """Not even where such people may take, check, report and close."""
    directory = DirectoryOptions(source="saml", domains=("octo.example",), acts=True)
    options = Options(report=ReportOptions(approvals=2), directory=directory)
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        await put(stage, OWNER, stage.people[OWNER], proof="directory", linked_by="directory")
        await ask(stage)
        words = "You are known here by your organization's directory alone"
        answer = await refused(stage, OWNER, words, "directory_alone", action)
        assert f"You can't {action.partition('_')[0]} this report." in answer
        own = await decide(stage, ADMIN, action)
        assert "octo-sec can." in own
        assert "octo-owner" not in own
        stage.check()


@words_only
async def test_a_guest_does_not_decide(two: Stage) -> None:
    await ask(two)
    two.slack.workspace.change_user(OWNER, is_restricted=True)
    await refused(two, OWNER, "You can't use Stanch here.", "guest")


# What ends a request


def revoked_elsewhere(stage: Stage) -> None:
    stage.github.set_validity(stage.github.alerts[stage.repository.id, 1], "inactive")


def made_public(stage: Stage) -> None:
    stage.github.set_visibility(stage.repository, "public")


def owned_by_another(stage: Stage) -> None:
    other = stage.github.add_user("other-dev")
    pairs = {"owner-id": str(other.id), "owner-name": other.login}
    stage.github.add_metadata(stage.github.alerts[stage.repository.id, 1], pairs)


def closed(stage: Stage) -> None:
    stage.github.close(
        stage.github.alerts[stage.repository.id, 1], by=stage.people[OWNER], resolution="revoked"
    )


@words_only
@pytest.mark.parametrize(
    ("change", "words", "reason"),
    [
        (revoked_elsewhere, "the secret does not work", "inactive"),
        (made_public, "the repository is public", "public"),
        (owned_by_another, "the token has another owner", "token_owner_changed"),
        (closed, "the alert was closed", "closed"),
    ],
)
async def test_a_change_between_request_and_approval_ends_the_request(
    two: Stage, change: Callable[[Stage], None], words: str, reason: str
) -> None:
    await two.leak()
    await ask(two)
    two.github.webhook_url = None
    change(two)
    assert f"The request has ended: {words}" in await decide(two, OWNER)
    assert sent(two) == []
    assert f"The report is not sent: {words}" in read_request(two)
    assert request(two).action_ids == []
    assert f"The report that you asked for was not sent: {words}" in two.answer_to(ADMIN)
    assert (await two.audited("approve_report"))[-1] == ("refused", reason)


@words_only
async def test_a_check_that_finds_another_validity_ends_the_request(two: Stage) -> None:
    await two.leak()
    await ask(two)
    await two.click(OWNER, "check_validity")
    assert "what is known of whether the secret works has changed" in await decide(two, OWNER)
    assert sent(two) == []
    await ask(two)
    await decide(two, OWNER)
    assert len(sent(two)) == 1


@words_only
async def test_another_role_of_the_person_who_asked_ends_the_request(two: Stage) -> None:
    await ask(two, MANAGER)
    two.github.add_member(organization(two), two.people[MANAGER], role="admin")
    await decide(two, OWNER)
    assert sent(two) == []
    assert "the person who asked has another role on GitHub" in read_request(two)
    assert (await two.audited("report_leak"))[-1] == ("refused", "role_changed")
    assert "The approved report is not sent" in two.answer_to(MANAGER)


@words_only
@pytest.mark.parametrize(
    ("change", "words"),
    [({"is_restricted": True}, "is a guest in Slack now"), ({"deleted": True}, "is deactivated")],
)
async def test_nothing_is_sent_for_somebody_who_may_no_longer_act(
    two: Stage, change: dict[str, bool], words: str
) -> None:
    await ask(two)
    two.slack.workspace.change_user(ADMIN, **change)
    await decide(two, OWNER)
    assert sent(two) == []
    assert "The report is not sent" in read_request(two)
    assert words in read_request(two)


@words_only
async def test_the_buttons_go_with_a_closure_and_come_back_with_a_reopening(two: Stage) -> None:
    await ask(two)
    alert = two.github.alerts[two.repository.id, 1]
    two.github.close(alert, by=two.people[OWNER], resolution="false_positive")
    await two.work(within=5)
    assert request(two).action_ids == []
    two.github.reopen(alert, by=two.people[OWNER])
    await two.work(within=5)
    assert request(two).action_ids == BUTTONS
    await decide(two, OWNER)
    assert len(sent(two)) == 1


@words_only
async def test_nothing_is_sent_for_somebody_whose_link_was_suspended(two: Stage) -> None:
    await ask(two)
    await put(two, ADMIN, two.people[ADMIN], suspended_at=two.clock.now(), suspension="sources_disagree")
    await decide(two, OWNER)
    assert sent(two) == []
    assert "to their GitHub account is suspended" in read_request(two)


@words_only
async def test_a_request_lapses_after_an_hour(two: Stage) -> None:
    await ask(two)
    shown = request(two)
    await two.work(within=HOUR)
    assert "Nobody approved the report within an hour." in read_request(two)
    assert request(two).action_ids == []
    assert "Nobody approved the report that you asked for" in two.answer_to(ADMIN)
    assert (await two.audited("report_leak"))[-1] == ("refused", "approval_lapsed")
    assert "report_leak" in two.card().action_ids
    answer = await decide(two, OWNER, shown=shown)
    assert "This request for approval has lapsed." in answer
    assert sent(two) == []


@words_only
async def test_a_request_is_not_approved_after_an_hour_though_its_end_was_delayed(two: Stage) -> None:
    await ask(two)
    two.clock.advance(HOUR)
    await two.slack.click(OWNER, CHANNEL, request(two).ts, "approve_report")
    await two.work(within=3)
    assert "This request for approval has lapsed." in two.answer_to(OWNER)
    assert sent(two) == []


@words_only
async def test_an_old_button_does_not_decide_a_new_request(two: Stage) -> None:
    await ask(two)
    first, shown = request(two), request(two)
    await decide(two, OWNER, "deny_report")
    await ask(two, MANAGER)
    assert len(requests(two)) == 2
    await two.slack.click(OWNER, CHANNEL, first.ts, "approve_report", shown=shown)
    await two.work(within=3)
    assert "This report has been denied already." in two.answer_to(OWNER)
    assert sent(two) == []
    assert request(two).action_ids == BUTTONS


@words_only
@pytest.mark.parametrize("value", ["{alert}", "{alert}/", "{alert}/0000", "{alert}/0000/1", "1/1/{request}"])
async def test_a_forged_button_decides_nothing(two: Stage, value: str) -> None:
    await ask(two)
    control = request(two).control("approve_report")
    assert control is not None
    alert, _, known = str(control["value"]).rpartition("/")
    await decide(two, OWNER, value=value.format(alert=alert, request=known), force=True)
    assert sent(two) == []
    assert request(two).action_ids == BUTTONS
    assert two.answer_to(OWNER) != ""


@words_only
async def test_the_button_of_another_alert_s_request_decides_nothing(two: Stage) -> None:
    await ask(two)
    control = request(two).control("approve_report")
    assert control is not None
    known = str(control["value"]).rpartition("/")[2]
    two.github.leak(two.repository, token=two.live_token(), path="other.py")
    ts = request(two).ts
    await two.work(within=10)
    value = f"{two.repository.id}/2/{known}"
    await two.slack.click(OWNER, CHANNEL, ts, "approve_report", value=value, force=True)
    await two.work(within=3)
    assert "This request for approval is no longer known." in two.answer_to(OWNER)
    assert sent(two) == []


@words_only
async def test_requests_are_deleted_days_after_their_end(two: Stage) -> None:
    await ask(two)
    await decide(two, OWNER, "deny_report")
    for days, left in ((2.9, 1), (0.3, 0)):
        two.clock.advance(days * 24 * HOUR)
        await run_housekeeping_once(two.context)
        async with two.context.db.read() as tx:
            count = await tx.conn.scalar(sa.select(sa.func.count()).select_from(approval))
        assert count == left


# Once


async def decide_at_once(stage: Stage, *clicks: tuple[str, str]) -> None:
    """Several people press buttons of one request, and two workers run their jobs."""
    ts = request(stage).ts
    for user, action in clicks:
        await stage.slack.click(user, CHANNEL, ts, action)
    other = Worker(stage.context, HANDLERS)
    await asyncio.gather(stage.running.worker.run_due(), other.run_due())
    await stage.work(within=10)


async def test_two_people_who_approve_at_once_make_one_report(two: Stage) -> None:
    await ask(two)
    await decide_at_once(two, (OWNER, "approve_report"), (MANAGER, "approve_report"))
    assert len(sent(two)) == 1
    assert (await two.audited("approve_report")).count(("done", None)) == 1
    assert ("refused", "approval_approved") in await two.audited("approve_report")


async def test_of_an_approval_and_a_denial_at_once_the_first_counts(two: Stage) -> None:
    await ask(two)
    await decide_at_once(two, (OWNER, "approve_report"), (MANAGER, "deny_report"))
    decided = [*await two.audited("approve_report"), *await two.audited("deny_report")]
    assert decided.count(("done", None)) == 1
    assert len(sent(two)) == (1 if ("done", None) in await two.audited("approve_report") else 0)


@words_only
async def test_a_click_that_slack_sends_twice_decides_once(two: Stage) -> None:
    await ask(two)
    await decide_at_once(two, (OWNER, "approve_report"), (OWNER, "approve_report"))
    assert len(sent(two)) == 1


@words_only
async def test_a_process_that_dies_after_any_commit_makes_one_report(two: Stage) -> None:
    """From the click on Approve until the report is recorded."""
    for last in range(1, 13):
        await ask(two)
        await two.slack.click(OWNER, CHANNEL, request(two).ts, "approve_report")
        await die_after(two, last)
        assert len(sent(two)) == last, f"after {last} commits"
        assert "octo-owner approved the report." in read_request(two)
        alert = two.github.alerts[two.repository.id, last]
        two.github.close(alert, by=two.people[OWNER], resolution="revoked")
        await two.work(within=5)
        two.slack.workspace.delete_message(CHANNEL, two.card().ts)
    assert (await two.audited("approve_report")).count(("done", None)) == 12
    assert [outcome for outcome, _ in await two.audited("report_leak")].count("done") == 12


@pytest.mark.parametrize("kind", [FillForm, PerformAction])
def test_an_approval_that_a_button_of_an_offer_carries_is_not_believed(
    kind: type[FillForm | PerformAction],
) -> None:
    """The offer to link carries the refused request, and what comes back from Slack may be forged."""
    team, user, action = (
        SlackTeamId("T0"),
        SlackUserId("U0"),
        "take" if kind is PerformAction else "report_leak",
    )
    alert = AlertKey(RepositoryId(1), AlertNumber(2))
    forged = ActionRequest(
        action=action, alert=alert, team=team, user=user, at=0.0, approval="5f0c", waited=True
    )
    offered = LinkRequest("", team, user, None, "V0", stored_waiting(kind(forged)), 0.0, 600.0)
    continued = continue_request(offered, "octo-admin", 1.0)
    done = [read_job_text(json.dumps({"kind": job.kind, "payload": job.payload})) for job in continued.jobs]
    assert len(done) + (continued.form is not None) == 1
    for job in (*done, continued.form):
        if isinstance(job, FillForm | PerformAction):
            assert (job.request.approval, job.request.waited) == (None, False)
