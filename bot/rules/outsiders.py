"""Decides who may never act here: guests, bots, deactivated users and people of other organizations."""

from dataclasses import dataclass

from integrations.slack.facts import PersonFacts


@dataclass(frozen=True, slots=True)
class Workspace:
    """The Slack workspace that Stanch is installed in, and its Enterprise Grid organization if it has one."""

    team_id: str
    enterprise_id: str | None = None


def outsider_reason(person: PersonFacts, workspace: Workspace) -> str | None:
    """Why this person may never act here, as one short word; None if they may.

    On Enterprise Grid people may act from any workspace of the organization, so the organization is compared. Without
    Grid it is the person's own team id, not the payload's, which may differ in Slack Connect channels.
    """
    on_grid = workspace.enterprise_id is not None and person.enterprise_id is not None
    same = person.enterprise_id == workspace.enterprise_id if on_grid else person.team_id == workspace.team_id
    reasons = (
        (person.is_bot, "bot"),
        (person.is_deleted, "deactivated"),
        (person.is_stranger or not same, "other_organization"),
        (person.is_guest or person.is_invited, "guest"),
    )
    return next((word for holds, word in reasons if holds), None)
