"""Records of alerts, repositories, installations and deliveries, read from GitHub's JSON.

The same record is read from webhooks, lists, single reads and old servers. Each of them leaves some fields out; such
a field is None. GitHub may add values to its enums, so these stay plain strings and an unknown one is no error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from integrations.github.accounts import GitHubAccount, account, needed_account
from integrations.github.errors import Malformed, NoAccount
from integrations.github.json_fields import (
    flag,
    identifier,
    json_object,
    json_objects,
    line_number,
    text,
    timestamp,
    web_address,
)
from integrations.json_types import JsonObject

_FULL_NAME = re.compile(r"(?!\.\.?/)[\w.-]{1,100}/(?!\.\.?\Z)[\w.-]{1,200}", re.ASCII)
_ISSUE_OR_PULL = re.compile(r"/(issues|pulls)/([0-9]+)\Z")
_STATES = frozenset({"open", "resolved"})


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A repository."""

    id: int
    full_name: str
    owner: GitHubAccount
    owner_type: str
    """`Organization` or `User`, as GitHub spells it; `unknown` where it is missing."""
    visibility: str
    """`public`, `private` or `internal`, as GitHub spells it; `unknown` where it is missing."""
    html_url: str
    delegated_dismissal: bool | None = None
    """Whether closing an alert needs a reviewer. None for a token that may not read the settings."""


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """An installation of the GitHub App on one account."""

    id: int
    account: GitHubAccount
    account_type: str
    """`Organization` or `User`, as GitHub spells it; `unknown` where it is missing."""
    suspended: bool
    permissions: Mapping[str, str] = field(default_factory=dict)
    """What the account granted: `read`, `write` or `admin` by GitHub's name of the permission."""


@dataclass(frozen=True, slots=True)
class LocationFacts:
    """One location of a secret."""

    kind: str
    """GitHub's location type: `commit`, `wiki_commit`, `issue_body`, …; `unknown` where it can't be inferred."""
    path: str | None = None
    line: int | None = None
    commit_sha: str | None = None
    html_url: str | None = None
    """The page on GitHub's website."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """A secret scanning alert, without its secret. Times are Unix seconds."""

    number: int
    html_url: str
    state: str
    """`open` or `resolved`; derived for webhooks, which have no such field."""
    secret_type: str
    """GitHub's slug; empty where it is missing."""
    secret_type_name: str
    """GitHub's display name; the slug where it is missing."""
    provider: str | None = None
    category: str | None = None
    """`default` or `generic`; only webhooks have it."""
    created_at: float | None = None
    updated_at: float | None = None
    resolution: str | None = None
    resolution_comment: str | None = None
    resolved_by: GitHubAccount | None = None
    resolved_at: float | None = None
    validity: str | None = None
    publicly_leaked: bool | None = None
    multi_repo: bool | None = None
    base64_encoded: bool | None = None
    bypassed: bool | None = None
    bypassed_by: GitHubAccount | None = None
    bypassed_at: float | None = None
    bypass_comment: str | None = None
    """The comment in the request to bypass push protection."""
    first_location: LocationFacts | None = None
    has_more_locations: bool | None = None
    assigned_to: GitHubAccount | None = None
    has_assigned_to: bool = False
    """Whether the JSON has the field: then `assigned_to` being None means that nobody is assigned."""
    metadata: Mapping[str, str] | None = None
    """About the token. The keys are GitHub's, with hyphens: `owner-name`, `secret-expiration-date`, …"""


def is_full_name(value: str) -> bool:
    """Whether `value` has the form `owner/name`, so that it is safe in a path."""
    return _FULL_NAME.fullmatch(value) is not None


def parse_repository(raw: JsonObject) -> RepositoryFacts:
    """Read a repository from a webhook or a REST response.

    Raises Malformed without id, name or owner; its subclass NoAccount for an owner that is null, which GitHub's
    description allows.
    """
    number, name = identifier(raw.get("id")), text(raw.get("full_name"))
    if number is None or name is None or not is_full_name(name):
        raise Malformed("the repository has no usable id or full_name")
    owner = _account_of(raw.get("owner"), "repository")
    private = flag(raw.get("private"))
    fallback = "unknown" if private is None else "private" if private else "public"
    return RepositoryFacts(
        id=number,
        full_name=name,
        owner=owner,
        owner_type=text((json_object(raw.get("owner")) or {}).get("type")) or "unknown",
        visibility=text(raw.get("visibility")) or fallback,
        html_url=web_address(raw.get("html_url")) or "",
        delegated_dismissal=_delegated_dismissal(raw),
    )


def _delegated_dismissal(raw: JsonObject) -> bool | None:
    settings = json_object(raw.get("security_and_analysis")) or {}
    setting = json_object(settings.get("secret_scanning_delegated_alert_dismissal")) or {}
    return {"enabled": True, "disabled": False}.get(text(setting.get("status")) or "")


def parse_installation(raw: JsonObject) -> InstallationFacts:
    """Read an installation from a webhook or a REST response.

    Raises Malformed without id or account; its subclass NoAccount for an account that is null or an enterprise, which
    GitHub's description allows.
    """
    number = identifier(raw.get("id"))
    if number is None:
        raise Malformed("the installation has no usable id")
    owner = _account_of(raw.get("account"), "installation")
    account_type = text((json_object(raw.get("account")) or {}).get("type")) or text(raw.get("target_type"))
    suspended, permissions = raw.get("suspended_at") is not None, parse_permissions(raw)
    return InstallationFacts(number, owner, account_type or "unknown", suspended, permissions)


def parse_permissions(raw: JsonObject) -> Mapping[str, str]:
    """Read what an installation was granted."""
    granted = json_object(raw.get("permissions")) or {}
    return {name: level for name, value in granted.items() if (level := text(value))}


def _account_of(value: object, what: str) -> GitHubAccount:
    """Read the account that a repository or installation (`what`) belongs to. Raises NoAccount or Malformed."""
    raw = json_object(value)
    if value is None or (raw is not None and identifier(raw.get("id")) and "login" not in raw):
        raise NoAccount(f"the {what} belongs to no account with a login")
    return needed_account(value, f"the account of the {what}")


def parse_alert(raw: JsonObject, *, action: str | None = None, repository_url: str = "") -> AlertFacts:
    """Read an alert from a webhook or a REST response, except for its `secret`.

    `action` is the webhook's action. `repository_url` is the repository's page; the alert's page is derived from it
    where the JSON has none, as on old servers. Raises Malformed without a number.
    """
    number = identifier(raw.get("number"))
    if number is None:
        raise Malformed("the alert has no usable number")
    secret_type = text(raw.get("secret_type")) or ""
    link = f"{repository_url}/security/secret-scanning/{number}" if repository_url else ""
    first = json_object(raw.get("first_location_detected"))
    return AlertFacts(
        number=number,
        html_url=web_address(raw.get("html_url")) or link,
        state=_state(raw, action),
        secret_type=secret_type,
        secret_type_name=text(raw.get("secret_type_display_name")) or secret_type,
        provider=text(raw.get("provider")),
        category=text(raw.get("secret_category")),
        created_at=timestamp(raw.get("created_at")),
        updated_at=timestamp(raw.get("updated_at")),
        resolution=text(raw.get("resolution")),
        resolution_comment=text(raw.get("resolution_comment")),
        resolved_by=account(raw.get("resolved_by")),
        resolved_at=timestamp(raw.get("resolved_at")),
        validity=text(raw.get("validity")),
        publicly_leaked=flag(raw.get("publicly_leaked")),
        multi_repo=flag(raw.get("multi_repo")),
        base64_encoded=flag(raw.get("is_base64_encoded")),
        bypassed=flag(raw.get("push_protection_bypassed")),
        bypassed_by=account(raw.get("push_protection_bypassed_by")),
        bypassed_at=timestamp(raw.get("push_protection_bypassed_at")),
        bypass_comment=text(raw.get("push_protection_bypass_request_comment")),
        first_location=parse_location({"details": first}, repository_url=repository_url) if first else None,
        has_more_locations=flag(raw.get("has_more_locations")),
        assigned_to=account(raw.get("assigned_to")),
        has_assigned_to="assigned_to" in raw,
        metadata=_metadata(raw),
    )


def _state(raw: JsonObject, action: str | None) -> str:
    # GitHub's webhook schema has no `state`. It follows from the resolution or, without one, from the action.
    state = text(raw.get("state"))
    if state in _STATES:
        return state
    return "resolved" if text(raw.get("resolution")) or action == "resolved" else "open"


def _metadata(raw: JsonObject) -> Mapping[str, str] | None:
    if not isinstance(raw.get("metadata"), list):
        return None
    pairs = ((text(item.get("key")), text(item.get("value"))) for item in json_objects(raw.get("metadata")))
    # GitHub's docs spell the keys with hyphens in filters, and with underscores in an example response.
    return {key.replace("_", "-"): value for key, value in pairs if key and value}


def parse_location(raw: JsonObject, *, repository_url: str = "") -> LocationFacts:
    """Read a location `{type, details}`; a missing type is inferred from the details.

    `repository_url` is the repository's page. Older servers give only API addresses; the page of a commit, an
    issue or a pull request is then derived from both.
    """
    details = json_object(raw.get("details")) or {}
    kind = text(raw.get("type")) or _kind_of(details)
    path, line = text(details.get("path")), line_number(details.get("start_line"))
    sha = text(details.get("commit_sha"))
    page = web_address(details.get("html_url"))
    if page is None and kind == "commit" and repository_url and path and sha:
        page = f"{repository_url}/blob/{quote(sha, safe='')}/{quote(path.lstrip('/'))}" + (
            f"#L{line}" if line else ""
        )
    elif page is None and kind == "wiki_commit":
        page = web_address(details.get("page_url")) or web_address(details.get("commit_url"))
    elif page is None:
        page = _page_of(kind, web_address(details.get(f"{kind}_url")), repository_url)
    return LocationFacts(kind, path, line, sha, page)


def _kind_of(details: JsonObject) -> str:
    if "commit_sha" in details:
        return "wiki_commit" if "page_url" in details else "commit"
    named = (key.removesuffix("_url") for key in details if key.endswith("_url") and key != "html_url")
    return next(named, "unknown")


def _page_of(kind: str, address: str | None, repository_url: str) -> str | None:
    if address is None or kind.startswith("discussion_"):
        return address  # For discussions, GitHub's address is the page itself.
    match = _ISSUE_OR_PULL.search(address)
    if match is None or not repository_url:
        return None
    return f"{repository_url}/{'issues' if match[1] == 'issues' else 'pull'}/{match[2]}"
