"""How long a role is believed, what ends that early, and what happens while GitHub can't be asked."""

import pytest

from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage
from tests.flows.test_roles import organization

pytestmark = pytest.mark.either_database

PERMISSION = "/repos/octo/payments/collaborators/.*/permission"
DOWN = "GitHub can't be asked right now, so nothing was done."


def asked(stage: Stage) -> int:
    """How often GitHub was asked for somebody's permission."""
    return len(stage.github.calls("GET", PERMISSION))


async def test_a_role_is_used_again_for_five_minutes(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    assert asked(stage) == 1
    stage.clock.advance(240)
    await stage.click(ADMIN, "check_validity")
    assert asked(stage) == 1
    stage.clock.advance(60)
    await stage.click(ADMIN, "check_validity")
    assert asked(stage) == 2


async def test_closing_and_reporting_ask_afresh(stage: Stage) -> None:
    """Once for the form, once for the submit; never what was remembered."""
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    before = asked(stage)
    await stage.report(ADMIN)
    assert asked(stage) == before + 2
    await stage.close_as(ADMIN, "revoked")
    assert asked(stage) == before + 4


async def test_a_role_lost_without_a_webhook_counts_at_once_where_it_matters(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.click(ADMIN, "check_validity")
    stage.github.webhook_url = None
    stage.github.add_collaborator(stage.repository, stage.people[ADMIN], "read")
    await stage.click(ADMIN, "report_leak")
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.form(ADMIN).shown_text
    await stage.pick(ADMIN, "close_as", "revoked")
    assert "GitHub doesn't let octo-admin see the alerts of octo/payments." in stage.form(ADMIN).shown_text
    assert alert.state == "open"


@pytest.mark.parametrize("change", ["member", "membership", "team", "organization"])
async def test_a_webhook_about_people_ends_what_was_remembered(stage: Stage, change: str) -> None:
    github, octo, reader = stage.github, organization(stage), stage.people[READER]
    team = github.add_team(octo, "Admins", reader)
    if change == "member":
        github.add_collaborator(stage.repository, reader, "admin")
    else:
        github.add_team_to_repository(team, stage.repository, "admin")
    await stage.leak()
    await stage.click(READER, "check_validity")
    assert "live token" in stage.read()
    match change:
        case "member":
            github.add_collaborator(stage.repository, reader, "read")
        case "membership":
            github.remove_from_team(team, reader)
        case "team":
            github.add_team_to_repository(team, stage.repository, "read")
        case "organization":
            github.remove_member(octo, reader)
    await stage.work()
    await stage.click(READER, "check_validity")
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in stage.answer_to(READER)


@pytest.mark.parametrize("user", [OWNER, ADMIN, READER])
async def test_while_github_is_down_the_answer_is_no_and_says_so(stage: Stage, user: str) -> None:
    alert = await stage.leak()
    card = stage.card()
    rule = stage.github.faults.add(".*", status=503)
    await stage.slack.click(user, CHANNEL, card.ts, "check_validity")
    await stage.work(within=3)
    assert DOWN in stage.answer_to(user)
    await stage.pick(user, "close_as", "revoked")
    assert DOWN in stage.form(user).shown_text
    await stage.click(user, "report_leak")
    assert DOWN in stage.form(user).shown_text
    stage.github.faults.remove(rule)
    assert alert.state == "open"
    assert ("failed", "Unavailable") in await stage.audited("check_validity")


async def test_a_submit_while_github_is_down_does_nothing_and_says_so(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    rule = stage.github.faults.add("GET .*", drop="before")
    await stage.submit(ADMIN)
    assert DOWN in stage.answer_to(ADMIN)
    stage.github.faults.remove(rule)
    await stage.work(within=600)
    assert alert.state == "open"
    await stage.close_as(ADMIN, "wont_fix")
    assert alert.resolution == "wont_fix"


async def test_a_role_list_that_the_app_may_not_read_gives_nobody_a_role(stage: Stage) -> None:
    """An organization that grants the app less: owners and admins go on, roles of other kinds do not count."""
    [installation] = stage.github.installations.values()
    granted = {"metadata": "read", "secret_scanning_alerts": "write", "members": "read"}
    stage.github.set_permissions(installation, granted)
    await stage.leak()
    await stage.click(READER, "check_validity")
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in stage.answer_to(READER)
    await stage.click(ADMIN, "check_validity")
    assert "live token" in stage.read()
