"""Says which secrets can be reported to GitHub, and why one can't."""

from dataclasses import dataclass

from bot.options import ReportOptions
from bot.rules.validity import PERSONAL_ACCESS_TOKENS, effective_validity
from storage.records import Alert, ReportState, Repository

SENT_STATES = frozenset({ReportState.REPORTED, ReportState.CONFIRMED, ReportState.STILL_ACTIVE})


@dataclass(frozen=True, slots=True)
class ServerAbilities:
    """What this GitHub offers: github.com the most, GHE.com less, Enterprise Server least.

    A server that could not be asked counts as one that offers none of it.
    """

    revokes: bool = False
    overrides_validity: bool = False
    assigns: bool = False
    knows_pkce: bool = True
    """It binds a sign-in to the browser in which it began; Enterprise Server does so after 3.20."""


def reportable_types(options: ReportOptions) -> frozenset[str]:
    more = {
        "github_oauth_access_token": options.oauth_tokens,
        "github_app_user_access_token": options.app_user_tokens,
        "github_refresh_token": options.refresh_tokens,
    }
    return PERSONAL_ACCESS_TOKENS | {kind for kind, enabled in more.items() if enabled}


def report_obstacle(
    alert: Alert, repository: Repository, server: ServerAbilities, options: ReportOptions
) -> str | None:
    """Why this alert's secret can't be reported to GitHub now, as one short word; None if it can."""
    obstacles = (
        (not repository.is_reachable, "unreachable"),
        (not alert.is_open, "closed"),
        (alert.secret_type not in reportable_types(options), "secret_type"),
        (not server.revokes, "server"),
        (repository.is_public, "public"),
        (alert.report is not None and alert.report.state in SENT_STATES, "reported"),
        (alert.report is not None and alert.report.state is ReportState.WAITING, "waiting"),
        (effective_validity(alert) == "inactive", "inactive"),
    )
    return next((word for holds, word in obstacles if holds), None)
