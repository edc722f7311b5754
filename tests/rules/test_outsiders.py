"""Who may never act in Stanch."""

from dataclasses import replace

import pytest

from bot.rules.outsiders import Workspace, outsider_reason
from integrations.slack.facts import PersonFacts

INSIDER = PersonFacts(
    id="U0ANA",
    name="ana",
    team_id="T1",
    enterprise_id=None,
    is_deleted=False,
    is_bot=False,
    is_guest=False,
    is_invited=False,
    is_stranger=False,
)


@pytest.mark.parametrize(
    ("person", "workspace", "reason"),
    [
        (INSIDER, Workspace("T1"), None),
        (replace(INSIDER, is_bot=True), Workspace("T1"), "bot"),
        (replace(INSIDER, is_deleted=True), Workspace("T1"), "deactivated"),
        (replace(INSIDER, is_stranger=True), Workspace("T1"), "other_organization"),
        (replace(INSIDER, team_id="T2"), Workspace("T1"), "other_organization"),
        (replace(INSIDER, team_id=""), Workspace("T1"), "other_organization"),
        (replace(INSIDER, team_id="T2", is_guest=True), Workspace("T1"), "other_organization"),
        (replace(INSIDER, is_guest=True), Workspace("T1"), "guest"),
        (replace(INSIDER, is_invited=True), Workspace("T1"), "guest"),
        # On Enterprise Grid the organization counts, not the workspace.
        (replace(INSIDER, team_id="T2", enterprise_id="E1"), Workspace("T1", "E1"), None),
        (replace(INSIDER, enterprise_id="E2"), Workspace("T1", "E1"), "other_organization"),
        (replace(INSIDER, team_id="T2"), Workspace("T1", "E1"), "other_organization"),
        (INSIDER, Workspace("T1", "E1"), None),
        (replace(INSIDER, team_id="T2", enterprise_id="E1"), Workspace("T1"), "other_organization"),
        (replace(INSIDER, enterprise_id="E1", is_guest=True), Workspace("T1", "E1"), "guest"),
    ],
)
def test_who_may_never_act_here(person: PersonFacts, workspace: Workspace, reason: str | None) -> None:
    assert outsider_reason(person, workspace) == reason
