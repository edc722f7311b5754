"""Decides who may see and resolve an alert, from what GitHub and Slack answered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.errors import Refused
from integrations.slack.facts import PersonFacts
from storage.records import Account, Alert, GitHubId, StoredJson

VIEW = "view_secret_scanning_alerts"
RESOLVE = "resolve_secret_scanning_alerts"
ROLE_PERMISSIONS = frozenset({VIEW, RESOLVE})
"""The permissions of custom roles that matter here."""
SECURITY_MANAGERS = frozenset({"security_manager", "enterprise_security_manager"})
"""GitHub's names of the predefined role, of an organization and of its enterprise."""
BY_LOOK_UP = "membership"
"""In `not_asked`: asked for a look-up, which needs less; only an owner's membership was asked for."""
STANDARD_ROLES = frozenset({"read", "triage", "write", "maintain", "admin", "none"})


class Need(StrEnum):
    """The right that an action needs."""

    VIEW = "view"
    RESOLVE = "resolve"
    REVIEW = "review"
    """To close alerts where delegated dismissal is on."""
    OWNER = "owner"
    """To search the organization's audit log."""


class OthersCan(Refused):
    """A refusal that people with the right `who_can` would not get; `flows/acting` adds their names."""

    def __init__(
        self, reason: str, headline: str, detail: str = "", hint: str = "", *, who_can: Need
    ) -> None:
        super().__init__(reason, headline, detail, hint)
        self.who_can = who_can


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What GitHub answered about one account's roles in one repository and its organization."""

    account: Account
    owner_type: str
    """GitHub's type of the repository's owner: `Organization` or `User`."""
    owner_id: GitHubId
    membership: str | None = None
    """Role in the organization: `admin` (an owner), `member`, …; None for non-members and invited people."""
    permission: str = "none"
    """GitHub's permission level: `admin`, `write`, `read` or `none`."""
    role_name: str = "none"
    security_manager: bool = False
    granted: frozenset[str] = frozenset()
    """Fine-grained permissions from custom roles."""
    not_asked: frozenset[str] = frozenset()
    """Facts that GitHub refused to give the app: `organization_roles`, `custom_roles`, …"""

    def to_json(self) -> dict[str, StoredJson]:
        data = asdict(self)
        return {**data, "granted": sorted(self.granted), "not_asked": sorted(self.not_asked)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RoleFacts":
        account = Account(**data["account"])
        sets = {name: frozenset(data[name]) for name in ("granted", "not_asked")}
        return cls(**{**data, "account": account, **sets})


@dataclass(frozen=True, slots=True)
class Rights:
    """What an account may do with the alerts of a repository, and the role that gives it."""

    view: bool
    resolve: bool
    write: bool
    """Has write access, which GitHub requires of an assignee."""
    owner: bool
    """Is an owner of the organization."""
    reviewer: bool
    """Is an owner or a security manager of the organization: sees all its alerts, and may close them where delegated
    dismissal is on."""
    role: str
    """The role's name for people: `organization owner`, `repository admin`, …"""
    resolve_by_role: bool = False
    """May resolve without being the alert's assignee."""
    view_by_role: bool = False
    """May view without being the alert's assignee."""
    member: bool = False
    """Belongs to the organization that owns the repository."""

    def allow(self, need: Need) -> bool:
        return {
            Need.VIEW: self.view,
            Need.RESOLVE: self.resolve,
            Need.REVIEW: self.reviewer,
            Need.OWNER: self.owner,
        }[need]


UNPROVEN = Rights(
    view=True, resolve=False, write=False, owner=False, reviewer=False, role="not known while GitHub is down"
)
"""The rights of somebody whose role GitHub can't be asked for, in actions that may go on without it."""
OWN_TOKEN = Rights(
    view=True, resolve=True, write=False, owner=False, reviewer=False, role="their own sign-in"
)
"""The rights of somebody to whose own token GitHub shows the alert, and which it is asked to change it with."""


def rights_of(facts: RoleFacts, alert: Alert | None = None, *, delegated: bool | None = None) -> Rights:
    """The rights that the roles give, plus those of the assignee if the account is assigned to `alert`.

    An assignee may see and resolve the alert (GitHub's changelog, 2025-11-25 and 2025-12-16). With delegated
    dismissal on, or unknown (`delegated` is None), the assignee may only see it. An assignment made by Stanch gives
    no rights, since it is only made for people who may resolve by role, unless it was made by a hand over that lets
    the receiver see and resolve the alert.
    """
    organization = facts.owner_type == "Organization"
    owner = organization and facts.membership == "admin"
    own_repository = not organization and facts.account.id == facts.owner_id
    admin = facts.permission == "admin"
    manager = organization and facts.security_manager
    resolve = owner or own_repository or admin or manager or RESOLVE in facts.granted
    assignee = alert is not None and alert.is_entitled_assignee(facts.account.id)
    view_by_role = resolve or VIEW in facts.granted
    view = view_by_role or assignee
    words = (
        (owner, "organization owner"),
        (own_repository, "owner of the repository"),
        (manager, "security manager"),
        (admin, "repository admin"),
        (bool(facts.granted & {VIEW, RESOLVE}), _custom_role(facts)),
        (assignee, "assignee of the alert"),
        (facts.permission != "none", facts.role_name or facts.permission),
    )
    role = next((word for holds, word in words if holds), "no role")
    write = owner or own_repository or facts.permission in ("admin", "write")
    return Rights(
        view=view,
        resolve=resolve or (assignee and delegated is False),
        write=write,
        resolve_by_role=resolve,
        view_by_role=view_by_role,
        owner=owner,
        reviewer=owner or manager,
        role=role,
        member=organization and facts.membership is not None,
    )


def is_security_manager(name: str, source: str | None) -> bool:
    """Whether an organization's role is that of security managers; anybody can give a custom role that name."""
    return name in SECURITY_MANAGERS and source != "Organization"


def _custom_role(facts: RoleFacts) -> str:
    """The name of the repository's custom role; without one, a custom role of the organization gave the right."""
    standard = not facts.role_name or facts.role_name in STANDARD_ROLES
    return "custom organization role" if standard else f"custom role {facts.role_name}"


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
