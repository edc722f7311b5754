"""`kill -9` at each step of a sign-in and of the directory: nobody is half linked, and nobody is linked twice."""

import asyncio
from typing import Literal

import aiohttp
import pytest
import sqlalchemy as sa

from bot.job_rows import new_job
from bot.people_job_kinds import SyncDirectory
from integrations.sandbox.github import GitHubUser, Organization
from storage import identities, jobs, sign_ins
from storage.people_tables import sign_in as sign_in_table
from storage.records import Identity, SlackTeamId, SlackUserId
from tests.flows.sign_in import Browser, button_address
from tests.processes.scene import ANY_ALERT, CHANNEL, RECOVERED, Scene
from tests.processes.signing_in import NEWCOMER, open_window, sign_in, start_with_newcomer, type_code
from tests.processes.waiting import until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EXCHANGE = "POST /login/oauth/access_token"


@pytest.fixture
async def newcomer(scene: Scene) -> GitHubUser:
    """The bot runs, and people can sign in."""
    return await start_with_newcomer(scene)


async def identity(scene: Scene) -> Identity | None:
    async with scene.db.read() as tx:
        return await identities.of_slack(tx, SlackTeamId(scene.slack.team_id), SlackUserId(NEWCOMER))


async def is_linked_once(scene: Scene, newcomer: GitHubUser) -> bool:
    found = await identity(scene)
    assert found is not None
    assert found.github.id == newcomer.id
    linked = [outcome for user, _, outcome in await scene.audited("link_identity") if user == NEWCOMER]
    assert linked == ["done"]
    return True


async def test_a_kill_while_github_is_asked_links_nobody_and_a_new_sign_in_works(
    scene: Scene, newcomer: GitHubUser
) -> None:
    for call, at in (
        (EXCHANGE, "before"),
        (EXCHANGE, "after"),
        ("GET /user", "before"),
        ("GET /user", "after"),
    ):
        browser = Browser(scene, newcomer)
        view = await open_window(scene)
        callback = await browser.authorize(await browser.go_to_github(button_address(view)))
        gate = scene.github.faults.gate(call, at="before" if at == "before" else "after", times=None)
        opening = asyncio.create_task(browser.open(callback))
        await gate.reached(timeout=RECOVERED)
        await scene.kill()
        with pytest.raises(aiohttp.ClientError):
            await opening
        await scene.restart()
        again = await browser.open(callback)
        assert again.status == 410, "the state is for one use"
        assert await identity(scene) is None

    view, page = await sign_in(scene, newcomer)
    await type_code(scene, view, page.code)
    await until(lambda: is_linked_once(scene, newcomer), "the newcomer is linked", within=RECOVERED)
    await scene.idle()


@pytest.mark.parametrize(
    ("method", "at"), [("users.info", "before"), ("views.update", "before"), ("views.update", "after")]
)
async def test_after_a_kill_behind_the_submitted_code_there_is_one_link(
    scene: Scene, newcomer: GitHubUser, method: str, at: Literal["before", "after"]
) -> None:
    view, page = await sign_in(scene, newcomer)
    gate = scene.slack.faults.gate(method, at=at, times=None)
    await type_code(scene, view, page.code)
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await until(lambda: is_linked_once(scene, newcomer), "the newcomer is linked", within=RECOVERED)
    await scene.idle()
    await is_linked_once(scene, newcomer)
    told = [words for words in scene.answers_to(NEWCOMER) if "is linked" in words]
    assert len(told) <= 1


@pytest.mark.parametrize("at", ["before", "after"])
async def test_after_a_kill_while_a_token_is_deleted_it_is_deleted(
    scene: Scene, newcomer: GitHubUser, at: Literal["before", "after"]
) -> None:
    view, page = await sign_in(scene, newcomer)
    await type_code(scene, view, page.code)
    await until(lambda: is_linked_once(scene, newcomer), "the newcomer is linked", within=RECOVERED)
    await scene.idle()
    gate = scene.github.faults.gate("DELETE /applications/.*/token", at=at, times=None)
    await scene.slack.command(NEWCOMER, CHANNEL, "unlink")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await scene.restart()
    await scene.idle()

    [pair] = scene.github.authorizations[newcomer.id].pairs
    assert not pair.access.is_valid(scene.github.now())
    assert await identity(scene) is None
    async with scene.db.read() as tx:
        kept = await sign_ins.load(tx, SlackTeamId(scene.slack.team_id), SlackUserId(NEWCOMER))
    assert kept is None or kept.tokens is None


@pytest.mark.parametrize("at", ["before", "after"])
async def test_after_a_kill_while_a_token_is_refreshed_it_is_refreshed_or_the_sign_in_is_suspended(
    scene: Scene, newcomer: GitHubUser, at: Literal["before", "after"]
) -> None:
    """GitHub ends both old tokens with its answer: without that answer, only a new sign-in helps."""
    await link(scene, newcomer)
    await scene.leak()
    await end_in_database(scene, access_until=0.0)
    gate = scene.github.faults.gate(EXCHANGE, at=at, times=None)
    await scene.slack.click(NEWCOMER, CHANNEL, scene.card().ts, "take")
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    await end_in_database(scene, refreshing_until=0.0)
    await scene.restart()
    await scene.idle()

    on_it = f"<@{NEWCOMER}>" in scene.card().shown_text
    assert on_it is (at == "before")
    if at == "after":
        assert [each for each in scene.answers_to(NEWCOMER) if "/leaks link" in each]
        assert scene.github.calls("PATCH") == [], "the App did not act in the person's place"
        await link(scene, newcomer)
        await scene.slack.click(NEWCOMER, CHANNEL, scene.card().ts, "take")
        await until(lambda: f"<@{NEWCOMER}>" in scene.card().shown_text, "they are on it", within=RECOVERED)
        await scene.idle()
    used = {each.user_id for each in scene.github.calls("GET", ANY_ALERT) if each.auth == "user"}
    assert used == {newcomer.id}


async def link(scene: Scene, newcomer: GitHubUser) -> None:
    """Sign in from the command to the stored link."""
    view, page = await sign_in(scene, newcomer)
    await type_code(scene, view, page.code)
    await until(lambda: identity(scene), "the newcomer is linked", within=RECOVERED)
    await scene.idle()


async def end_in_database(scene: Scene, **times: float) -> None:
    """Set times of the stored sign-in, so that the test need not wait for them."""
    async with scene.db.begin() as tx:
        await tx.conn.execute(sa.update(sign_in_table).values(**times))


@pytest.mark.parametrize("at", ["before", "after"])
async def test_after_a_kill_while_the_directory_is_read_its_people_are_linked_once(
    scene: Scene, at: Literal["before", "after"]
) -> None:
    address = f"{NEWCOMER.lower()}@octo.example"
    account = scene.github.add_user("octo-new")
    octo = scene.github.app_owner
    assert isinstance(octo, Organization)
    scene.github.add_member(octo, account)
    scene.github.add_identity(octo, account, address)
    scene.slack.scopes.add("users:read.email")
    scene.slack.workspace.add_user(NEWCOMER, name="octo-new", email=address, is_email_confirmed=True)
    options = '[directory]\nsource = "saml"\ndomains = ["octo.example"]\n'
    (scene.directory / "stanch.toml").write_text(options, encoding="utf-8")
    async with scene.db.begin() as tx:
        await jobs.enqueue(tx, new_job(SyncDirectory()))
    bot = scene.new_bot()
    gate = scene.github.faults.gate("POST /graphql", at=at, times=None)
    await bot.start()
    await gate.reached(timeout=RECOVERED)
    await scene.kill()
    assert await identity(scene) is None
    await scene.restart()
    await until(lambda: is_linked_once(scene, account), "the directory's person is linked", within=RECOVERED)
    await scene.idle()
    await is_linked_once(scene, account)
