"""Probes a leaked token: fetches its literal, asks GitHub with it, and keeps only the verdict."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.context import Context
from bot.errors import RetryLater
from bot.rules.alert_merge import confirm_report
from bot.rules.validity import was_ever_active
from integrations.github.repository import RepositoryAccess
from integrations.github.token_probe import probe_token
from integrations.github.token_verdict import Verdict
from integrations.literal import Literal
from storage import slots
from storage.db import Tx
from storage.records import (
    Account,
    Alert,
    ChannelId,
    GitHubId,
    Person,
    Probe,
    Repository,
    TokenFacts,
    UnixTime,
)

PROBE_INTERVAL = 30.0
"""Seconds between two probes of one alert: several 401s in a short time can lock logins out (GitHub's docs)."""
PROBE_PACE = 1.0
"""Seconds between any two probes of all processes."""
ROUNDING = 0.001
"""Seconds by which a slot that is free now can lie in the future, by the rounding of stored times."""
PROBES = ChannelId("probes")
"""The name of the slots of probes, in the table of the channels' slots; no channel has such an id."""
Reserve: TypeAlias = Callable[[Tx, UnixTime], Awaitable[None]]
"""Reserves what else a probe at that time needs, in the transaction that reserves its slot; raises RetryLater."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A probe, and what is known of the token after it."""

    probe: Probe
    token: TokenFacts

    def apply_to(self, alert: Alert) -> Alert:
        """The alert with the result; a report is confirmed if the secret no longer works."""
        report = confirm_report(alert.report) if self.probe.verdict == "inactive" else alert.report
        return replace(alert, probe=self.probe, token=self.token, report=report)


async def fetch_and_probe(
    context: Context,
    access: RepositoryAccess,
    alert: Alert,
    repository: Repository,
    *,
    by: Person | None,
    with_owner: bool = False,
    reserve: Reserve | None = None,
) -> ProbeResult:
    """Fetch the literal and probe it.

    With `with_owner`, and with `by`, the person who clicked, GitHub is asked with `GET /user`, which names the owner
    of the token. Raises GitHubError if the literal can't be fetched, and RetryLater as `probe_secret`.
    """
    literal = await access.literal(repository.full_name, alert.key.number)
    return await probe_secret(context, alert, literal, by=by, with_owner=with_owner, reserve=reserve)


async def probe_secret(
    context: Context,
    alert: Alert,
    literal: Literal,
    *,
    by: Person | None,
    with_owner: bool = False,
    reserve: Reserve | None = None,
) -> ProbeResult:
    """Probe a secret whose literal is at hand, one second after the last probe of any process.

    `alert` has its last probe, if that has ended. If GitHub fails, the verdict is `unknown`. Raises RetryLater if
    this alert was probed less than 30 seconds before, and as `reserve` does.
    """
    async with context.probe_lock:
        async with context.db.begin() as tx:
            slot = await slots.reserve(tx, PROBES, PROBE_PACE)
            own = f"{PROBES}:{alert.key}"
            free_at = await slots.reserve(tx, own, PROBE_INTERVAL, since=slot)
            if alert.probe is not None:
                # The slot has the time when the last probe was sent; its request and its answer took a while.
                free_at = max(free_at, alert.probe.at + PROBE_INTERVAL)
            if free_at > slot + ROUNDING:
                raise RetryLater(free_at, "this alert was probed a moment ago")
            if reserve is not None:
                await reserve(tx, slot)
        await context.clock.sleep(max(0.0, slot - context.clock.now()))
        verdict = await probe_token(
            context.session,
            context.github_api_url,
            context.user_agent,
            literal,
            secret_type=alert.secret_type,
            base64_encoded=alert.base64_encoded,
            with_owner=with_owner or by is not None,
            now=context.clock.now,
        )
    ever_active = verdict.value == "active" or was_ever_active(alert)
    probe = Probe(verdict.value, verdict.reason, context.clock.now(), by, ever_active)
    return ProbeResult(probe, _token(alert.token, verdict))


async def probe_unless_recent(context: Context, alert: Alert, literal: Literal) -> ProbeResult | None:
    """Probe as `probe_secret`; None if this alert was probed a moment ago, whose result is stored."""
    try:
        return await probe_secret(context, alert, literal, by=None)
    except RetryLater:
        return None


def _token(known: TokenFacts, verdict: Verdict) -> TokenFacts:
    owner = Account(GitHubId(verdict.account.id), verdict.account.login) if verdict.account else known.owner
    expires_at = verdict.expires_at or known.expires_at
    return replace(known, owner=owner, scopes=verdict.scopes or known.scopes, expires_at=expires_at)
