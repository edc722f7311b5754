"""People whom Slack lets into a channel and who may never act there, linked or not."""

from typing import Any

import pytest

from integrations.sandbox.slack import DeliveryResult
from tests.flows.stage import ADMIN, CHANNEL, Stage

pytestmark = pytest.mark.either_database

PATCHES = r".*/secret-scanning/alerts/\d+"
REFUSED = "You can't use Stanch here."


async def acts(stage: Stage, user: str, **more: Any) -> list[DeliveryResult]:
    """Everything that somebody could try on the only card."""
    card = stage.card()
    results = [
        await stage.slack.click(user, CHANNEL, card.ts, "check_validity", force=True, **more),
        await stage.slack.click(user, CHANNEL, card.ts, "take", force=True, **more),
        await stage.slack.click(user, CHANNEL, card.ts, "report_leak", force=True, **more),
        await stage.slack.select(user, CHANNEL, card.ts, "close_as", "revoked", force=True),
        await stage.slack.select(user, CHANNEL, card.ts, "more", "locations", force=True),
        await stage.slack.command(user, CHANNEL, "whoami", force=True),
    ]
    await stage.work(within=5)
    return results


def asked(stage: Stage) -> list[str]:
    """What was asked of GitHub with a literal, or changed there."""
    return [
        f"{call.method} {call.path}"
        for call in stage.github.requests
        if call.method == "PATCH" or call.path in ("/user", "/rate_limit", "/credentials/revoke")
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_restricted": True}, "guest"),
        ({"is_restricted": True, "is_ultra_restricted": True}, "guest"),
        ({"is_invited_user": True}, "guest"),
        ({"deleted": True}, "deactivated"),
        ({"is_bot": True}, "bot"),
        ({"is_workflow_bot": True}, "bot"),
        ({"is_connector_bot": True}, "bot"),
        ({"is_stranger": True}, "other_organization"),
        ({"team_id": "T0ELSEWHERE"}, "other_organization"),
    ],
)
async def test_outsiders_are_refused_whatever_they_are_linked_to(
    stage: Stage, fields: dict[str, Any], reason: str
) -> None:
    alert = await stage.leak()
    if "team_id" in fields:
        stage.slack.workspace.add_team(fields["team_id"])
    # An administrator of the repository who has become one of these.
    stage.slack.workspace.change_user(ADMIN, **fields)
    for result in await acts(stage, ADMIN):
        assert result.status == 200
    assert asked(stage) == []
    assert alert.state == "open"
    for action in ("check_validity", "take"):
        assert await stage.audited(action) == [("refused", reason)]
    for action in ("report_leak", "close_alert"):
        assert await stage.audited(action) == [("refused", reason)]


async def test_a_guest_is_told_so_and_sees_no_more(stage: Stage) -> None:
    await stage.leak(path="config/deploy.env")
    stage.slack.workspace.change_user(ADMIN, is_restricted=True)
    await acts(stage, ADMIN)
    private = [message.shown_text for message in stage.slack.private_messages(ADMIN)]
    assert len(private) == 4
    assert all(REFUSED in words for words in private)
    assert REFUSED in stage.form(ADMIN).shown_text
    assert "deploy.env" not in " ".join(private) + stage.form(ADMIN).shown_text


async def test_the_person_s_own_team_decides_not_the_payload_s(stage: Stage) -> None:
    """A click from a shared channel names our own team; whoever clicked is of another."""
    await stage.leak()
    stage.slack.workspace.add_team("T0ELSEWHERE")
    stage.slack.workspace.change_user(ADMIN, team_id="T0ELSEWHERE")
    result = await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, "check_validity", force=True)
    assert result.payload["team"]["id"] == stage.slack.team_id
    await stage.work(within=3)
    assert await stage.audited("check_validity") == [("refused", "other_organization")]


async def test_who_can_t_be_looked_up_is_refused(stage: Stage) -> None:
    await stage.leak()
    stage.slack.fail("users.info", "fatal_error", times=None)
    await stage.click(ADMIN, "check_validity")
    assert "Slack did not say who you are" in stage.answer_to(ADMIN)
    assert asked(stage) == []
