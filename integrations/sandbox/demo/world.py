"""The demo's people, channels, organization, repositories and roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from integrations.sandbox.github import GitHubRepository, GitHubSandbox, GitHubUser, Organization
from integrations.sandbox.github.apps import DEFAULT_PERMISSIONS
from integrations.sandbox.github.rights import (
    SECURITY_MANAGER,
    is_owner,
    is_security_manager,
    repository_role,
)
from integrations.sandbox.slack import SlackSandbox

Kind = Literal["member", "guest", "outsider"]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person on the page. `login` is their GitHub account, `linked` whether an operator has linked it."""

    slack_id: str
    name: str
    login: str
    part: str
    may: str
    kind: Kind = "member"
    linked: bool = True


@dataclass(frozen=True, slots=True)
class DemoChannel:
    """A channel of the page and its members; `filter` is its subscription, if it has one.

    `empty` says what will be in the channel while it has no message.
    """

    slack_id: str
    name: str
    topic: str
    empty: str
    members: tuple[str, ...]
    filter: str | None = None
    shared: bool = False


OTHER_TEAM = "T0GLOBEX"
DAY = 24 * 3600.0
DEFAULT_CHANNEL = "C0ALERTS"
ORGANIZATION = "octo"
DOMAIN = "octo.example"
"""Of the addresses of the organization's people, in Slack and in its directory."""

SAM = DemoPerson(
    "U0SAM",
    "Sam Okafor",
    "sam-okafor",
    "Security manager",
    "May view and close every alert of the organization.",
)
OLIVIA = DemoPerson(
    "U0OLIVIA",
    "Olivia Chen",
    "olivia-chen",
    "Organization owner",
    "May do everything, and search a token's uses.",
)
ANA = DemoPerson(
    "U0ANA",
    "Ana Ruiz",
    "ana-ruiz",
    "Repository admin",
    "May handle the alerts of octo/payments only.",
)
DANA = DemoPerson(
    "U0DANA",
    "Dana Kim",
    "dana-kim",
    "Developer",
    "Writes code and leaks tokens. May not see alerts, but is told about her own tokens.",
)
RAVI = DemoPerson(
    "U0RAVI", "Ravi Patel", "ravi-patel", "Reader", "May read code, but not alerts: every control refuses."
)
NOOR = DemoPerson(
    "U0NOOR", "Noor Haddad", "noor-haddad", "Newcomer",
    "Admin of octo/payments, but Stanch doesn't know their GitHub account until they sign in.",
    linked=False,
)  # fmt: skip
JONAS = DemoPerson(
    "U0JONAS", "Jonas Weber", "jonas-weber", "In the directory",
    "Admin of octo/payments. The directory knows him for a week, so that he signs in with two taps.",
    linked=False,
)  # fmt: skip
GRACE = DemoPerson(
    "U0GRACE",
    "Grace Moore",
    "grace-moore",
    "Guest",
    "A guest of the workspace: always refused.",
    kind="guest",
)
THEO = DemoPerson(
    "U0THEO", "Theo Lang", "theo-lang", "Outsider", "From another company, in a shared channel: always refused.",
    kind="outsider", linked=False,
)  # fmt: skip
PEOPLE = (SAM, OLIVIA, ANA, DANA, RAVI, NOOR, JONAS, GRACE, THEO)

_MEMBERS = tuple(person.slack_id for person in PEOPLE if person.kind == "member")
CHANNELS = (
    DemoChannel(
        "C0PAYMENTS",
        "payments-security",
        "Alerts of octo/payments",
        "Leak a secret in octo/payments on GitHub, and its card appears here.",
        (*_MEMBERS, GRACE.slack_id),
        filter="repo:octo/payments",
    ),
    DemoChannel(
        DEFAULT_CHANNEL,
        "security-alerts",
        "Alerts that no other channel takes",
        "Leak a secret in octo/infra on GitHub, and its card appears here.",
        _MEMBERS,
    ),
    DemoChannel(
        "C0PARTNERS",
        "partners-globex",
        "Shared with Globex, another company",
        "Stanch posts no card where another company reads. The alerts of this channel go to #security-alerts.",
        (SAM.slack_id, OLIVIA.slack_id, ANA.slack_id, THEO.slack_id),
        filter="repo:octo/web",
        shared=True,
    ),
)
REPOSITORIES: Mapping[str, Literal["private", "public"]] = {
    "payments": "private",
    "web": "public",
    "infra": "private",
    "legacy-billing": "private",
}
Role = Literal["owner", "security_manager", "admin", "write", "read", "none"]
ROLES: Mapping[Role, str] = {
    "owner": "Organization owner",
    "security_manager": "Security manager",
    "admin": "Admin of octo/payments",
    "write": "May write to octo/payments",
    "read": "May read only",
    "none": "Not in the organization",
}
_FIRST_ROLES: Mapping[str, Role] = {
    OLIVIA.login: "owner",
    SAM.login: "security_manager",
    ANA.login: "admin",
    DANA.login: "write",
    RAVI.login: "read",
    NOOR.login: "admin",
    JONAS.login: "admin",
    GRACE.login: "admin",
    THEO.login: "none",
}


def person_of(slack_id: str) -> DemoPerson | None:
    """The person with this Slack id."""
    return next((person for person in PEOPLE if person.slack_id == slack_id), None)


def fill_slack(slack: SlackSandbox) -> None:
    """Add the people and channels to an empty workspace; the app may read e-mail addresses."""
    slack.scopes.add("users:read.email")
    slack.workspace.add_team(OTHER_TEAM, domain="globex", name="Globex")
    for person in PEOPLE:
        outside = person.kind == "outsider"
        slack.workspace.add_user(
            person.slack_id,
            name=person.login,
            real_name=person.name,
            display_name=person.name,
            email=None if outside else f"{person.login}@{DOMAIN}",
            is_email_confirmed=None if outside else True,
            team_id=OTHER_TEAM if outside else None,
            is_restricted=person.kind == "guest",
            is_stranger=outside,
        )
    for channel in CHANNELS:
        slack.workspace.add_channel(
            channel.slack_id,
            name=channel.name,
            members=channel.members,
            is_ext_shared=channel.shared,
            connected_team_ids=(OTHER_TEAM,) if channel.shared else (),
        )
    for person in PEOPLE:
        if person.kind == "member":
            slack.workspace.dm(person.slack_id)


def fill_github(github: GitHubSandbox) -> None:
    """Add accounts, repositories and the App's installation to an empty GitHub."""
    organization = octo(github)
    for person in PEOPLE:
        github.add_user(person.login, name=person.name)
    for name, visibility in REPOSITORIES.items():
        github.add_repository(organization, name, visibility=visibility)
    # With the optional permission, so that cards name who made a commit.
    github.install(organization, permissions=DEFAULT_PERMISSIONS | {"contents": "read"})
    for login, role in _FIRST_ROLES.items():
        set_role(github, login, role)
    github.add_identity(organization, github.user(JONAS.login), f"{JONAS.login}@{DOMAIN}")
    _add_old_alerts(github)


def _add_old_alerts(github: GitHubSandbox) -> None:
    """Alerts from long before the bot was installed."""
    repository, author = github.named_repository(ORGANIZATION, "legacy-billing"), github.user(DANA.login)
    assert repository is not None, "it is one of the page's repositories"
    for age, resolution in (
        (400, "revoked"),
        (310, "false_positive"),
        (200, "wont_fix"),
        (90, None),
        (40, None),
    ):
        at = github.now() - age * DAY
        github.leak(repository, path="batch/nightly.cfg", author=author, created_at=at, resolved=resolution)


def octo(github: GitHubSandbox) -> Organization:
    """The organization of the page."""
    found = github.organization(ORGANIZATION)
    assert found is not None, "the stand-in is made with it"
    return found


def payments(github: GitHubSandbox) -> GitHubRepository:
    """The repository that the roles refer to: the page's first one, whatever its current name."""
    return next(iter(github.repositories.values()))


def set_role(github: GitHubSandbox, login: str, role: Role) -> None:
    """Give a person exactly this role; the stand-in sends GitHub's webhooks."""
    user = github.user(login)
    if user is None:
        raise ValueError(f"there is no {login}")
    organization, repository = octo(github), payments(github)
    if is_security_manager(organization, user):
        github.unassign_organization_role(organization, SECURITY_MANAGER, user)
    if user.id in repository.collaborators:
        github.remove_collaborator(repository, user)
    if user.id in organization.members:
        github.remove_member(organization, user)
    if role == "none":
        return
    github.add_member(organization, user, role="admin" if role == "owner" else "member")
    if role == "security_manager":
        github.assign_organization_role(organization, SECURITY_MANAGER, user)
    elif role in ("admin", "write"):
        github.add_collaborator(repository, user, role)


def role_of(github: GitHubSandbox, user: GitHubUser) -> Role:
    """The person's role, one of the page's."""
    organization = octo(github)
    if is_owner(organization, user):
        return "owner"
    if is_security_manager(organization, user):
        return "security_manager"
    level = repository_role(payments(github), user).level
    if level in ("admin", "write"):
        return "admin" if level == "admin" else "write"
    return "read" if user.id in organization.members else "none"
