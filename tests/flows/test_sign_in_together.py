"""Steps of one sign-in that happen at the same moment, on both databases."""

import asyncio

from bot.errors import Refused
from bot.flows.people.submit_code import TypedCode, submit_code
from storage import jobs
from storage.clock import Clock
from storage.records import JobState, SlackTeamId, SlackUserId
from tests.flows.sign_in import Browser, button_address, identity_of, open_window
from tests.flows.stage import UNLINKED, open_stage


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
