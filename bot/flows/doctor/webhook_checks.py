"""Checks the App's webhook: its address, its events, and GitHub's log of the last deliveries."""

from urllib.parse import urlsplit, urlunsplit

from bot.flows.doctor.examined import Examined
from bot.flows.doctor.github_checks import page_of
from bot.rules.check_results import CheckResult, fault, note, ok, warning
from bot.rules.delivery_health import DeliveryHealth, delivery_health
from bot.rules.platform_needs import missing_events
from bot.setting_values import is_loopback
from integrations.github.api import GitHub
from integrations.github.app_facts import AppFacts, DeliveryFacts, HookFacts
from integrations.github.errors import GitHubError
from storage.audit import iso

PATH = "/github/webhooks"
MOST = 200
"""Attempts that are read of GitHub's log."""
DAY = 86400.0


async def check_webhooks(examined: Examined, app: AppFacts | None) -> list[CheckResult]:
    """Nothing if the App could not be asked about, which is a finding of its own."""
    github, settings = examined.github, examined.settings
    if github is None or settings is None or app is None:
        return []
    try:
        hook = await github.hook()
        url = _shown(hook.url)
        if settings.github_webhook_secret is None:
            return _without_secret(settings.stanch_sync_interval, hook, page_of(examined.github_url, app))
        found = _address(hook, page_of(examined.github_url, app))
        if hook.url:
            page = page_of(examined.github_url, app, "/permissions")
            for event, feature in missing_events(app.events, app.permissions).items():
                found.append(warning("webhooks.event_missing", event, feature=feature, page=page))
            health = delivery_health(await _last_day(github, examined.clock.now()))
            found += _deliveries(url, health, page_of(examined.github_url, app, "/advanced"))
    except GitHubError as error:
        return [note("webhooks.not_asked", reason=str(error))]
    return found or [ok("webhooks.ok", url, number=health.number)]


def _without_secret(sync_interval: int, hook: HookFacts, page: str) -> list[CheckResult]:
    if hook.url:
        return [fault("webhooks.no_secret", "GITHUB_WEBHOOK_SECRET", url=_shown(hook.url), page=page)]
    if sync_interval == 0:
        return [fault("webhooks.no_way", "STANCH_SYNC_INTERVAL")]
    return [note("webhooks.off", seconds=sync_interval)]


def _address(hook: HookFacts, page: str) -> list[CheckResult]:
    if not hook.url:
        return [warning("webhooks.no_address", "GITHUB_WEBHOOK_SECRET", page=page)]
    found = []
    parts, url = urlsplit(hook.url), _shown(hook.url)
    if not parts.path.rstrip("/").endswith(PATH):
        found.append(fault("webhooks.other_path", url, path=PATH, page=page))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        found.append(warning("webhooks.not_encrypted", url, page=page))
    if hook.insecure:
        found.append(warning("webhooks.certificate_not_verified", url, page=page))
    return found


def _shown(url: str) -> str:
    """The address without user, password and query, which may hold a secret."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _last_day(github: GitHub, now: float) -> list[DeliveryFacts]:
    found: list[DeliveryFacts] = []
    async for attempt in github.deliveries():
        if attempt.delivered_at < now - DAY or len(found) == MOST:
            break
        found.append(attempt)
    return found


def _deliveries(url: str, health: DeliveryHealth, page: str) -> list[CheckResult]:
    """A fault if the last attempt failed; else a warning if some of the day are still not delivered."""
    if health.last is not None and not health.last.ok:
        facts = _facts(health, health.last)
        if health.last.status_code == 401:
            return [fault("webhooks.signature_refused", "GITHUB_WEBHOOK_SECRET", page=page, **facts)]
        return [fault("webhooks.failing", url, page=page, **facts)]
    if health.last_failure is not None:
        return [warning("webhooks.some_failed", url, page=page, **_facts(health, health.last_failure))]
    return []


def _facts(health: DeliveryHealth, failure: DeliveryFacts) -> dict[str, str]:
    code = f" ({failure.status_code})" if failure.status_code else ""
    return {
        "number": str(health.number),
        "failed": str(health.failed),
        "at": iso(failure.delivered_at)[:16].replace("T", " "),
        "status": failure.status if f"{failure.status_code}" in failure.status else f"{failure.status}{code}",
    }
