"""Decides which rights a person has on an alert, from the roles that GitHub answered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bot.errors import Refused
from storage.records import Account, Alert, GitHubId, StoredJson

VIEW = "view_secret_scanning_alerts"
RESOLVE = "resolve_secret_scanning_alerts"
ROLE_PERMISSIONS = frozenset({VIEW, RESOLVE})
"""The permissions of custom roles that matter here."""
SECURITY_MANAGERS = frozenset({"security_manager", "enterprise_security_manager"})
"""GitHub's names of the predefined role, of an organization and of its enterprise."""
BY_LOOK_UP = "membership"
"""In `not_asked` of facts for a look-up: the membership was asked for only where the person may be an owner."""
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
"""The rights of a person whose own token is sent: GitHub showed it the alert, and decides about each change."""


def rights_of(facts: RoleFacts, alert: Alert | None = None, *, delegated: bool | None = None) -> Rights:
    """The rights that the roles give, plus those of the assignee if the account is assigned to `alert`.

    An assignee may see and resolve the alert (GitHub's changelog, 2025-11-25 and 2025-12-16). With delegated
    dismissal on, or unknown (`delegated` is None), the assignee may only see it. An assignment by Stanch gives no
    rights, since Stanch assigns people who may resolve by role. The exception is a hand over that grants the
    receiver these rights.
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
