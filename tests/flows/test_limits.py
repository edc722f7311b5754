"""How many reports and closures one person may make within an hour."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from bot.job_kinds import PerformAction
from bot.job_rows import new_job
from bot.jobs.handlers import HANDLERS
from bot.jobs.worker import Worker
from bot.options import LimitsOptions, Options
from bot.requests import ActionRequest
from integrations.sandbox.github import GitHubAlert
from storage import jobs
from storage.clock import Clock
from storage.records import SlackTeamId, SlackUserId
from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of, open_stage, plain
from tests.flows.test_report import REVOKE, sent

LIMITS = Options(limits=LimitsOptions(reports_per_hour=2, closes_per_hour=2))
REACHED = "within an hour, which is the limit here."
CONSENT = {"consequence": {"understood": ["yes"]}}
DONE, REFUSED, INTENDED = ("done", "revoked"), ("refused", "limit_reached"), ("intended", None)


@pytest.fixture
async def limited(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, options=LIMITS) as stage:
        yield stage
        stage.check()


async def leak_several(stage: Stage, count: int) -> list[GitHubAlert]:
    """Leak several secrets; returns their alerts in the order of their cards."""
    for number in range(count):
        stage.github.leak(stage.repository, token=stage.live_token(), path=f"{number}.py")
    await stage.work(within=count + 5)
    payloads = [(card.metadata or {})["event_payload"] for card in stage.slack.cards(CHANNEL)]
    return [stage.github.alerts[where["repository_id"], where["alert_number"]] for where in payloads]


async def open_close_form(stage: Stage, user: str, position: int) -> str:
    """Pick a reason on a card; returns what the modal shows then."""
    card = stage.slack.cards(CHANNEL)[position]
    await stage.slack.select(user, CHANNEL, card.ts, "close_as", "revoked")
    await stage.work(within=3)
    return plain(stage.form(user).shown_text)


async def close(stage: Stage, user: str, *positions: int) -> None:
    """Close the alerts of these cards, one after another."""
    for position in positions:
        await open_close_form(stage, user, position)
        await stage.submit(user)


async def enqueue_closures(stage: Stage, alerts: Sequence[GitHubAlert]) -> None:
    """Store the submits of one person for several alerts, as from several devices."""
    requests = [
        ActionRequest(
            action="close_as",
            alert=key_of(alert),
            team=SlackTeamId(stage.slack.team_id),
            user=SlackUserId(ADMIN),
            at=stage.clock.now(),
            user_input={"resolution": "revoked"},
        )
        for alert in alerts
    ]
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, *(new_job(PerformAction(request)) for request in requests))


async def report(stage: Stage, user: str, *positions: int) -> None:
    """Report the tokens of these cards, one after another."""
    for position in positions:
        await stage.slack.click(user, CHANNEL, stage.slack.cards(CHANNEL)[position].ts, "report_leak")
        await stage.work(within=3)
        await stage.submit(user, CONSENT)


def states(leaked: list[GitHubAlert]) -> list[str]:
    return sorted(alert.state for alert in leaked)


def notices(stage: Stage) -> list[str]:
    """What the default channel is told of limits."""
    return [
        plain(message.shown_text)
        for message in stage.slack.channel_messages(CHANNEL)
        if "within an hour" in message.shown_text
    ]


@pytest.mark.either_database
async def test_the_form_of_one_more_closure_is_refused_audited_and_told_once(limited: Stage) -> None:
    leaked = await leak_several(limited, 4)
    await close(limited, ADMIN, 0, 1)
    for position in (2, 3):
        assert f"You closed 2 alerts {REACHED}" in await open_close_form(limited, ADMIN, position)
        assert "submit" not in limited.form(ADMIN).content
    assert states(leaked) == ["open", "open", "resolved", "resolved"]
    assert await limited.audited("close_alert") == [INTENDED, DONE, INTENDED, DONE, REFUSED, REFUSED]
    await limited.work(within=10)
    [told] = notices(limited)
    assert "octo-admin" in told
    assert f"identities remove {ADMIN}" in told


@pytest.mark.either_database
async def test_a_form_that_was_opened_before_the_limit_is_refused_when_it_is_submitted(
    limited: Stage,
) -> None:
    leaked = await leak_several(limited, 3)
    await open_close_form(limited, ADMIN, 2)
    await enqueue_closures(limited, leaked[:2])
    await limited.work()
    await limited.submit(ADMIN)
    assert states(leaked) == ["open", "resolved", "resolved"]
    assert f"You closed 2 alerts {REACHED}" in limited.answer_to(ADMIN)
    assert (await limited.audited("close_alert"))[4:] == [REFUSED]
    await limited.work(within=10)
    [told] = notices(limited)
    assert "octo-admin" in told


@pytest.mark.either_database
async def test_the_limit_is_each_person_s_own_and_ends_after_an_hour(limited: Stage) -> None:
    """The alert of a refused request is not claimed: somebody else closes it at once."""
    leaked = await leak_several(limited, 4)
    await open_close_form(limited, ADMIN, 2)
    await enqueue_closures(limited, leaked[:2])
    await limited.work()
    await limited.submit(ADMIN)
    assert states(leaked) == ["open", "open", "resolved", "resolved"]
    await close(limited, OWNER, 2)
    assert states(leaked) == ["open", "resolved", "resolved", "resolved"]
    limited.clock.advance(3600)
    await close(limited, ADMIN, 3)
    assert states(leaked) == ["resolved"] * 4


async def test_two_requests_at_once_can_t_both_take_the_last_place(limited: Stage) -> None:
    """They are worked in two processes."""
    leaked = await leak_several(limited, 5)
    await close(limited, ADMIN, 0)
    await enqueue_closures(limited, [alert for alert in leaked if alert.state == "open"])
    other = Worker(limited.context, HANDLERS)
    await asyncio.gather(limited.running.worker.run_due(), other.run_due())
    await limited.work(within=5)
    assert states(leaked) == ["open"] * 3 + ["resolved"] * 2
    assert (await limited.audited("close_alert")).count(REFUSED) == 3


@pytest.mark.either_database
async def test_more_reports_are_refused(limited: Stage) -> None:
    await leak_several(limited, 3)
    await report(limited, ADMIN, 0, 1)
    await limited.slack.click(ADMIN, CHANNEL, limited.slack.cards(CHANNEL)[2].ts, "report_leak")
    await limited.work(within=3)
    assert f"You reported 2 secrets {REACHED}" in plain(limited.form(ADMIN).shown_text)
    assert len(sent(limited)) == 2
    assert REFUSED in await limited.audited("report_leak")


async def test_a_report_that_waits_counts_once_and_is_sent(limited: Stage) -> None:
    """It was accepted before; the limit that was reached meanwhile does not stop it."""
    await leak_several(limited, 3)
    limited.github.faults.add(f"POST {REVOKE}", times=1, status=429, headers={"retry-after": "600"})
    await report(limited, ADMIN, 0, 1)
    assert len(sent(limited)) == 2, "one was not taken, one was"
    await limited.work(within=700)
    assert len(sent(limited)) == 3
    outcomes = await limited.audited("report_leak")
    assert outcomes.count(INTENDED) == 2
    assert ("intended", "waited") in outcomes


@pytest.mark.either_database
async def test_without_a_default_channel_it_is_refused_all_the_same(limited: Stage) -> None:
    leaked = await leak_several(limited, 3)
    await open_close_form(limited, ADMIN, 2)
    await enqueue_closures(limited, leaked[:2])
    await limited.work()
    await limited.slack.submit(ADMIN, limited.form(ADMIN).id, {})
    await Worker(replace(limited.context, default_channel=None), HANDLERS).run_due()
    assert f"You closed 2 alerts {REACHED}" in limited.answer_to(ADMIN)
    assert notices(limited) == []
