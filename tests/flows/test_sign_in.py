"""`/leaks link`: from the modal over GitHub's sign-in and the code to the link, and what goes on then."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from bot.jobs.housekeeping import run_housekeeping_once
from integrations.sandbox.github import GitHubUser, Organization
from storage import sign_ins
from storage.clock import Clock
from storage.records import IdentitySource, SignIn, SlackTeamId, SlackUserId
from storage.tables import link_page, link_request
from tests.flows.sign_in import (
    Browser,
    button_address,
    identity_of,
    link,
    open_window,
    shown_words,
    type_code,
)
from tests.flows.stage import CHANNEL, PUBLIC_URL, UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def newcomer(stage: Stage) -> GitHubUser:
    """Somebody who may see the alerts on GitHub, and whom nobody has linked."""
    account = stage.github.add_user("octo-new")
    octo = stage.github.app_owner
    assert isinstance(octo, Organization)
    stage.github.add_member(octo, account)
    stage.github.add_collaborator(stage.repository, account, "admin")
    return account


async def stored_sign_in(stage: Stage, user: str) -> SignIn | None:
    async with stage.context.db.read() as tx:
        return await sign_ins.load(tx, SlackTeamId(stage.slack.team_id), SlackUserId(user))


async def test_a_person_signs_in_and_types_the_code(stage: Stage, newcomer: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    assert view.callback_id == "link_account"
    browser = Browser(stage, newcomer)
    at_github = await browser.go_to_github(button_address(view))
    assert at_github.startswith(f"{stage.github.url}/login/oauth/authorize?")
    assert "code_challenge_method=S256" in at_github
    shown = await browser.open(await browser.authorize(at_github))
    assert shown.status == 200
    assert UNLINKED in shown.text
    assert "octo-new" in shown.text
    assert (
        "Type this into the window that Stanch opened for you in Slack. "
        "If you did not type /leaks link, close this page." in shown.text
    )
    assert browser.cookies == {}
    assert await identity_of(stage, UNLINKED) is None, "the page has stored a link"
    await type_code(stage, UNLINKED, shown.code)
    identity = await identity_of(stage, UNLINKED)
    assert identity is not None
    assert (identity.github.id, identity.source) == (newcomer.id, IdentitySource.SIGN_IN)
    assert "Your GitHub account is linked." in shown_words(stage.slack.view(UNLINKED))
    assert "octo-new" in shown_words(stage.slack.view(UNLINKED))
    stored = await stored_sign_in(stage, UNLINKED)
    assert stored is not None
    assert stored.tokens is not None
    assert "You are octo-new here." in await stage.type(UNLINKED, "whoami")


@pytest.mark.parametrize(
    "typed", [" {} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}", "{0[0]}{0[1]}{0[2]}-{0[3]}{0[4]}{0[5]}"]
)
async def test_spaces_and_dashes_in_a_code_do_no_harm(stage: Stage, newcomer: GitHubUser, typed: str) -> None:
    shown = await Browser(stage, newcomer).sign_in(button_address(await open_window(stage, UNLINKED)))
    await type_code(stage, UNLINKED, typed.format(shown.code))
    assert await identity_of(stage, UNLINKED) is not None


async def test_without_a_public_address_there_is_neither_a_page_nor_an_offer(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key) as stage:
        somebody = Browser(stage, stage.leaker)
        for path in ("/github/link?request=x", "/github/callback?state=x&code=y"):
            assert (await somebody.open(PUBLIC_URL + path)).status == 404
        answer = await stage.type(UNLINKED, "link")
        assert "Ask whoever runs Stanch to link" in answer
        assert stage.slack.view(UNLINKED) is None
        await stage.type(UNLINKED, "list")
        assert stage.slack.private_messages(UNLINKED)[-1].action_ids == []
        stage.check()


async def test_without_keys_the_token_is_deleted_at_github_and_the_link_stays(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(
        database_url, clock, private_key, sign_in=True, stanch_encryption_keys=None
    ) as stage:
        account = stage.github.add_user("octo-new")
        await link(stage, UNLINKED, account)
        stored = await stored_sign_in(stage, UNLINKED)
        assert stored is not None
        assert stored.tokens is None
        [sent] = stage.github.calls("DELETE", "/applications/.*/token")
        assert sent.status == 204
        stage.check()


async def test_signing_in_again_replaces_the_token_and_deletes_the_former_one(
    stage: Stage, newcomer: GitHubUser
) -> None:
    await link(stage, UNLINKED, newcomer)
    first = await stored_sign_in(stage, UNLINKED)
    view = await open_window(stage, UNLINKED)
    assert "You are linked to `octo-new` now." in shown_words(view)
    assert stage.github.calls("DELETE", "/applications/.*/token") == []
    shown = await Browser(stage, newcomer).sign_in(button_address(view))
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    second = await stored_sign_in(stage, UNLINKED)
    assert first is not None
    assert second is not None
    assert first.tokens != second.tokens
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 1


async def test_an_unfinished_sign_in_lapses_and_its_token_is_deleted(
    stage: Stage, newcomer: GitHubUser
) -> None:
    await Browser(stage, newcomer).sign_in(button_address(await open_window(stage, UNLINKED)))
    stage.clock.advance(601)
    await run_housekeeping_once(stage.context)
    await stage.work(within=10)
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 1
    async with stage.context.db.read() as tx:
        for table in (link_request, link_page):
            assert await tx.conn.scalar(sa.select(sa.func.count()).select_from(table)) == 0


async def test_whoever_clicks_unlinked_is_offered_linking_and_the_take_goes_on(
    stage: Stage, newcomer: GitHubUser
) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "take")
    refused = stage.slack.private_messages(UNLINKED)[-1]
    assert "Stanch doesn't know which GitHub account is yours." in stage.answer_to(UNLINKED)
    await stage.slack.click(UNLINKED, CHANNEL, refused.ts, "offer_link")
    await stage.work()
    shown = await Browser(stage, newcomer).sign_in(button_address(stage.form(UNLINKED)))
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert "octo-new" in stage.read()
    assert "goes on now" in shown_words(stage.slack.view(UNLINKED))


async def test_a_look_up_goes_on(stage: Stage, newcomer: GitHubUser) -> None:
    await stage.leak()
    await stage.type(UNLINKED, "show octo/payments#1")
    await offered(stage, newcomer)
    assert "octo/payments, alert 1" in stage.answer_to(UNLINKED)


async def test_a_form_opens_in_the_place_of_the_modal(stage: Stage, newcomer: GitHubUser) -> None:
    await stage.leak()
    await stage.pick(UNLINKED, "close_as", "revoked")
    refused = stage.form(UNLINKED)
    await stage.slack.click_in_view(UNLINKED, refused.id, "offer_link")
    await stage.work()
    assert stage.form(UNLINKED).id == refused.id
    shown = await Browser(stage, newcomer).sign_in(button_address(stage.form(UNLINKED)))
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert stage.form(UNLINKED).callback_id == "close_alert"
    await stage.submit(UNLINKED)
    assert "Closed as revoked" in stage.read()
    assert "octo-new" in stage.read()


async def test_a_form_whose_window_was_closed_comes_as_a_button(stage: Stage, newcomer: GitHubUser) -> None:
    """Closed between the code and the result."""
    await stage.leak()
    await stage.click(UNLINKED, "report_leak")
    await stage.slack.click_in_view(UNLINKED, stage.form(UNLINKED).id, "offer_link")
    await stage.work()
    view = stage.form(UNLINKED)
    shown = await Browser(stage, newcomer).sign_in(button_address(view))
    await stage.slack.submit(UNLINKED, view.id, {"code": {"code": shown.code}})
    await stage.slack.close_view(UNLINKED, view.id)
    await stage.work(within=10)
    again = stage.slack.private_messages(UNLINKED)[-1]
    assert again.action_ids == ["report_leak"]
    await stage.slack.click(UNLINKED, again.channel, again.ts, "report_leak")
    await stage.work(within=3)
    assert stage.form(UNLINKED).callback_id == "report_leak"


async def test_what_sends_a_secret_comes_back_as_a_button(stage: Stage, newcomer: GitHubUser) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "check_validity")
    await offered(stage, newcomer)
    assert stage.github.calls("GET", "/user")[1:] == [], "the secret was tried without a click"
    again = stage.slack.private_messages(UNLINKED)[-1]
    assert again.action_ids == ["check_validity"]
    await stage.slack.click(UNLINKED, CHANNEL, again.ts, "check_validity")
    await stage.work(within=3)
    assert "live token" in stage.read()


async def test_after_fifteen_minutes_nothing_goes_on_by_itself(stage: Stage, newcomer: GitHubUser) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "take")
    stage.clock.advance(901)
    await offered(stage, newcomer)
    assert "octo-new" not in stage.read()
    assert "was not done" in shown_words(stage.slack.view(UNLINKED))


async def offered(stage: Stage, account: GitHubUser) -> None:
    """Press the offer of the last refusal, and link."""
    refused = stage.slack.private_messages(UNLINKED)[-1]
    await stage.slack.click(UNLINKED, CHANNEL, refused.ts, "offer_link")
    await stage.work()
    shown = await Browser(stage, account).sign_in(button_address(stage.form(UNLINKED)))
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
