"""A right code whose link is stored later: Slack is silent about the person, or the started sign-in is gone."""

from collections.abc import AsyncIterator

import pytest

from bot.flows.people.finish_link import finish
from bot.people_job_kinds import FinishLink
from storage.clock import Clock
from tests.flows.sign_in import Browser, button_address, identity_of, open_window, shown_words, type_code
from tests.flows.stage import UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        yield stage
        stage.check()


async def test_a_link_waits_until_slack_says_who_the_person_is(stage: Stage) -> None:
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, stage.leaker).sign_in(button_address(view))
    silent = stage.slack.fail("users.info", "internal_error", times=None)
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is None
    stage.slack.faults.remove(silent)
    await stage.work(within=10)
    identity = await identity_of(stage, UNLINKED)
    assert identity is not None
    assert identity.github.id == stage.leaker.id
    assert "Your GitHub account is linked." in shown_words(stage.slack.view(UNLINKED))


async def test_a_sign_in_that_was_deleted_before_its_link_is_stored_is_refused(stage: Stage) -> None:
    view = await open_window(stage, UNLINKED)
    refused = await finish(stage.context, FinishLink("deleted", "deleted", view.id), None)
    assert refused is not None
    assert refused.reason == "link_lapsed"
    assert "can't be finished any more" in shown_words(stage.slack.view(UNLINKED))
    assert await stage.audited("link_identity") == []
