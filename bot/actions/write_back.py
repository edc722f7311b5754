"""Gives GitHub what a probe found, as the alert's `validity`, and keeps true what was given."""

from dataclasses import dataclass

import structlog

from bot.rules.validity import is_override_untrue, override_for
from integrations.github.errors import GitHubError, Unavailable, Unreachable
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from storage.records import Alert

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What GitHub's alert says since Stanch wrote to it."""

    facts: AlertFacts
    value: str | None
    """The override that stands now; None where Stanch's own was cleared."""


async def write_back(
    access: RepositoryAccess, full_name: str, alert: Alert, *, may_write: bool
) -> Written | None:
    """Clear Stanch's own override where it is untrue, and write the verdict where GitHub itself knows nothing.

    `alert` has the new probe. GitHub's docs: an override stays until it is cleared, so only a cleared one shows what
    GitHub itself says. None where nothing was to be written; raises GitHubError.
    """
    wanted = override_for(alert.probe)
    cleared = await _set(access, full_name, alert, None) if is_override_untrue(alert) else None
    validity = cleared.validity if cleared else alert.validity
    ours_stands = alert.validity_written and cleared is None
    if not may_write or wanted is None or validity != "unknown" or ours_stands:
        return Written(cleared, None) if cleared else None
    try:
        return Written(await _set(access, full_name, alert, wanted), wanted)
    except GitHubError as error:
        if cleared is None:
            raise
        log.warning("validity_not_written", alert=str(alert.key), reason=str(error))
        return Written(cleared, None)


async def _set(access: RepositoryAccess, full_name: str, alert: Alert, value: str | None) -> AlertFacts:
    """Write it. Where the answer was lost, the alert tells: else the webhook of our own change would be news."""
    try:
        return await access.set_validity(full_name, alert.key.number, value)
    except (Unavailable, Unreachable) as error:
        if not error.maybe_done:
            raise
        facts = await access.alert(full_name, alert.key.number)
        if facts.validity == alert.validity if value is None else facts.validity != value:
            raise
        return facts
