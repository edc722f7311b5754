"""Checks whether a caller may use a route on the repository or organization in its path."""

from __future__ import annotations

from urllib.parse import urlencode

from integrations.sandbox.github import rights
from integrations.sandbox.github.calls import NOT_FOR_INTEGRATIONS, Call, Refusal, Route
from integrations.sandbox.github.records import GitHubRepository, GitHubUser, Organization

NOT_FOR_TOKENS = "Resource not accessible by personal access token"
ALERT_SCOPES = frozenset({"repo", "security_events"})


def admit(call: Call, route: Route) -> None:
    """Look up what the path names and admit the caller, or raise the `Refusal` that GitHub answers.

    A private repository out of reach is a 404, as if it did not exist; a public one is a 403.
    """
    _check_kind(call, route)
    if "owner" in call.path and "repo" in call.path:
        call.target_repository = _find_repository(call, route)
    if "org" in call.path:
        call.target_organization = call.github.organization(call.path["org"])
        if call.target_organization is None:
            raise Refusal(404, "Not Found")
        _check_sso(call, call.target_organization)
    if route.access != "installation" or not route.permissions:
        return
    if call.principal.kind == "user":
        _admit_person(call, route)
    else:
        _admit_installation(call, route)


def _check_kind(call: Call, route: Route) -> None:
    kind = call.principal.kind
    if route.access == "app" and kind != "app":
        raise Refusal(401, "A JSON web token could not be decoded")
    if (kind == "app") != (route.access == "app") or (kind == "client") != (route.access == "client"):
        raise Refusal(401, "Bad credentials")
    if route.access in ("installation", "user", "any_token") and kind is None:
        raise Refusal(401, "Requires authentication")
    if route.access == "user" and kind == "installation":
        raise Refusal(403, NOT_FOR_INTEGRATIONS)
    if route.access == "installation" and not route.permissions and kind == "user":
        raise Refusal(403, NOT_FOR_TOKENS)


def _find_repository(call: Call, route: Route) -> GitHubRepository:
    owner, name = call.path["owner"], call.path["repo"]
    repository = call.github.named_repository(owner, name)
    moved = None if repository else call.github.moved_repository(owner, name)
    found = repository or moved
    if found is None or not _sees(call, route, found):
        raise Refusal(404, "Not Found")
    if isinstance(found.owner, Organization):
        _check_sso(call, found.owner)
    if moved is not None:
        _redirect(call, moved)
    return found


def _sees(call: Call, route: Route, repository: GitHubRepository) -> bool:
    if not repository.private or route.access == "app" or call.principal.reaches(repository):
        return True
    user = call.principal.user
    if user is None or (_is_app_user(call) and not _app_covers(call, repository)):
        return False
    return rights.repository_role(repository, user).flags["pull"]


def _is_app_user(call: Call) -> bool:
    live = call.principal.live_token
    return live is not None and live.kind == "app_user"


def _redirect(call: Call, repository: GitHubRepository) -> None:
    """GitHub's docs, redirects: 301 for GET, 307 otherwise, to the address by id."""
    old = f"/repos/{call.path['owner']}/{call.path['repo']}"
    rest = call.url.removeprefix(call.github.api_url).removeprefix(old)
    query = f"?{urlencode(call.raw_query)}" if call.raw_query else ""
    target = f"{call.github.api_url}/repositories/{repository.id}{rest}{query}"
    status, message = (301, "Moved Permanently") if call.method == "GET" else (307, "Temporary Redirect")
    raise Refusal(status, message, headers={"Location": target})


def _admit_installation(call: Call, route: Route) -> None:
    repository, organization = call.target_repository, call.target_organization
    installation = call.principal.installation
    if repository is not None and not call.principal.reaches(repository):
        raise Refusal(403, NOT_FOR_INTEGRATIONS)
    if organization is not None and (installation is None or installation.account is not organization):
        raise Refusal(403, NOT_FOR_INTEGRATIONS)
    if not any(call.principal.grants(name, level) for name, level in route.permissions):
        raise Refusal(403, NOT_FOR_INTEGRATIONS)


def _admit_person(call: Call, route: Route) -> None:
    """A person's token reads and updates alerts of repositories, within the person's rights.

    GitHub's docs: a token that the App got for the person has the rights that both the App and the person have.
    """
    user, live, repository = call.principal.user, call.principal.live_token, call.target_repository
    permission, level = route.permissions[0]
    if user is None or live is None or repository is None or permission != "secret_scanning_alerts":
        raise Refusal(403, NOT_FOR_TOKENS)
    if live.kind in ("classic", "oauth") and not ALERT_SCOPES & set(live.scopes):
        raise Refusal(404, "Not Found")
    if _is_app_user(call) and not _app_may(call, repository, permission, level):
        raise Refusal(403, NOT_FOR_INTEGRATIONS)
    if not _has_right(call, repository, user, level):
        raise Refusal(
            404 if level == "read" else 403, "Not Found" if level == "read" else "Must have admin rights"
        )


def _app_covers(call: Call, repository: GitHubRepository) -> bool:
    installation = call.github.installation_on(repository.owner)
    return installation is not None and installation.suspended_at is None and installation.covers(repository)


def _app_may(call: Call, repository: GitHubRepository, permission: str, level: str) -> bool:
    installation = call.github.installation_on(repository.owner)
    held = installation.permissions.get(permission) if installation is not None else None
    return held is not None and (level == "read" or held in ("write", "admin"))


def _has_right(call: Call, repository: GitHubRepository, user: GitHubUser, level: str) -> bool:
    """By role, or on this one alert: GitHub's docs name its assignee and the leaking commit's author.

    GitHub's changelog of November 2025: assigning an alert grants it; Enterprise Server from 3.20.
    """
    check = rights.may_see_alerts if level == "read" else rights.may_resolve_alerts
    if check(repository, user):
        return True
    number = call.path.get("alert_number", "")
    alert = call.github.alerts.get((repository.id, int(number))) if number.isdecimal() else None
    if alert is None:
        return False
    if alert.assigned_to is user and call.github.is_at_least((3, 20)):
        return True
    shas = {str(each.details.get("commit_sha")) for each in alert.locations}
    committed = any(repository.commits[sha].author is user for sha in shas & repository.commits.keys())
    return committed and rights.has_write_access(repository, user)


def _check_sso(call: Call, organization: Organization) -> None:
    """GitHub's docs, SAML: the header says where to authorize the token for the organization."""
    live = call.principal.live_token
    if live is None:
        return
    by_app = _is_app_user(call) and organization.enforces_sso and live.owner.id in organization.members
    if live.network == "sso" or (by_app and organization.id not in live.sso_organizations):
        address = f"{call.github.url}/orgs/{organization.login}/sso?authorization_request=sandbox"
        kind = "Personal Access" if live.kind in ("classic", "fine_grained") else "OAuth"
        message = (
            "Resource protected by organization SAML enforcement. "
            f"You must grant your {kind} token access to this organization."
        )
        raise Refusal(403, message, headers={"X-GitHub-SSO": f"required; url={address}"})
