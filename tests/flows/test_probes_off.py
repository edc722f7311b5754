"""With `validity.check = "never"` no secret is used to ask GitHub, and people are told what that means."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import Options, ValidityOptions
from storage import jobs
from storage.clock import Clock
from storage.records import JobState
from tests.flows.stage import ADMIN, Stage, open_stage
from tests.flows.test_arrival_check import probe_times
from tests.flows.test_check import literals, written
from tests.flows.test_report import REVOKE, sent

pytestmark = pytest.mark.either_database

NEVER = Options(validity=ValidityOptions(check="never"))
DAY = 86400.0
UNCONFIRMED = "it can't confirm that GitHub revoked it"


@pytest.fixture
async def never(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, options=NEVER) as stage:
        yield stage
        stage.check()


async def test_the_button_reads_github_s_validity_again(never: Stage) -> None:
    alert = await never.leak()
    button = never.card().control("check_validity")
    assert button is not None
    assert button["text"]["text"] == "Refresh from GitHub"
    never.github.webhook_url = None
    never.github.set_validity(alert, "active")
    await never.click(ADMIN, "check_validity")
    assert "GitHub says that it still works." in never.answer_to(ADMIN)
    assert (literals(never), probe_times(never), written(never)) == ([], [], [])


async def test_a_report_is_sent_and_says_that_it_can_t_be_confirmed(never: Stage) -> None:
    await never.leak()
    await never.click(ADMIN, "report_leak")
    assert UNCONFIRMED in never.form(ADMIN).shown_text
    await never.submit(ADMIN, {"consequence": {"understood": ["yes"]}})
    assert len(sent(never)) == 1
    await never.work(within=DAY)
    assert "can't be confirmed" in never.read()
    assert "Next check" not in never.read()
    assert probe_times(never) == []
    async with never.context.db.read() as tx:
        assert (await jobs.count(tx))[JobState.READY] == 0


async def test_github_s_own_word_still_confirms_a_report(never: Stage) -> None:
    alert = await never.leak()
    await never.report(ADMIN)
    never.github.set_validity(alert, "inactive")
    await never.work(within=10)
    assert "onfirmed inactive" in never.read()


async def test_a_report_of_unknown_outcome_is_not_repeated(never: Stage) -> None:
    """Only a probe could tell whether it was made."""
    await never.leak()
    never.github.faults.add(f"POST {REVOKE}", drop="after", times=1)
    await never.report(ADMIN)
    await never.work(within=120)
    assert len(never.github.calls("POST", REVOKE)) == 1
    assert "It is not known whether it was done." in never.answer_to(ADMIN)
    assert "checks are turned off here" in never.answer_to(ADMIN)
    assert probe_times(never) == []


async def test_a_closure_as_revoked_is_not_looked_at_again(never: Stage) -> None:
    await never.leak()
    await never.close_as(ADMIN, "revoked")
    await never.work(within=DAY + 60)
    assert (literals(never), probe_times(never)) == ([], [])


async def test_jobs_from_before_probes_were_turned_off_probe_nothing(stage: Stage) -> None:
    """A follow-up and a look after 24 hours that were stored before the restart with the new option."""
    await stage.leak()
    await stage.report(ADMIN)
    other = await stage.leak(secret_type="github_oauth_access_token")
    cards = stage.slack.cards("C0ALERTS")
    await stage.slack.select(ADMIN, "C0ALERTS", cards[1].ts, "close_as", "revoked")
    await stage.work(within=3)
    await stage.submit(ADMIN)
    assert other.state == "resolved"
    before = len(probe_times(stage))
    restarted = Worker(replace(stage.context, options=NEVER), HANDLERS)
    for seconds in (120, DAY):
        stage.clock.advance(seconds)
        await restarted.run_due()
    assert len(probe_times(stage)) == before
    reported = stage.slack.cards("C0ALERTS")[0].shown_text
    assert "Next check" not in reported


async def test_a_secret_of_another_provider_is_looked_at_again_after_a_day(never: Stage) -> None:
    """That is GitHub's own word; nobody is asked with the secret."""
    alert = await never.leak(secret_type="stripe_api_key")
    await never.close_as(ADMIN, "revoked")
    never.github.webhook_url = None
    never.github.set_validity(alert, "active")
    await never.work(within=DAY + 60)
    assert "but it still works" in never.read()
    assert literals(never) == []
