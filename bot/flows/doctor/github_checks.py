"""Checks GitHub: the clock, the App's key, its permissions and events, and the accounts where it is installed."""

from contextlib import suppress
from dataclasses import dataclass, field

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.our_accounts import OurAccounts
from bot.platforms import CLOCK_OFF, OLDEST
from bot.rules.check_results import CheckResult, fault, note, ok, warning
from bot.rules.github_addresses import app_page, enterprise_app_page, installation_page
from bot.rules.platform_needs import VITAL, missing_permissions
from integrations.github import errors
from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.app_facts import ENTERPRISE, AppFacts
from integrations.github.facts import InstallationFacts
from storage.db import StorageUnavailable


@dataclass(slots=True)
class GitHubFound:
    """GitHub's answers about the App, and the results so far."""

    results: list[CheckResult] = field(default_factory=list)
    app: AppFacts | None = None
    installations: list[InstallationFacts] = field(default_factory=list)
    """Those that are served and not suspended."""


async def check_github(examined: Examined, stored: StoredFacts) -> GitHubFound:
    """Ask GitHub about the App; what follows from it is checked elsewhere."""
    found = GitHubFound()
    github = examined.github
    if github is None or examined.ours is None:
        return found
    try:
        found.results += _clock(await github.clock_ahead())
        found.app = await github.app()
        server = await github.server()
        if server.is_too_old:
            found.results.append(
                warning("github.old_server", github.api_url, version=server.version, oldest=OLDEST)
            )
        found.results += await _client(examined, found.app)
        await _installations(examined, github, found, found.app, examined.ours, is_known=stored.is_known)
    except errors.GitHubError as error:
        # With a wrong clock GitHub refuses a right key.
        if not isinstance(error, errors.GitHubUnauthorized) or not found.results:
            found.results.append(_failure(error, github.api_url))
    if not any(result.is_finding for result in found.results):
        accounts = sorted(one.account.login for one in found.installations)
        found.results.append(ok("github.ok", ", ".join(accounts)))
    return found


def _clock(ahead: float | None) -> list[CheckResult]:
    if ahead is None or abs(ahead) < CLOCK_OFF:
        return []
    side = "ahead of" if ahead > 0 else "behind"
    return [fault("github.clock_off", seconds=f"{abs(ahead):.0f}", side=side)]


def _failure(error: errors.GitHubError, server: str) -> CheckResult:
    if isinstance(error, errors.GitHubUntrusted):
        return fault("github.certificate", server, reason=error.reason)
    if isinstance(error, errors.GitHubUnauthorized | errors.NotFound):
        reason = f"{error.status}: {error.detail}" if error.detail else f"{error.status}"
        return fault("github.key_refused", server, reason=reason)
    return fault("github.no_answer", server, reason=str(error))


async def _client(examined: Examined, app: AppFacts) -> list[CheckResult]:
    """Whether client ID and secret, with which people sign in, are this App's; raises GitHubError."""
    settings = examined.settings
    given = settings.github_app_client_id if settings is not None else None
    if given and app.client_id and given != app.client_id:
        return [fault("github.other_client_id", "GITHUB_APP_CLIENT_ID", client_id=app.client_id)]
    if examined.oauth is not None and not await examined.oauth.is_secret_accepted():
        page = page_of(examined.github_url, app)
        return [fault("github.client_secret_refused", "GITHUB_APP_CLIENT_SECRET", page=page)]
    return []


async def _installations(
    examined: Examined,
    github: GitHub,
    found: GitHubFound,
    app: AppFacts,
    ours: OurAccounts,
    *,
    is_known: bool,
) -> None:
    """Which accounts are served, and what each of them has granted; raises GitHubError."""
    # Without the database, which is a finding of its own, names are compared with GitHub's answers alone.
    if is_known:
        with suppress(StorageUnavailable):
            await ours.load()
    listed = [one async for one in github.installations()]
    served = [one for one in listed if _is_served(one.account, app, ours)]
    found.results += [warning("github.account_changed", sentence=change) for change in ours.changes]
    for name in sorted(ours.without(one.account for one in served)):
        found.results.append(fault("github.not_installed", name, page=page_of(examined.github_url, app)))
    if not served and not ours.are_named:
        found.results.append(
            fault("github.not_installed", app.owner.login, page=page_of(examined.github_url, app))
        )
    strangers = sorted(one.account.login for one in listed if one not in served)
    if strangers:
        found.results.append(note("github.not_served", ", ".join(strangers)))
    for one in served:
        if one.suspended:
            page = _page(examined.github_url, one)
            found.results.append(fault("github.suspended", one.account.login, page=page))
            continue
        found.installations.append(one)
        found.results += _permissions(examined.github_url, app, one)


def _is_served(account: GitHubAccount, app: AppFacts, ours: OurAccounts) -> bool:
    """As `OurAccounts` says, or as it will say once it has asked GitHub."""
    known = ours.is_ours(account)
    if known or (ours.are_named and ours.may_resolve(account)):
        return True
    return (
        known is None and not ours.are_named and (app.owner_type == ENTERPRISE or account.id == app.owner.id)
    )


def _permissions(url: str, app: AppFacts, one: InstallationFacts) -> list[CheckResult]:
    """What the installation lacks: the App does not ask for it, or the account has not accepted it."""
    unasked = {needed.name for needed in missing_permissions(app.permissions, "Organization")}
    found = []
    for needed in missing_permissions(one.permissions, one.account_type):
        level = fault if needed.name in VITAL else warning
        code = "github.permission_not_asked" if needed.name in unasked else "github.permission_not_accepted"
        page = page_of(url, app, "/permissions") if needed.name in unasked else _page(url, one)
        facts = {"permission": needed.title, "access": needed.access, "reason": needed.reason, "page": page}
        found.append(level(code, one.account.login, **facts))
    return found


def page_of(url: str, app: AppFacts, tail: str = "") -> str:
    """The App's settings on GitHub's website."""
    if app.owner_type == ENTERPRISE:
        return enterprise_app_page(url, app.owner.login, app.slug) + tail
    return app_page(url, app.owner.login if app.owner_type == "Organization" else None, app.slug) + tail


def _page(url: str, one: InstallationFacts) -> str:
    return installation_page(url, one.account.login if one.account_type == "Organization" else None, one.id)
