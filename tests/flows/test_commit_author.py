"""Who committed a secret: read only with a permission that is off by default, shown only, and trusted in nothing."""

from typing import Any

import pytest

from bot.flows.alerts.commit_author import may_read_commits
from integrations.github.errors import Unavailable
from integrations.sandbox.github import GitHubAlert, GitHubUser
from integrations.sandbox.github.apps import DEFAULT_PERMISSIONS
from storage.records import CommitAuthor, InstallationId
from tests.bench.budgets import measure_alert
from tests.flows.outputs import collect_outputs
from tests.flows.planted import find_traces
from tests.flows.stage import ADMIN, CHANNEL, READER, Stage
from tests.flows.test_sync import counted_by_commit, sync

pytestmark = pytest.mark.either_database

COMMITS = r"/repos/[^/]+/[^/]+/commits/[0-9a-f]+"
EMAIL = "octo-reader@users.example"
NAME = "Dana Kim"


async def permit(stage: Stage) -> None:
    """Accept the permission to read contents, as an owner does on GitHub's page."""
    [installation] = stage.github.installations.values()
    stage.github.set_permissions(installation, DEFAULT_PERMISSIONS | {"contents": "read"})
    await stage.work()


async def leak(
    stage: Stage,
    *,
    author: str = READER,
    committer: GitHubUser | None = None,
    signed: bool = True,
    **more: Any,
) -> GitHubAlert:
    """Leak a secret in a commit by a person of the stage, and wait for its card."""
    person = stage.people[author]
    person.email = EMAIL
    stage.slack.workspace.change_user(READER, name=NAME)
    alert = stage.github.leak(stage.repository, author=person, token=stage.live_token(), **more)
    commit = stage.github.commit_of(alert)
    commit.signed, commit.committer = signed, committer
    await stage.work(within=10)
    return alert


def mentions(stage: Stage) -> str:
    """All that was sent to Slack about people."""
    return str([message.blocks for message in stage.slack.channel_messages(CHANNEL)])


async def test_without_the_permission_nobody_is_asked_or_named(stage: Stage) -> None:
    await leak(stage)
    assert stage.github.calls("GET", COMMITS) == []
    assert "Committed by" not in stage.read()
    assert "Git author" not in stage.read()


async def test_a_verified_commit_of_one_account_names_the_linked_person(stage: Stage) -> None:
    await permit(stage)
    alert = await leak(stage)
    assert f"Committed by: octo-reader ({NAME})" in stage.read()
    assert "committed by octo-reader" in stage.card().text
    assert "<@" not in mentions(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.commit_author is not None
    assert stored.commit_author.is_proved


async def test_a_verified_commit_of_a_person_who_is_not_linked_has_the_login_alone(stage: Stage) -> None:
    await permit(stage)
    stage.people["U0DANA"] = stage.github.add_user("dana-kim")
    await leak(stage, author="U0DANA")
    assert "Committed by: dana-kim, " in stage.read()


@pytest.mark.parametrize(
    ("signed", "by_another", "why"),
    [(False, False, "unsigned"), (False, True, "unsigned"), (True, True, "signed by another account")],
)
async def test_any_other_author_is_only_a_name_in_git(
    stage: Stage, signed: bool, by_another: bool, why: str
) -> None:
    """Anyone with push can write somebody else's e-mail address into a commit."""
    await permit(stage)
    await leak(stage, signed=signed, committer=stage.leaker if by_another else None)
    shown = stage.read()
    assert f"Git author: octo-reader ({why}: anyone with push can write this name)" in shown
    assert "Committed by" not in shown
    assert NAME not in shown
    assert READER not in mentions(stage)


async def test_a_commit_gives_no_right_and_no_message(stage: Stage) -> None:
    await permit(stage)
    await leak(stage)
    assert stage.slack.private_messages(READER) == []
    await stage.click(READER, "check_validity")
    assert ("refused", "no_role") in await stage.audited("check_validity")
    assert "nobody yet" in stage.read()


async def test_only_the_call_for_the_commit_can_read_contents(stage: Stage) -> None:
    await permit(stage)
    alert = await leak(stage)
    await stage.click(ADMIN, "check_validity")
    [call] = stage.github.calls("GET", COMMITS)
    assert call.permissions == {"metadata": "read", "contents": "read"}
    assert call.repository_ids == (alert.repository.id,)
    others = [one for one in stage.github.requests if one is not call]
    assert [one.path for one in others if "contents" in one.permissions] == []


async def test_a_commit_is_asked_about_once(stage: Stage) -> None:
    await permit(stage)
    alert = await leak(stage)
    stage.github.assign(alert, stage.people[ADMIN])
    await stage.work(within=10)
    stage.github.close(alert, by=stage.people[ADMIN], resolution="revoked")
    await stage.work(within=10)
    assert len(stage.github.calls("GET", COMMITS)) == 1
    assert "Committed by: octo-reader" in stage.read()


async def test_a_new_alert_takes_one_get_more_with_the_permission(stage: Stage) -> None:
    await permit(stage)
    usage = await measure_alert(stage)
    commit = stage.github.commit_of(stage.github.alerts[stage.repository.id, 2])
    assert usage.github == (
        "GET /repos/octo/payments/secret-scanning/alerts/2",
        f"GET /repos/octo/payments/commits/{commit.sha}",
    )
    assert (usage.cost.statements <= 25, usage.cost.commits <= 6) == (True, True)


@pytest.mark.parametrize("status", [403, 404, 409, 422])
async def test_a_refused_commit_leaves_the_card_without_the_line(stage: Stage, status: int) -> None:
    await permit(stage)
    rule = stage.github.faults.add(f"GET {COMMITS}", status=status, body={"message": "Not here"})
    alert = await leak(stage)
    stage.github.assign(alert, stage.people[ADMIN])
    await stage.work(within=400)
    assert rule.hits == 1
    assert "Git author" not in stage.read()
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.commit_author == CommitAuthor(stage.github.commit_of(alert).sha)


async def test_after_an_outage_the_author_is_added(stage: Stage) -> None:
    await permit(stage)
    stage.github.faults.add(f"GET {COMMITS}", status=502)
    await leak(stage)
    assert "Found: " in stage.read()
    assert "Committed by" not in stage.read()
    stage.github.faults.clear()
    await stage.work(within=400)
    assert "Committed by: octo-reader" in stage.read()
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_without_slack_the_name_is_left_out(stage: Stage) -> None:
    await permit(stage)
    stage.slack.faults.add("users.info", times=1, status=500)
    await leak(stage)
    assert "Committed by: octo-reader, " in stage.read()


async def test_neither_an_e_mail_address_nor_the_change_is_kept(stage: Stage) -> None:
    """GitHub's answer holds both; the change has the secret itself in it."""
    await permit(stage)
    alert = await leak(stage)
    outputs = await collect_outputs(stage)
    assert find_traces(outputs, {"the secret": alert.literal}) == []
    assert [place for place, content in outputs.items() if EMAIL.encode() in content] == []


async def test_an_alert_found_by_a_sync_names_its_author(stage: Stage) -> None:
    await permit(stage)
    stage.github.webhook_url = None
    await leak(stage)
    await sync(stage)
    await stage.work(within=10)
    assert "Committed by: octo-reader" in stage.read()
    await sync(stage)
    assert len(stage.github.calls("GET", COMMITS)) == 1


async def test_a_permission_that_was_taken_back_ends_the_question(stage: Stage) -> None:
    await permit(stage)
    await leak(stage)
    [installation] = stage.github.installations.values()
    stage.github.set_permissions(installation, DEFAULT_PERMISSIONS)
    await stage.work()
    await leak(stage)
    assert len(stage.github.calls("GET", COMMITS)) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_an_installation_that_github_does_not_show_may_read_nothing(stage: Stage, status: int) -> None:
    """An outage is no such answer."""
    await permit(stage)
    [number] = stage.github.installations
    stage.clock.advance(3601)
    rule = stage.github.faults.add(r"GET /app/installations/\d+", status=503)
    with pytest.raises(Unavailable):
        await may_read_commits(stage.context, InstallationId(number))
    rule.status = status
    assert not await may_read_commits(stage.context, InstallationId(number))
    stage.github.faults.remove(rule)
    assert await may_read_commits(stage.context, InstallationId(number))


async def test_without_an_installation_for_the_commit_the_author_stays_open(stage: Stage) -> None:
    """GitHub issues no token that can read contents; the next delivery asks again."""
    await permit(stage)
    issue = stage.github.location(stage.repository, "issue_body", number=7)
    await stage.leak(locations=[issue])
    rule = stage.github.faults.add(r"POST /app/installations/\d+/access_tokens", status=404)
    alert = await leak(stage)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.commit_author is None
    assert stored.place is not None
    assert rule.hits == 1
    stage.github.faults.remove(rule)
    stage.github.assign(alert, stage.people[ADMIN])
    await stage.work(within=10)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.commit_author is not None


async def test_a_name_is_stored_once(stage: Stage) -> None:
    await permit(stage)
    with counted_by_commit("UPDATE identity") as stored:
        await leak(stage)
        await leak(stage)
    assert len(stage.github.calls("GET", COMMITS)) == 2
    assert stored == [1]
