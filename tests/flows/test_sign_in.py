"""`/leaks link`: from the modal over GitHub's sign-in and the code to the link, and what goes on then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot import app
from bot.flows.people.finish_link import finish
from bot.flows.people.linking import is_held
from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import DirectoryOptions, Options
from bot.people_job_kinds import FinishLink
from integrations.sandbox.github import GitHubSandbox, GitHubUser, Organization
from integrations.sandbox.slack import SlackMessage, SlackSandbox
from storage import directory_pairs, sign_ins
from storage.clock import Clock
from storage.records import (
    Account,
    DirectoryPair,
    GitHubId,
    IdentitySource,
    LinkPage,
    LinkRequest,
    SignIn,
    SlackTeamId,
    SlackUserId,
)
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


BY_DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, sign_in=True, options=BY_DIRECTORY) as stage:
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
    opened = await stage.slack.click_in_view(UNLINKED, view.id, "link")
    assert (opened.status, opened.error) == (200, None)
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


async def test_without_a_public_address_there_is_neither_a_page_nor_an_offer(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key) as stage:
        somebody = Browser(stage, stage.leaker)
        for path in ("/github/link?request=x", "/github/callback?state=x&code=y"):
            assert (await somebody.open(PUBLIC_URL + path)).status == 404
        answer = await stage.type(UNLINKED, "link")
        assert "Ask an operator of Stanch to link" in answer
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
    view = stage.form(UNLINKED)
    assert view.callback_id == "link_account", "the window is there at once, without a further tap"
    assert "Stanch doesn't know which GitHub account is yours." in shown_words(view)
    shown = await Browser(stage, newcomer).sign_in(button_address(view))
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
    view = stage.form(UNLINKED)
    shown = await Browser(stage, newcomer).sign_in(button_address(view))
    await stage.slack.submit(UNLINKED, view.id, {"code": {"code": shown.code}})
    await stage.slack.close_view(UNLINKED, view.id)
    await stage.work(within=10)
    again = the_button(stage, "report_leak")
    await stage.slack.click(UNLINKED, again.channel, again.ts, "report_leak")
    await stage.work(within=3)
    assert stage.form(UNLINKED).callback_id == "report_leak"


async def test_what_sends_a_secret_comes_back_as_a_button(stage: Stage, newcomer: GitHubUser) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "check_validity")
    await offered(stage, newcomer)
    assert stage.github.calls("GET", "/user")[1:] == [], "the secret was tried without a click"
    again = the_button(stage, "check_validity")
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


def the_button(stage: Stage, action_id: str) -> SlackMessage:
    """The private message with this control alone."""
    [found] = [one for one in stage.slack.private_messages(UNLINKED) if one.action_ids == [action_id]]
    return found


async def hold(stage: Stage, user: str, account: GitHubUser, days: float, *, read: float = 0.0) -> None:
    """The directory has shown this pair for so many days, and was read so many days ago."""
    now = stage.clock.now()
    pair = DirectoryPair(
        SlackTeamId(stage.slack.team_id),
        SlackUserId(user),
        Account(GitHubId(account.id), account.login),
        "saml",
        "hash of an address",
        first_seen_at=now - days * 86400,
        seen_at=now - read * 86400,
    )
    async with stage.context.db.begin() as tx:
        await directory_pairs.pin(tx, pair)


async def test_whom_the_directory_has_held_for_seven_days_needs_no_code(
    stage: Stage, newcomer: GitHubUser
) -> None:
    await hold(stage, UNLINKED, newcomer, days=7.01, read=1.99)
    await stage.leak()
    await stage.click(UNLINKED, "report_leak")
    view = stage.form(UNLINKED)
    browser = Browser(stage, newcomer)
    at_github = await browser.go_to_github(button_address(view))
    assert "login=octo-new" in at_github
    shown = await browser.open(await browser.authorize(at_github))
    assert shown.status == 200
    assert "You are linked" in shown.text
    assert 'class="code"' not in shown.text
    stored = await stored_sign_in(stage, UNLINKED)
    assert stored is not None
    assert stored.tokens is not None
    await stage.work(within=5)
    assert stage.form(UNLINKED).callback_id == "report_leak", "the form did not open in the window's place"


async def test_everybody_else_needs_the_code(stage: Stage, newcomer: GitHubUser) -> None:
    browser = Browser(stage, newcomer)
    for case in ("six days", "another account", "two candidates", "suspended", "not read for two intervals"):
        held = stage.leaker if case == "another account" else newcomer
        read = 2.01 if case == "not read for two intervals" else 0.0
        await hold(stage, UNLINKED, held, days=6.9 if case == "six days" else 30, read=read)
        if case == "two candidates":
            await hold(stage, UNLINKED, stage.leaker, days=1)
        async with stage.context.db.begin() as tx:
            pairs = await directory_pairs.all_pairs(tx, SlackTeamId(stage.slack.team_id))
            if case == "suspended":
                await directory_pairs.suspend(tx, pairs[0], "directory_changed")
        shown = await browser.sign_in(button_address(await open_window(stage, UNLINKED)))
        assert shown.code, case
        assert await stored_sign_in(stage, UNLINKED) is None, case
        async with stage.context.db.begin() as tx:
            for pair in pairs:
                await directory_pairs.delete(tx, pair)


async def test_once_the_directory_is_turned_off_its_pairs_spare_nobody_the_code(
    stage: Stage, newcomer: GitHubUser
) -> None:
    """They are there until the next housekeeping."""
    await hold(stage, UNLINKED, newcomer, days=30)
    turned_off = replace(stage.context, options=Options())
    async with turned_off.db.begin() as tx:
        [pair] = await directory_pairs.all_pairs(tx, SlackTeamId(stage.slack.team_id))
        team, user = pair.slack_team, pair.slack_user
        request = LinkRequest("r", team, user, None, None, None, tx.now, tx.now + 600.0)
        page = LinkPage("p", "r", tx.now, tx.now + 600.0, github=pair.github)
        assert await is_held(tx, stage.context, request, page)
        assert not await is_held(tx, turned_off, request, page)


@pytest.mark.parametrize(("version", "knows_pkce"), [(None, True), ("3.20.1", False), ("3.21.0", True)])
async def test_an_enterprise_server_signs_in_on_its_own_host(
    database_url: str, clock: Clock, private_key: str, version: str | None, *, knows_pkce: bool
) -> None:
    async def set_version(slack: SlackSandbox, github: GitHubSandbox) -> None:
        github.installed_version = version

    async with open_stage(database_url, clock, private_key, sign_in=True, prepare=set_version) as stage:
        view = await open_window(stage, UNLINKED)
        browser = Browser(stage, stage.leaker)
        at_github = await browser.go_to_github(button_address(view))
        assert at_github.startswith(stage.github.url)
        assert ("code_challenge" in at_github) is knows_pkce
        shown = await browser.open(await browser.authorize(at_github))
        await type_code(stage, UNLINKED, shown.code)
        assert await identity_of(stage, UNLINKED) is not None
        stage.check()


async def test_without_keys_another_process_can_not_finish_the_sign_in(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """The verifier is in the memory of one process; GitHub gives nothing without it."""
    async with open_stage(
        database_url, clock, private_key, sign_in=True, stanch_encryption_keys=None
    ) as stage:
        browser = Browser(stage, stage.leaker)
        at_github = await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
        async with app.run(stage.settings, Options(), clock=clock, runs_jobs=False) as other:
            first, stage.running = stage.running, other
            shown = await browser.open(await browser.authorize(at_github))
            stage.running = first
        assert shown.status == 502
        assert await stored_sign_in(stage, UNLINKED) is None
        stage.check()


async def test_with_keys_another_process_finishes_the_sign_in(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        browser = Browser(stage, stage.leaker)
        at_github = await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
        async with app.run(stage.settings, Options(), clock=clock, runs_jobs=False) as other:
            first, stage.running = stage.running, other
            shown = await browser.open(await browser.authorize(at_github))
            stage.running = first
        await type_code(stage, UNLINKED, shown.code)
        assert await identity_of(stage, UNLINKED) is not None
        stage.check()


FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"drop": "after"},
    {"garbage": True},
    {"status": 200, "body": {"error": "bad_verification_code", "error_description": "old"}},
    {"status": 200, "body": {"error": "incorrect_client_credentials"}},
)


async def test_while_github_fails_nobody_is_linked(stage: Stage, newcomer: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    browser = Browser(stage, newcomer)
    for call in ("POST /login/oauth/access_token", "GET /user"):
        for fault in FAULTS:
            stage.github.faults.add(call, times=2, **fault)
            shown = await browser.sign_in(button_address(view))
            assert shown.status == 502, (call, fault)
            assert 'class="code"' not in shown.text
            stage.github.faults.clear()
    shown = await browser.sign_in(button_address(view))
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is not None


async def test_unlink_forgets_at_once_and_deletes_the_token_later(stage: Stage, newcomer: GitHubUser) -> None:
    await link(stage, UNLINKED, newcomer)
    assert "you signed in at GitHub" in await stage.type(UNLINKED, "whoami")
    down = stage.github.faults.add("DELETE /applications/.*", times=None, status=502)
    await stage.type(UNLINKED, "unlink")
    said = [message.shown_text for message in stage.slack.private_messages(UNLINKED)]
    assert any("Stanch has forgotten `octo-new`" in text for text in said)
    assert await identity_of(stage, UNLINKED) is None
    assert await stored_sign_in(stage, UNLINKED) is None
    assert "which GitHub account is yours" in await stage.type(UNLINKED, "whoami")
    stage.github.faults.remove(down)
    await stage.work(within=600)
    assert stage.github.calls("DELETE", "/applications/.*/token")[-1].status == 204
    assert stage.github.calls("DELETE", "/applications/.*/grant") == []
    assert newcomer.id in stage.github.authorizations, "the authorization is the person's own"
    assert "You have no link" in await stage.type(UNLINKED, "unlink")


async def test_an_expired_token_is_deleted_with_its_refresh_token(stage: Stage, newcomer: GitHubUser) -> None:
    await link(stage, UNLINKED, newcomer)
    stage.clock.advance(8 * 3600 + 1)
    await stage.type(UNLINKED, "unlink")
    await stage.work(within=60)
    pairs = stage.github.authorizations[newcomer.id].pairs
    assert len(pairs) == 2
    for pair in pairs:
        assert pair.refresh is not None
        assert not pair.access.is_valid(stage.clock.now())
        assert not pair.refresh.is_valid(stage.clock.now())


async def test_a_pair_that_the_directory_has_dropped_meanwhile_is_not_linked(
    stage: Stage, newcomer: GitHubUser
) -> None:
    """The link is stored in a later transaction than that which found the pair."""
    await Browser(stage, newcomer).sign_in(button_address(await open_window(stage, UNLINKED)))
    async with stage.context.db.read() as tx:
        [page] = (await tx.conn.execute(sa.select(link_page))).mappings().all()
    refused = await finish(stage.context, FinishLink(page["request"], page["state_hash"]), None)
    assert refused is not None
    assert await identity_of(stage, UNLINKED) is None
    await stage.work(within=10)
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 1
