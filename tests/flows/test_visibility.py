"""Which alerts each role finds in look-ups, and that others are not revealed."""

import pytest
from structlog.testing import capture_logs

from storage import role_cache
from storage.records import GitHubId
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage

pytestmark = pytest.mark.either_database

TEN = [f"service-{number}" for number in range(1, 11)]
ASKED = r"/repos/octo/{}/collaborators/[^/]+/permission"
MAY_NOT_KNOW = "so some alerts may be missing"


@pytest.mark.parametrize(
    ("user", "count", "repositories"),
    [
        (OWNER, "11 open alerts, 1 to 10", 9),
        (MANAGER, "11 open alerts, 1 to 10", 9),
        (ADMIN, "1 open alert\n", 0),
        (READER, "No open alerts", 0),
        (UNLINKED, "Stanch doesn't know which GitHub account is yours.", 0),
    ],
)
async def test_a_role_finds_the_alerts_that_github_shows_it(
    stage: Stage, user: str, count: str, repositories: int
) -> None:
    """The admin is admin of one repository of eleven; a page holds ten alerts, and the newest is of that one."""
    await shelve(stage, TEN)
    for _ in range(2):
        answer = await stage.type(user, "list")
        assert count in answer
        assert sum(f"octo/{name} #1, not known whether it works" in answer for name in TEN) == repositories


async def test_github_is_asked_once_for_an_organization_s_owner(stage: Stage) -> None:
    await shelve(stage, TEN)
    await stage.type(OWNER, "list")
    assert len(stage.github.calls("GET", ASKED.format("[^/]+"))) == 1


async def test_github_is_asked_only_about_repositories_on_the_page(stage: Stage) -> None:
    """The reader's admin right is in the newest repository, whose alerts fill the page."""
    await shelve(stage, TEN)
    stage.clock.advance(5000)
    stored = await shelve(stage, ["tools"], 11)
    [context] = [one for one in stage.github.repositories.values() if one.name == "tools"]
    stage.github.add_collaborator(context, stage.people[READER], "admin")
    answer = await stage.type(READER, "list")
    assert f"octo/tools #{stored[-1].key.number}" in answer
    assert "Open alerts" in answer
    assert "11" not in answer.partition("\n")[0]
    assert stage.github.calls("GET", ASKED.format("tools"))
    assert not stage.github.calls("GET", ASKED.format("service-.*"))


async def test_invisible_alerts_are_not_counted(stage: Stage) -> None:
    await shelve(stage, TEN, 3)
    answer = await stage.type(ADMIN, "list")
    assert "service" not in answer
    assert "3" not in answer.replace("3 seconds", "").replace("13 seconds", "")
    assert "Next page" not in answer


async def test_an_assignee_sees_their_alert_and_no_other(stage: Stage) -> None:
    alert, other = await stage.leak(), await stage.leak()
    stage.github.assign(alert, stage.people[READER])
    await stage.work()
    answer = await stage.type(READER, "list")
    assert "1 open alert" in answer
    assert f"#{alert.number}," in answer
    assert f"#{other.number}," not in answer
    assert "Normal: not known" in await stage.type(READER, f"show octo/payments#{alert.number}")
    assert "There is no such alert" in await stage.type(READER, f"show octo/payments#{other.number}")


@pytest.mark.parametrize(
    ("minutes", "shown", "note"),
    [
        (2, True, ""),
        (10, True, "What you may view was last checked with GitHub 10 minutes ago."),
        (120, False, MAY_NOT_KNOW),
    ],
)
async def test_while_github_is_down_a_role_of_the_last_hour_counts_and_its_age_is_shown(
    stage: Stage, minutes: int, shown: bool, note: str
) -> None:
    alert = await stage.leak()
    await stage.type(ADMIN, "list")
    stage.clock.advance(minutes * 60)
    rule = stage.github.faults.add("GET /(repos|orgs|repositories)/.*", status=503)
    with capture_logs() as lines:
        answer = await stage.type(ADMIN, "list")
    logged = [line["reason"] for line in lines if line["event"] == "github_not_asked"]
    assert any("503" in reason for reason in logged) is not shown
    assert ("octo/payments" in answer) is shown
    assert note in answer
    assert ("last checked with GitHub" in answer) is (minutes == 10)
    answer = await stage.type(ADMIN, f"show octo/payments#{alert.number}")
    assert ("Normal: not known" in answer) is shown
    assert note in answer or "GitHub can't be asked right now what you may see." in answer
    stage.github.faults.remove(rule)
    assert "octo/payments" in await stage.type(ADMIN, "list")


async def test_a_denied_repository_is_asked_about_again_after_five_minutes(stage: Stage) -> None:
    """They may have been given the right since, without a webhook about it."""
    await stage.leak()
    assert "No open alerts" in await stage.type(READER, "list")
    stage.repository.collaborators[stage.people[READER].id] = "admin"
    assert "No open alerts" in await stage.type(READER, "list")
    stage.clock.advance(301)
    assert "1 open alert" in await stage.type(READER, "list")


async def test_a_role_is_asked_for_again_after_a_webhook_about_it(stage: Stage) -> None:
    await stage.leak()
    assert "1 open alert" in await stage.type(ADMIN, "list")
    async with stage.context.db.begin() as tx:
        await role_cache.drop_person(tx, GitHubId(stage.people[ADMIN].id))
    stage.repository.collaborators[stage.people[ADMIN].id] = "read"
    assert "No open alerts" in await stage.type(ADMIN, "list")


async def test_admins_of_a_repository_with_the_old_name_get_no_rights(stage: Stage) -> None:
    """The name answers with another id, so its admins see nothing of the stored repository."""
    [stored] = await shelve(stage, ["old-name"])
    [real] = [one for one in stage.github.repositories.values() if one.name == "old-name"]
    stage.github.delete_repository(real)
    taken = stage.github.add_repository(stage.github.app_owner, "old-name")
    stage.github.add_collaborator(taken, stage.people[READER], "admin")
    answer = await stage.type(READER, f"show octo/old-name#{stored.key.number}")
    assert "There is no such alert, or it is not yours to see." in answer


async def test_a_click_is_checked_for_the_person_who_clicks(stage: Stage) -> None:
    """A button's value does not depend on the person it was drawn for."""
    await shelve(stage, TEN, 2)
    await stage.type(OWNER, "list")
    shown = stage.slack.private_messages(OWNER)[-1]
    button = shown.control("page")
    assert button is not None
    await stage.slack.click(READER, CHANNEL, shown.ts, "page", force=True)
    await stage.work(within=3)
    assert "No open alerts" in stage.answer_to(READER)
    assert "service" not in stage.answer_to(READER)


async def test_an_absent_alert_is_refused_like_an_invisible_one(stage: Stage) -> None:
    """In the same words and by the same way, whether GitHub is up or down."""
    alert = await stage.leak()
    names = (f"show octo/payments#{alert.number}", "show octo/payments#4711", "show octo/nothing#1")
    for down in (False, True):
        stage.clock.advance(301)
        if down:
            stage.github.faults.add(".*", status=503)
        answer = {await stage.type(READER, name) for name in names}
        assert len(answer) == 1
        assert ("GitHub can't be asked" in answer.pop()) is down
        acknowledged = {(await stage.slack.command(READER, CHANNEL, name)).body for name in names}
        assert acknowledged == {""}
        await stage.work(within=3)
