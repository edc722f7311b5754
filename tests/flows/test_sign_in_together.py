"""Steps of one sign-in that happen at the same moment, on both databases."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.flows.people.link_secrets import cookie_name, new_cookie, state_of
from bot.flows.people.linking import start
from bot.flows.people.submit_code import TypedCode, submit_code
from storage import audit, jobs, sign_ins
from storage.clock import Clock
from storage.db import Tx
from storage.records import JobState, SlackTeamId, SlackUserId
from storage.tables import link_request
from tests.flows.sign_in import Browser, button_address, identity_of, link, open_window
from tests.flows.stage import PUBLIC_URL, UNLINKED, open_stage


async def test_of_two_submits_at_once_one_links(database_url: str, clock: Clock, private_key: str) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        view = await open_window(stage, UNLINKED)
        shown = await Browser(stage, stage.leaker).sign_in(button_address(view))
        typed = TypedCode(
            team=SlackTeamId(stage.slack.team_id),
            user=SlackUserId(UNLINKED),
            view_id=view.id,
            metadata=view.private_metadata,
            code=shown.code,
        )
        submits = (submit_code(stage.context, typed) for _ in range(4))
        answers = await asyncio.gather(*submits, return_exceptions=True)
        assert answers.count(None) == 1
        assert all(answer is None or isinstance(answer, str | Refused) for answer in answers)
        async with stage.context.db.read() as tx:
            found = await jobs.list_jobs(tx, states=(JobState.READY,))
        assert [job.kind for job in found].count("finish_link") == 1
        await stage.work(within=10)
        assert await identity_of(stage, UNLINKED) is not None
        stage.check()


async def test_of_two_callbacks_at_once_one_asks_github(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        browser = Browser(stage, stage.leaker)
        at_github = await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
        callback = await browser.authorize(at_github)
        same = [Browser(stage, stage.leaker, dict(browser.cookies)) for _ in range(4)]
        shown = await asyncio.gather(*(one.open(callback) for one in same))
        assert sorted(one.status for one in shown) == [200, 410, 410, 410]
        assert len(stage.github.calls("POST", "/login/oauth/access_token")) == 1
        stage.check()


async def test_two_tabs_at_once_leave_one_code(database_url: str, clock: Clock, private_key: str) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        address = button_address(await open_window(stage, UNLINKED))
        browser = Browser(stage, stage.leaker)
        callbacks = [await browser.authorize(await browser.go_to_github(address)) for _ in range(4)]
        shown = await asyncio.gather(*(browser.open(callback) for callback in callbacks))
        typed = [
            TypedCode(
                team=SlackTeamId(stage.slack.team_id),
                user=SlackUserId(UNLINKED),
                view_id="V1",
                metadata=stage.form(UNLINKED).private_metadata,
                code=one.code,
            )
            for one in shown
        ]
        answers = [await submit_code(stage.context, one) for one in typed[:3]]
        right = answers.count(None)
        if not right:
            assert await submit_code(stage.context, typed[3]) is None
        assert right <= 1
        stage.check()


async def test_of_many_codes_at_once_five_are_tried(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        view = await open_window(stage, UNLINKED)
        await Browser(stage, stage.leaker).sign_in(button_address(view))
        typed = TypedCode(
            team=SlackTeamId(stage.slack.team_id),
            user=SlackUserId(UNLINKED),
            view_id=view.id,
            metadata=view.private_metadata,
            code="not a code",
        )
        submits = (submit_code(stage.context, typed) for _ in range(12))
        await asyncio.gather(*submits, return_exceptions=True)
        assert await stage.audited("link_identity") == [("refused", "wrong_code")] * 5
        stage.check()


async def test_of_many_windows_at_once_one_is_left(database_url: str, clock: Clock, private_key: str) -> None:
    """Else each of them had five tries of its own."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        user = SlackUserId(UNLINKED)
        await asyncio.gather(*(start(stage.context, user, None, None) for _ in range(6)))
        async with stage.context.db.read() as tx:
            assert await tx.conn.scalar(sa.select(sa.func.count()).select_from(link_request)) == 1
        stage.check()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_addresses_of_strangers_wait_for_no_lock(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        cookie = new_cookie("unknown")
        state = state_of(cookie)
        browser = Browser(stage, stage.leaker, {cookie_name(state): cookie})
        async with stage.context.db.begin(), asyncio.timeout(5):
            assert (await browser.open(f"{PUBLIC_URL}/github/link?request=unknown")).status == 404
            assert (await browser.open(f"{PUBLIC_URL}/github/callback?state={state}&code=x")).status == 410
        stage.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_sign_in_and_a_decision_about_it_do_not_block_each_other(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Whoever settles identities holds the audit log's lock first, and changes the sign-ins of others then."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await link(stage, UNLINKED, stage.leaker)
        view = await open_window(stage, UNLINKED)
        shown = await Browser(stage, stage.leaker).sign_in(button_address(view))
        team, user = SlackTeamId(stage.slack.team_id), SlackUserId(UNLINKED)
        typed = TypedCode(
            team=team, user=user, view_id=view.id, metadata=view.private_metadata, code=shown.code
        )
        assert await submit_code(stage.context, typed) is None
        async with stage.context.db.begin() as tx:
            await audit.lock(tx)
            works = asyncio.create_task(stage.work(within=10))
            await _until_somebody_waits(tx)
            await tx.conn.execute(sa.text("SET LOCAL lock_timeout = '300ms'"))
            assert await sign_ins.delete(tx, team, user) is not None
        await works
        assert await identity_of(stage, UNLINKED) is not None
        stage.check()


async def _until_somebody_waits(tx: Tx) -> None:
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10):
        while not await tx.conn.scalar(waiting):  # noqa: ASYNC110 - the database has no event for it.
            await asyncio.sleep(0.02)
