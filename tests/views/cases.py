"""Alerts, people and events for the golden files: a leaked GitHub token and a leaked Stripe key."""

from dataclasses import replace
from typing import Any

from bot.options import CloseOptions, Options
from bot.rules.approval import facts_of
from bot.rules.case import Actor, Case, PersonalCase, Receiver
from bot.rules.hand_over import Effect, Obstacle, hand_over_effect
from bot.rules.report_eligibility import ServerAbilities
from bot.rules.rights import UNPROVEN, Rights
from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    AlertState,
    Approval,
    Event,
    EventKind,
    GitHubId,
    Identity,
    InstallationId,
    Person,
    Probe,
    Report,
    ReportState,
    Repository,
    RepositoryId,
    SecretLocation,
    SlackTeamId,
    SlackUserId,
    TokenFacts,
)

FOUND = 1795488000.0
"""24 Nov 2026, 02:40 UTC."""
NOW = FOUND + 960
TEAM = SlackTeamId("T0STANCH")
KEY = AlertKey(RepositoryId(90001), AlertNumber(42))

GITHUB_COM = ServerAbilities(revokes=True, overrides_validity=True, assigns=True)
OCTO = Account(GitHubId(100), "octo")
ADMIN = Account(GitHubId(11), "octo-admin")
LEAKY = Account(GitHubId(12), "leaky-dev")
ADMIN_PERSON = Person(TEAM, SlackUserId("U0ADMIN"), ADMIN)
DANA = Account(GitHubId(14), "dana-kim")
DANA_PERSON = Person(TEAM, SlackUserId("U0DANA"), DANA)
OWNER_PERSON = Person(TEAM, SlackUserId("U0OWNER"), Account(GitHubId(13), "octo-owner"))
BY_LEAKY = Person(TEAM, SlackUserId("U0LEAKY"), LEAKY)


def repository(**fields: Any) -> Repository:
    """`octo/payments`, private."""
    made = Repository(
        id=KEY.repository_id,
        full_name="octo/payments",
        owner=OCTO,
        owner_type="Organization",
        visibility="private",
        html_url="https://github.com/octo/payments",
        installation_id=InstallationId(7),
    )
    return replace(made, **fields)


def token(**fields: Any) -> Alert:
    """A personal access token with a known location and nothing else known."""
    made = Alert(
        key=KEY,
        html_url="https://github.com/octo/payments/security/secret-scanning/42",
        secret_type="github_personal_access_token",
        secret_type_name="GitHub Personal Access Token",
        provider="GitHub",
        created_at=FOUND,
        updated_at=FOUND,
        first_seen_at=FOUND,
        place=SecretLocation(
            "commit",
            "config/deploy.env",
            3,
            "4f35f36a9d1c2b3e4f5061728394a5b6c7d8e9f0",
            "https://github.com/octo/payments/blob/4f35f36/config/deploy.env#L3",
        ),
        detailed=True,
    )
    return replace(made, **fields)


def stripe(**fields: Any) -> Alert:
    """A secret of another provider; Stanch can't probe it."""
    made = replace(
        token(),
        secret_type="stripe_api_key",
        secret_type_name="Stripe API Key",
        provider="Stripe",
        place=SecretLocation("commit", "src/pay.ts", 18, "830fbd7a9d1c2b3e4f5061728394a5b6c7d8e9f0"),
        has_more_places=True,
    )
    return replace(made, **fields)


KNOWN_OWNER = TokenFacts(owner=LEAKY, scopes=("repo", "workflow"), expires_at=1801353600.0)


def probe(verdict: str, reason: str, **fields: Any) -> Probe:
    """A probe by octo-admin, three minutes after the leak."""
    return replace(
        Probe(verdict, reason, FOUND + 187, ADMIN_PERSON, ever_active=verdict == "active"), **fields
    )


WORKS = probe("active", "accepted")
DEAD = probe("inactive", "bad_credentials", ever_active=True)
NOT_HERE = probe("inactive", "bad_credentials")


def working(**fields: Any) -> Alert:
    """The token after a check: active, with a known owner."""
    return replace(token(probe=WORKS, token=KNOWN_OWNER), **fields)


def report(state: ReportState, **fields: Any) -> Report:
    """A report by octo-admin, six minutes after the leak."""
    return replace(Report(state, ADMIN_PERSON, FOUND + 400), **fields)


def reported(state: ReportState, **fields: Any) -> Alert:
    """The active token after a report."""
    return replace(working(report=report(state)), **fields)


STANCH = Account(GitHubId(98), "stanch[bot]")
"""Who closed an alert by GitHub's word, if it was closed in the App's name."""


def closed(resolution: str, **fields: Any) -> Alert:
    """The token, closed by octo-admin through Stanch, in their own name, after 16 minutes."""
    made = token(
        state=AlertState.RESOLVED,
        resolution=resolution,
        resolved_by=ADMIN,
        resolved_at=NOW,
        updated_at=NOW,
        acted_by=ADMIN_PERSON,
    )
    return replace(made, **fields)


def case(alert: Alert, *, steps: tuple[int, int] = (0, 0), **repository_fields: Any) -> Case:
    """The alert's case, a minute after its last event."""
    return Case(
        alert=alert,
        repository=repository(**repository_fields),
        now=NOW + 60,
        server=GITHUB_COM,
        steps_done=steps[0],
        steps_total=steps[1],
    )


OUTSIDERS = frozenset(
    {
        *(Obstacle.BOT, Obstacle.DEACTIVATED, Obstacle.OTHER_ORGANIZATION, Obstacle.GUEST),
        *(Obstacle.NOT_LINKED, Obstacle.UNKNOWN_PERSON, Obstacle.SLACK_UNREACHABLE),
    }
)
ALL_RIGHTS = Rights(
    view=True, resolve=True, write=True, owner=False, reviewer=True, role="organization owner"
)


def identity(person: Person) -> Identity:
    """The person's identity, as linked by an administrator."""
    assert person.slack_user is not None
    assert person.github is not None
    return Identity(TEAM, person.slack_user, person.github, "mapping", FOUND - 86_400, "cli")


def in_front_of(
    alert: Alert,
    *,
    person: Person = ADMIN_PERSON,
    steps: tuple[int, int] = (0, 0),
    owner: Person | None = None,
    require_comment: bool = False,
    rights: Rights = ALL_RIGHTS,
    **repository_fields: Any,
) -> PersonalCase:
    """The alert's case for a person who may do everything; `owner` is the token's owner, if linked."""
    return replace(
        case(alert, steps=steps, **repository_fields).for_person(Actor(identity(person), rights)),
        options=Options(close=CloseOptions(require_comment=require_comment)),
        token_owner=identity(owner) if owner else None,
    )


BY_ROLE = replace(ALL_RIGHTS, resolve_by_role=True)
BLIND = replace(ALL_RIGHTS, view=False, resolve=False)
HAND_OVERS: dict[Effect | Obstacle, tuple[Rights, Rights, dict[str, Any], dict[str, Any]]] = {
    Effect.ASSIGN: (BY_ROLE, BY_ROLE, {}, {}),
    Effect.SHOWN: (BY_ROLE, ALL_RIGHTS, {"assigned_to": DANA}, {}),
    Effect.NOT_ASSIGNED: (BY_ROLE, replace(ALL_RIGHTS, write=False), {}, {}),
    Effect.NOT_WRITTEN: (ALL_RIGHTS, ALL_RIGHTS, {}, {}),
    Effect.LATER: (BY_ROLE, UNPROVEN, {}, {"offline": True}),
    Obstacle.ON_IT: (BY_ROLE, BY_ROLE, {"taken_by": DANA_PERSON}, {}),
    Obstacle.NO_VIEW: (ALL_RIGHTS, BLIND, {}, {}),
    Obstacle.NO_VIEW_OFFLINE: (BY_ROLE, BLIND, {}, {"offline": True}),
    Obstacle.NO_ASSIGNEES: (BY_ROLE, BLIND, {}, {"server": ServerAbilities()}),
    Obstacle.NO_WRITE: (BY_ROLE, replace(BLIND, write=False), {}, {}),
    Obstacle.OTHER_ASSIGNEE: (BY_ROLE, BLIND, {"assigned_to": LEAKY}, {}),
}
"""The rights of giver and receiver, and fields of alert and case; for the rest, a grant."""


def handing_over(alert: Alert, effect: Effect | Obstacle, **repository_fields: Any) -> PersonalCase:
    """The case of octo-admin, who picked dana-kim to hand the alert over to, with this effect or obstacle."""
    gives, gets, facts, fields = HAND_OVERS.get(effect, (BY_ROLE, BLIND, {}, {}))
    receiver = Receiver(SlackUserId("U0DANA"), identity=identity(DANA_PERSON), rights=gets)
    if effect is Obstacle.YOURSELF:
        receiver = Receiver(SlackUserId("U0ADMIN"), identity=identity(ADMIN_PERSON), rights=gets)
    elif effect in OUTSIDERS:
        receiver = Receiver(SlackUserId("U0DANA"), effect)
    case = in_front_of(replace(alert, **facts), rights=gives, **repository_fields)
    case = replace(case, receiver=receiver, **fields)
    assert hand_over_effect(case, receiver) is effect
    return case


ASKED = Approval(
    id="5f0c2b6e9d1a4c73",
    alert=KEY,
    requested_by=ADMIN_PERSON,
    requested_at=NOW - 600,
    expires_at=NOW + 3000,
    facts=facts_of(working(), repository(), "organization owner"),
)
"""The request of octo-admin for approval of a report of the working token, a little over ten minutes ago."""


def event(kind: EventKind, by: Person | None = None, **details: Any) -> Event:
    """An event ten minutes after the leak."""
    return Event(KEY, kind, FOUND + 600, by, details)
