"""A report that nobody else can approve: who goes ahead alone, and when."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.options import Options, ReportOptions
from storage.clock import Clock
from tests.flows.approving import BUTTONS, ask, decide, read_request, request
from tests.flows.stage import ADMIN, MANAGER, OWNER, READER, Stage, open_stage
from tests.flows.test_report import sent
from tests.flows.test_roles import VIEW, custom_role, organization

pytestmark = pytest.mark.either_database
ALONE = Options(report=ReportOptions(approvals=2, alone_after=15))
YOURSELF = "You asked for this report yourself, so a second person has to decide."
NOT_SURE = "You can't go ahead alone: GitHub does not say for sure that nobody else has the right."
OTHERS = "You can't go ahead alone: GitHub names others with the right."


@pytest.fixture
async def alone(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Stanch with `report.alone_after` = 15, in an organization where its owner alone has the right."""
    async with open_stage(database_url, clock, private_key, options=ALONE) as stage:
        stage.github.remove_collaborator(stage.repository, stage.people[ADMIN])
        octo = organization(stage)
        stage.github.unassign_organization_role(octo, "security_manager", stage.people[MANAGER])
        yield stage
        stage.check()


async def press_alone(stage: Stage, minutes: float = 15) -> str:
    """The person who asked presses Approve so many minutes after the request."""
    await ask(stage, OWNER)
    stage.clock.advance(minutes * 60)
    return await decide(stage, OWNER)


async def test_somebody_whom_nobody_can_approve_goes_ahead_alone(alone: Stage) -> None:
    assert "The report is approved." in await press_alone(alone)
    assert len(sent(alone)) == 1
    words = "Exception: octo-owner goes ahead alone, since GitHub names nobody else with the right."
    assert words in read_request(alone)
    done = ("done", "alone: GitHub names nobody else with the right")
    assert (await alone.audited("approve_report"))[-1] == done


async def refused(stage: Stage, answer: str, words: str) -> None:
    assert words in answer
    assert sent(stage) == []
    assert request(stage).action_ids == BUTTONS


async def test_not_before_the_minutes_are_over(alone: Stage) -> None:
    answer = await press_alone(alone, minutes=14)
    await refused(alone, answer, YOURSELF)
    assert "on you can go ahead alone, if GitHub names nobody else with the right" in answer


async def test_not_by_a_denial(alone: Stage) -> None:
    await ask(alone, OWNER)
    alone.clock.advance(900)
    await refused(alone, await decide(alone, OWNER, "deny_report"), YOURSELF)


async def test_not_after_an_hour(alone: Stage) -> None:
    await ask(alone, OWNER)
    alone.clock.advance(3600)
    assert "This request for approval has lapsed." in await decide(alone, OWNER)
    assert sent(alone) == []


async def test_not_where_it_is_turned_off(database_url: str, clock: Clock, private_key: str) -> None:
    two = Options(report=ReportOptions(approvals=2))
    async with open_stage(database_url, clock, private_key, options=two) as stage:
        await refused(stage, await press_alone(stage, minutes=59), YOURSELF)
        stage.check()


def admin(stage: Stage) -> None:
    """Not linked to anybody in Slack: GitHub names them all the same."""
    stage.github.add_collaborator(stage.repository, stage.github.add_user("octo-other"), "admin")


def manager(stage: Stage) -> None:
    stage.github.assign_organization_role(organization(stage), "security_manager", stage.people[MANAGER])


def viewer(stage: Stage) -> None:
    custom_role(VIEW)(stage, stage.github.add_user("octo-other"))


def viewer_of_an_unknown_role(stage: Stage) -> None:
    viewer(stage)
    stage.github.faults.add("GET /orgs/octo/custom-repository-roles", status=403)


def roles_that_are_refused(stage: Stage) -> None:
    stage.github.faults.add("GET /orgs/octo/organization-roles", status=403)


def more_people_than_are_asked(stage: Stage) -> None:
    for number in range(51):
        reader = stage.github.add_user(f"reader-{number}")
        stage.github.add_collaborator(stage.repository, reader, "read")


def github_that_is_down(stage: Stage) -> None:
    stage.github.faults.add("GET /repos/octo/payments/collaborators", status=500)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (admin, OTHERS),
        (manager, OTHERS),
        (viewer, OTHERS),
        (viewer_of_an_unknown_role, NOT_SURE),
        (roles_that_are_refused, NOT_SURE),
        (more_people_than_are_asked, NOT_SURE),
        (github_that_is_down, NOT_SURE),
    ],
)
async def test_not_where_somebody_else_may_have_the_right(
    alone: Stage, change: Callable[[Stage], Any], words: str
) -> None:
    await ask(alone, OWNER)
    change(alone)
    alone.clock.advance(900)
    await refused(alone, await decide(alone, OWNER), words)


async def test_readers_and_custom_roles_without_the_right_are_nobody(alone: Stage) -> None:
    custom_role("close_discussion")(alone, alone.github.add_user("octo-other"))
    alone.github.add_collaborator(alone.repository, alone.people[READER], "write")
    assert "The report is approved." in await press_alone(alone)
