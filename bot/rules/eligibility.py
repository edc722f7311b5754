"""What may be done with an alert, whoever asks: probing, reporting, closing, reopening."""

from dataclasses import dataclass
from enum import StrEnum

from bot.options import ReportOptions
from storage.records import Alert, Probe, ReportState, Repository

PERSONAL_ACCESS_TOKENS = frozenset({"github_personal_access_token"})
PROBED_TYPES = PERSONAL_ACCESS_TOKENS | {
    "github_oauth_access_token",
    "github_app_installation_access_token",
    "github_app_user_access_token",
}
SENT = frozenset({ReportState.REPORTED, ReportState.CONFIRMED, ReportState.STILL_ACTIVE})


@dataclass(frozen=True, slots=True)
class ServerAbilities:
    """What this GitHub can do: github.com more than GHE.com, and that more than an Enterprise Server.

    A server that could not be asked counts as one that can do none of it.
    """

    revokes: bool = False
    overrides_validity: bool = False
    assigns: bool = False


class CheckKind(StrEnum):
    """How an alert's validity is looked at."""

    PROBE = "probe"
    """Stanch asks GitHub with the token itself."""
    REFRESH = "refresh"
    """GitHub's own `validity` is read again."""


def check_kind(alert: Alert) -> CheckKind:
    return CheckKind.PROBE if alert.secret_type in PROBED_TYPES else CheckKind.REFRESH


def works(alert: Alert) -> str:
    """Whether the secret works as far as anybody knows: `active`, `inactive` or `unknown`.

    Stanch's own look counts where it gave an answer, until GitHub changes its word.
    """
    probe = alert.probe
    if probe is None or probe.verdict == "unknown" or probe.superseded:
        return alert.validity
    return probe.verdict


def confirmed_inactive(alert: Alert) -> bool:
    """Whether the secret may be called dead: GitHub says so, or this host accepted it once and no longer does."""
    if works(alert) != "inactive":
        return False
    if alert.validity == "inactive" and not alert.validity_written:
        return True
    return alert.probe is not None and alert.probe.verdict == "inactive" and alert.probe.ever_active


def ever_worked(alert: Alert) -> bool:
    """Whether GitHub called the secret active, or this host accepted it at some probe."""
    return works(alert) == "active" or (alert.probe is not None and alert.probe.ever_active)


def override_for(probe: Probe | None) -> str | None:
    """The validity that a probe allows to write to GitHub: a 401 says nothing of a token never accepted here."""
    if probe is None or probe.superseded:
        return None
    if probe.verdict == "inactive":
        return "inactive" if probe.ever_active else None
    return "active" if probe.verdict == "active" else None


def is_override_untrue(alert: Alert) -> bool:
    """Whether GitHub shows an override of Stanch's that the last probe contradicts."""
    probe = alert.probe
    if not alert.validity_written or probe is None or probe.verdict == "unknown" or probe.superseded:
        return False
    return alert.validity != override_for(probe)


def reportable_types(options: ReportOptions) -> frozenset[str]:
    more = {
        "github_oauth_access_token": options.oauth_tokens,
        "github_app_user_access_token": options.app_user_tokens,
        "github_refresh_token": options.refresh_tokens,
    }
    return PERSONAL_ACCESS_TOKENS | {kind for kind, wanted in more.items() if wanted}


def report_obstacle(
    alert: Alert, repository: Repository, server: ServerAbilities, options: ReportOptions
) -> str | None:
    """Why this alert's secret can't be reported to GitHub now, as one short word, or None."""
    obstacles = (
        (not repository.is_reachable, "unreachable"),
        (not alert.is_open, "closed"),
        (alert.secret_type not in reportable_types(options), "secret_type"),
        (not server.revokes, "server"),
        (repository.is_public, "public"),
        (alert.report is not None and alert.report.state in SENT, "reported"),
        (alert.report is not None and alert.report.state is ReportState.WAITING, "waiting"),
        (works(alert) == "inactive", "inactive"),
    )
    return next((word for holds, word in obstacles if holds), None)
