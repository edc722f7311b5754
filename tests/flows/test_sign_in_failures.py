"""Sign-ins during which GitHub, Slack or time run out: nobody is linked by half, and no token is left behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import DirectoryOptions, Options
from storage import directory_pairs
from storage.clock import Clock
from storage.records import Account, DirectoryPair, GitHubId, SlackTeamId, SlackUserId
from tests.flows.sign_in import Browser, button_address, identity_of, open_window, type_code
from tests.flows.stage import UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database

DELETED = r"/applications/.*/token"
BY_DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, sign_in=True, options=BY_DIRECTORY) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def keyless(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Without encryption keys no token is kept."""
    async with open_stage(
        database_url, clock, private_key, sign_in=True, stanch_encryption_keys=None
    ) as stage:
        yield stage
        stage.check()


async def test_a_request_that_ends_while_github_answers_gives_no_code_and_keeps_no_token(
    stage: Stage,
) -> None:
    browser = Browser(stage, stage.leaker)
    callback = await browser.authorize(
        await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
    )
    gate = stage.github.faults.gate("GET /user", at="after")
    opening = asyncio.create_task(browser.open(callback))
    await gate.reached()
    stage.clock.advance(601)
    await run_housekeeping_once(stage.context)
    gate.open()
    shown = await opening
    assert shown.status == 404
    assert "This address does not work" in shown.text
    await stage.work()
    assert [call.status for call in stage.github.calls("DELETE", DELETED)] == [204]
    assert await identity_of(stage, UNLINKED) is None


async def test_while_slack_does_not_answer_the_page_names_the_slack_user_by_id(stage: Stage) -> None:
    """The person sees whose request it is, and the code works."""
    view = await open_window(stage, UNLINKED)
    stage.clock.advance(301)
    silent = stage.slack.fail("users.info", "internal_error", times=None)
    shown = await Browser(stage, stage.leaker).sign_in(button_address(view))
    assert shown.status == 200
    assert UNLINKED in shown.text
    assert "Name in Slack" not in shown.text
    stage.slack.faults.remove(silent)
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is not None


async def test_whom_the_directory_holds_is_not_linked_while_slack_does_not_answer(stage: Stage) -> None:
    """Without Slack nobody knows whether the person is still there. The page says who did not answer."""
    account, now = stage.leaker, stage.clock.now()
    pair = DirectoryPair(
        SlackTeamId(stage.slack.team_id),
        SlackUserId(UNLINKED),
        Account(GitHubId(account.id), account.login),
        "saml",
        "hash of an address",
        first_seen_at=now - 8 * 86400,
        seen_at=now,
    )
    async with stage.context.db.begin() as tx:
        await directory_pairs.pin(tx, pair)
    view = await open_window(stage, UNLINKED)
    silent = stage.slack.fail("users.info", "internal_error", times=None)
    shown = await Browser(stage, account).sign_in(button_address(view))
    assert shown.status == 502
    assert "Slack did not answer" in shown.text
    assert "GitHub" not in shown.text
    assert await identity_of(stage, UNLINKED) is None
    stage.slack.faults.remove(silent)
    shown = await Browser(stage, account).sign_in(button_address(view))
    assert "You are linked" in shown.text


async def test_a_token_that_github_does_not_delete_is_logged_and_the_code_shown(keyless: Stage) -> None:
    """Nobody has it any more, and it lapses by itself."""
    view = await open_window(keyless, UNLINKED)
    keyless.github.faults.add(f"DELETE {DELETED}", status=503)
    with capture_logs() as lines:
        shown = await Browser(keyless, keyless.leaker).sign_in(button_address(view))
    [told] = [line["reason"] for line in lines if line["event"] == "token_not_deleted"]
    assert "503" in told
    await type_code(keyless, UNLINKED, shown.code)
    assert await identity_of(keyless, UNLINKED) is not None


async def test_of_two_tabs_the_newest_code_counts_without_keys_too(keyless: Stage) -> None:
    """Here it is that of the tab which was opened first."""
    address = button_address(await open_window(keyless, UNLINKED))
    first, second = [Browser(keyless, keyless.leaker) for _ in range(2)]
    at_github = await first.go_to_github(address)
    older = await second.sign_in(address)
    newest = await first.open(await first.authorize(at_github))
    assert (await type_code(keyless, UNLINKED, older.code)).view_errors.keys() == {"code"}
    assert await identity_of(keyless, UNLINKED) is None
    await type_code(keyless, UNLINKED, newest.code)
    assert await identity_of(keyless, UNLINKED) is not None
