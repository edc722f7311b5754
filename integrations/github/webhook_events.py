"""Parses a webhook's payload into an event.

GitHub's docs: new events, actions and fields appear without notice. So only the ids that identify the subject are
required (the repository's id, the alert's number), and the action. Everything else is optional.
"""

from dataclasses import dataclass
from typing import TypeAlias

from integrations.github import facts
from integrations.github.accounts import GitHubAccount, account, needed_account
from integrations.github.errors import BadDelivery, Malformed, NoAccount
from integrations.github.json_fields import identifier, json_object, json_objects, text
from integrations.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """An alert was created or changed (`secret_scanning_alert`)."""

    action: str
    alert: facts.AlertFacts
    repository: facts.RepositoryFacts
    installation_id: int | None
    sender: GitHubAccount | None


@dataclass(frozen=True, slots=True)
class LocationEvent:
    """A secret that has an alert was found at another location (`secret_scanning_alert_location`)."""

    action: str
    alert: facts.AlertFacts
    location: facts.LocationFacts
    repository: facts.RepositoryFacts
    installation_id: int | None
    sender: GitHubAccount | None


@dataclass(frozen=True, slots=True)
class InstallationEvent:
    """An installation was created, deleted or suspended, its repositories changed, or its account was renamed."""

    action: str
    installation: facts.InstallationFacts
    added: tuple[tuple[int, str], ...] = ()
    """Repositories, by id and full name."""
    removed: tuple[tuple[int, str], ...] = ()
    sender: GitHubAccount | None = None


@dataclass(frozen=True, slots=True)
class RepositoryEvent:
    """A repository was renamed, transferred, deleted, made public, or its settings changed."""

    action: str
    repository: facts.RepositoryFacts
    installation_id: int | None
    sender: GitHubAccount | None


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """Permissions changed: of a person, in a repository, or, without both ids, in the whole account."""

    event: str
    action: str
    owner: GitHubAccount
    person_id: int | None = None
    repository_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationEvent:
    """A person took back what they had allowed the App (`github_app_authorization`): their tokens are invalid."""

    account: GitHubAccount


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that Stanch does not use."""

    reason: str


Parsed: TypeAlias = (
    AlertEvent
    | LocationEvent
    | InstallationEvent
    | RepositoryEvent
    | MembershipEvent
    | AuthorizationEvent
    | Ignored
)


def parse_event(event: str, payload: JsonObject) -> Parsed:
    """Parse a payload; `event` is the header `X-GitHub-Event`.

    Unknown events, actions and enum values are no error. An event without an account with a login, e.g. of an
    enterprise, is Ignored. Raises BadDelivery for a used event without its ids.
    """
    if not isinstance(payload, dict):
        raise BadDelivery("the body is not a JSON object")
    try:
        return _parse(event, payload)
    except NoAccount:
        return Ignored("no_account")
    except Malformed as error:
        raise BadDelivery(str(error)) from None


def _parse(event: str, payload: JsonObject) -> Parsed:
    match event:
        case "secret_scanning_alert":
            return _alert_event(payload)
        case "secret_scanning_alert_location":
            return _location_event(payload)
        case "installation" | "installation_repositories" | "installation_target":
            return _installation_event(event, payload)
        case "repository" | "security_and_analysis":
            return _repository_event(event, payload)
        case "organization":
            return _organization_event(payload)
        case "member" | "membership" | "team" | "team_add":
            return _membership_event(event, payload)
        case "github_app_authorization":
            return _authorization_event(payload)
        case _:
            return Ignored("event_not_used")


def _action(payload: JsonObject, default: str | None = None) -> str:
    action = text(payload.get("action")) or default
    if action is None:
        raise Malformed("the delivery has no action")
    return action


def _object(payload: JsonObject, name: str) -> JsonObject:
    value = json_object(payload.get(name))
    if value is None:
        raise Malformed(f"the delivery has no {name}")
    return value


def _installation_id(payload: JsonObject) -> int | None:
    return identifier((json_object(payload.get("installation")) or {}).get("id"))


def _alert_event(payload: JsonObject) -> AlertEvent:
    action, repository = _action(payload), facts.parse_repository(_object(payload, "repository"))
    return AlertEvent(
        action,
        facts.parse_alert(_object(payload, "alert"), action=action, repository_url=repository.html_url),
        repository,
        _installation_id(payload),
        account(payload.get("sender")),
    )


def _location_event(payload: JsonObject) -> LocationEvent:
    # In GitHub's description the action is optional here, and `created` is the only one.
    action, repository = _action(payload, "created"), facts.parse_repository(_object(payload, "repository"))
    return LocationEvent(
        action,
        facts.parse_alert(_object(payload, "alert"), repository_url=repository.html_url),
        facts.parse_location(json_object(payload.get("location")) or {}, repository_url=repository.html_url),
        repository,
        _installation_id(payload),
        account(payload.get("sender")),
    )


def _installation_event(event: str, payload: JsonObject) -> InstallationEvent:
    action, raw = _action(payload), _object(payload, "installation")
    if event == "installation_target":
        # This event has the renamed account beside the installation, which holds only its id.
        raw = {"target_type": payload.get("target_type"), **raw, "account": payload.get("account")}
    everything = _names(payload.get("repositories"))
    return InstallationEvent(
        action,
        facts.parse_installation(raw),
        added=_names(payload.get("repositories_added")) + (everything if action == "created" else ()),
        removed=_names(payload.get("repositories_removed")) + (everything if action == "deleted" else ()),
        sender=account(payload.get("sender")),
    )


def _names(value: object) -> tuple[tuple[int, str], ...]:
    pairs = ((identifier(item.get("id")), text(item.get("full_name"))) for item in json_objects(value))
    return tuple((number, name) for number, name in pairs if number and name)


def _repository_event(event: str, payload: JsonObject) -> RepositoryEvent:
    repository = facts.parse_repository(_object(payload, "repository"))
    return RepositoryEvent(
        # The event `security_and_analysis` has no action.
        _action(payload, event if event == "security_and_analysis" else None),
        repository,
        _installation_id(payload),
        account(payload.get("sender")),
    )


def _organization_event(payload: JsonObject) -> InstallationEvent | MembershipEvent | Ignored:
    action, organization = _action(payload), _object(payload, "organization")
    owner, number = needed_account(organization, "the organization"), _installation_id(payload)
    if action == "renamed" and number:
        return InstallationEvent(
            action, facts.InstallationFacts(number, owner, "Organization", suspended=False)
        )
    if action == "member_invited":
        return Ignored("nothing_changed_yet")
    person = account((json_object(payload.get("membership")) or {}).get("user"))
    return MembershipEvent("organization", action, owner, person_id=person.id if person else None)


def _authorization_event(payload: JsonObject) -> AuthorizationEvent | Ignored:
    person = account(payload.get("sender"))
    if _action(payload) != "revoked" or person is None:
        return Ignored("event_not_used")
    return AuthorizationEvent(person)


def _membership_event(event: str, payload: JsonObject) -> MembershipEvent:
    repository = json_object(payload.get("repository")) or {}
    owner = account(payload.get("organization")) or account(repository.get("owner"))
    if owner is None:
        raise NoAccount(f"the {event} delivery names no account")
    person = account(payload.get("member"))
    return MembershipEvent(
        event,
        _action(payload, "added" if event == "team_add" else None),
        owner,
        person_id=person.id if person else None,
        repository_id=identifier(repository.get("id")),
    )
