"""Says whether a secret works, from GitHub's validity and Stanch's probe, and how that is checked."""

from bot.options import ValidityOptions
from storage.records import Alert, Probe

PERSONAL_ACCESS_TOKENS = frozenset({"github_personal_access_token"})
PROBEABLE_TYPES = PERSONAL_ACCESS_TOKENS | {
    "github_oauth_access_token",
    "github_app_installation_access_token",
    "github_app_user_access_token",
}

RECHECK_AFTER = 86400.0
"""Seconds from a closure as revoked to its recheck."""


def is_probeable(alert: Alert) -> bool:
    """Whether GitHub can be asked with the secret itself; for all others its `validity` is read again."""
    return alert.secret_type in PROBEABLE_TYPES


def is_probed(alert: Alert, options: ValidityOptions) -> bool:
    """Whether Stanch may ask with it: a token that can be probed, unless the operator has turned probes off."""
    return options.probes and is_probeable(alert)


def effective_validity(alert: Alert) -> str:
    """Whether the secret works, as far as known: `active`, `inactive`, `unknown` or another word of GitHub's.

    It is the verdict of Stanch's last probe if that was clear, until GitHub's `validity` changes; else `validity`.
    """
    probe = alert.probe
    if probe is None or probe.verdict == "unknown" or probe.superseded:
        return alert.validity
    return probe.verdict


def confirmed_inactive(alert: Alert) -> bool:
    """Whether the secret surely stopped working: GitHub says so, or this host accepted it before and now doesn't."""
    if effective_validity(alert) != "inactive":
        return False
    if alert.validity == "inactive" and not alert.validity_written:
        return True
    return alert.probe is not None and alert.probe.verdict == "inactive" and alert.probe.ever_active


def was_ever_active(alert: Alert) -> bool:
    """Whether the secret counts as active now, or this host accepted it in an earlier probe."""
    return effective_validity(alert) == "active" or (alert.probe is not None and alert.probe.ever_active)


def override_for(probe: Probe | None) -> str | None:
    """The validity to write to GitHub after a probe; None if it proves nothing.

    A 401 proves nothing about a token that this host never accepted: it may belong to another GitHub.
    """
    if probe is None or probe.superseded:
        return None
    if probe.verdict == "inactive":
        return "inactive" if probe.ever_active else None
    return "active" if probe.verdict == "active" else None


def is_override_untrue(alert: Alert) -> bool:
    """Whether GitHub shows a validity that Stanch wrote and the last probe contradicts."""
    probe = alert.probe
    if not alert.validity_written or probe is None or probe.verdict == "unknown" or probe.superseded:
        return False
    return alert.validity != override_for(probe)
