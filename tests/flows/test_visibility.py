"""Who finds which alerts: an organization's whole, repository by repository, or none; and what is never told."""

import pytest

from storage import role_cache
from storage.records import GitHubId
from tests.flows.shelf import shelve
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage

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
async def test_a_role_finds_what_github_shows_it(
    stage: Stage, user: str, count: str, repositories: int
) -> None:
    """The admin is admin of one repository of eleven; a page holds ten alerts, and the newest is of that one."""
    await shelve(stage, TEN)
    for _ in range(2):
        said = await stage.type(user, "list")
        assert count in said
        assert sum(f"octo/{name} #1, validity unknown" in said for name in TEN) == repositories


async def test_one_question_is_enough_for_whoever_owns_the_organization(stage: Stage) -> None:
    await shelve(stage, TEN)
    await stage.type(OWNER, "list")
    assert len(stage.github.calls("GET", ASKED.format("[^/]+"))) == 1


async def test_github_is_asked_about_the_repositories_on_the_page_alone(stage: Stage) -> None:
    """The reader's admin right is in the newest repository, whose alerts fill the page."""
    await shelve(stage, TEN)
    stage.clock.advance(5000)
    stored = await shelve(stage, ["tools"], 11)
    [context] = [one for one in stage.github.repositories.values() if one.name == "tools"]
    stage.github.add_collaborator(context, stage.people[READER], "admin")
    said = await stage.type(READER, "list")
    assert f"octo/tools #{stored[-1].key.number}" in said
    assert "Open alerts" in said
    assert "11" not in said.partition("\n")[0]
    assert stage.github.calls("GET", ASKED.format("tools"))
    assert not stage.github.calls("GET", ASKED.format("service-.*"))


async def test_what_is_not_theirs_is_not_even_counted(stage: Stage) -> None:
    await shelve(stage, TEN, 3)
    said = await stage.type(ADMIN, "list")
    assert "service" not in said
    assert "3" not in said.replace("3 seconds", "").replace("13 seconds", "")
    assert "Next page" not in said


async def test_an_assignee_sees_their_alert_and_no_other(stage: Stage) -> None:
    alert, other = await stage.leak(), await stage.leak()
    stage.github.assign(alert, stage.people[READER])
    await stage.work()
    said = await stage.type(READER, "list")
    assert "1 open alert" in said
    assert f"#{alert.number}," in said
    assert f"#{other.number}," not in said
    assert "Open: not known" in await stage.type(READER, f"show octo/payments#{alert.number}")
    assert "There is no such alert" in await stage.type(READER, f"show octo/payments#{other.number}")


@pytest.mark.parametrize(
    ("minutes", "shown", "note"),
    [
        (2, True, ""),
        (10, True, "What you may view was last checked with GitHub 10 minutes ago."),
        (120, False, MAY_NOT_KNOW),
    ],
)
async def test_while_github_is_down_a_role_of_the_last_hour_counts_and_its_age_is_told(
    stage: Stage, minutes: int, shown: bool, note: str
) -> None:
    alert = await stage.leak()
    await stage.type(ADMIN, "list")
    stage.clock.advance(minutes * 60)
    rule = stage.github.faults.add("GET /(repos|orgs|repositories)/.*", status=503)
    said = await stage.type(ADMIN, "list")
    assert ("octo/payments" in said) is shown
    assert note in said
    assert ("last checked with GitHub" in said) is (minutes == 10)
    said = await stage.type(ADMIN, f"show octo/payments#{alert.number}")
    assert ("Open: not known" in said) is shown
    assert note in said or "GitHub can't be asked right now what you may see." in said
    stage.github.faults.remove(rule)
    assert "octo/payments" in await stage.type(ADMIN, "list")


async def test_a_no_is_asked_again_after_five_minutes(stage: Stage) -> None:
    """They may have been given the right meanwhile, without a webhook that tells of it."""
    await stage.leak()
    assert "No open alerts" in await stage.type(READER, "list")
    stage.repository.collaborators[stage.people[READER].id] = "admin"
    assert "No open alerts" in await stage.type(READER, "list")
    stage.clock.advance(301)
    assert "1 open alert" in await stage.type(READER, "list")


async def test_a_role_that_github_says_has_changed_is_asked_anew(stage: Stage) -> None:
    await stage.leak()
    assert "1 open alert" in await stage.type(ADMIN, "list")
    async with stage.context.db.begin() as tx:
        await role_cache.drop_person(tx, GitHubId(stage.people[ADMIN].id))
    stage.repository.collaborators[stage.people[ADMIN].id] = "read"
    assert "No open alerts" in await stage.type(ADMIN, "list")


async def test_whoever_took_over_a_repositorys_name_gives_nobody_a_right(stage: Stage) -> None:
    """The name answers with another id: then nothing of the stored repository is shown to its admins."""
    [stored] = await shelve(stage, ["old-name"])
    [real] = [one for one in stage.github.repositories.values() if one.name == "old-name"]
    stage.github.delete_repository(real)
    taken = stage.github.add_repository(stage.github.app_owner, "old-name")
    stage.github.add_collaborator(taken, stage.people[READER], "admin")
    said = await stage.type(READER, f"show octo/old-name#{stored.key.number}")
    assert "There is no such alert, or it is not yours to see." in said


async def test_a_click_is_judged_for_whoever_clicks(stage: Stage) -> None:
    """Buttons carry nothing of whoever they were drawn for."""
    await shelve(stage, TEN, 2)
    await stage.type(OWNER, "list")
    shown = stage.slack.private_messages(OWNER)[-1]
    button = shown.control("page")
    assert button is not None
    await stage.slack.click(READER, CHANNEL, shown.ts, "page", force=True)
    await stage.work(within=3)
    assert "No open alerts" in stage.answer_to(READER)
    assert "service" not in stage.answer_to(READER)


async def test_an_alert_that_is_not_there_is_refused_like_one_that_is_not_theirs(stage: Stage) -> None:
    """In the same words, by the same way, while GitHub answers and while it does not."""
    alert = await stage.leak()
    names = (f"show octo/payments#{alert.number}", "show octo/payments#4711", "show octo/nothing#1")
    for down in (False, True):
        stage.clock.advance(301)
        if down:
            stage.github.faults.add(".*", status=503)
        said = {await stage.type(READER, name) for name in names}
        assert len(said) == 1
        assert ("GitHub can't be asked" in said.pop()) is down
        acknowledged = {(await stage.slack.command(READER, CHANNEL, name)).body for name in names}
        assert acknowledged == {""}
        await stage.work(within=3)
