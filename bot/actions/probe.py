"""Asking whether a leaked token still works: fetched at that moment, sent to GitHub alone, forgotten."""

from dataclasses import dataclass, replace

from bot.context import Context
from bot.errors import RetryLater
from bot.rules.alert_merge import confirm_report
from bot.rules.validity import was_ever_active
from integrations.github.repository import RepositoryAccess
from integrations.github.token_probe import probe_token
from integrations.github.token_verdict import Verdict
from integrations.literal import Literal
from storage import messages
from storage.records import Account, Alert, ChannelId, GitHubId, Person, Probe, Repository, TokenFacts

APART = 30.0
"""Seconds between two probes of one alert: several 401s in a short time can lock logins out (GitHub's docs)."""
PACE = 1.0
"""Seconds between two probes, over all processes."""
ROUNDING = 0.001
"""Seconds by which a turn may seem to come later than now: it is kept with its interval added."""
PROBES = ChannelId("probes")
"""The name under which probes take their turns; no channel of Slack's has such an id."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found, and what is known of the token since."""

    probe: Probe
    token: TokenFacts

    def remember(self, alert: Alert) -> Alert:
        """The alert with what was found; a reported secret that is dead needs no further look."""
        report = confirm_report(alert.report) if self.probe.verdict == "inactive" else alert.report
        return replace(alert, probe=self.probe, token=self.token, report=report)


async def fetch_and_ask(
    context: Context, access: RepositoryAccess, alert: Alert, repository: Repository, *, by: Person | None
) -> Probed:
    """Fetch the literal and ask GitHub with it; `GET /user` when somebody clicked, since it names the owner."""
    literal = await access.literal(repository.full_name, alert.key.number)
    return await ask(context, alert, literal, by=by)


async def ask(context: Context, alert: Alert, literal: Literal, *, by: Person | None) -> Probed:
    """Ask GitHub with a literal at hand. Probes of all processes take turns. Never raises for GitHub's trouble.

    Raises RetryLater where somebody has asked about this alert in the last 30 seconds.
    """
    async with context.probing:
        async with context.db.begin() as tx:
            own = await messages.reserve_slot(tx, f"{PROBES}:{alert.key}", APART)
            if own > tx.now + ROUNDING:
                raise RetryLater(own, "it was asked about a moment ago")
            turn = await messages.reserve_slot(tx, PROBES, PACE)
        await context.clock.sleep(max(0.0, turn - context.clock.now()))
        verdict = await probe_token(
            context.session,
            context.github_api_url,
            context.user_agent,
            literal,
            secret_type=alert.secret_type,
            base64_encoded=alert.base64_encoded,
            with_owner=by is not None,
            now=context.clock.now,
        )
    return Probed(_probe(alert, verdict, context.clock.now(), by), _token(alert.token, verdict))


async def ask_unless_recent(context: Context, alert: Alert, literal: Literal) -> Probed | None:
    """The same, or None where somebody has asked a moment ago: what that found is known."""
    try:
        return await ask(context, alert, literal, by=None)
    except RetryLater:
        return None


def _probe(alert: Alert, verdict: Verdict, now: float, by: Person | None) -> Probe:
    return Probe(
        verdict=verdict.value,
        reason=verdict.reason,
        at=now,
        by=by,
        ever_active=verdict.value == "active" or was_ever_active(alert),
    )


def _token(known: TokenFacts, verdict: Verdict) -> TokenFacts:
    owner = Account(GitHubId(verdict.account.id), verdict.account.login) if verdict.account else known.owner
    return TokenFacts(
        owner=owner,
        owner_name=known.owner_name,
        scopes=verdict.scopes or known.scopes,
        expires_at=verdict.expires_at or known.expires_at,
    )
