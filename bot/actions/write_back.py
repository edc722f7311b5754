"""Writes a probe's verdict to GitHub as the alert's validity, and clears one that is no longer true."""

from dataclasses import dataclass

import structlog

from bot.actions.action import Write, by_app
from bot.errors import Refused, RetryLater
from bot.rules.validity import is_override_untrue, override_for
from integrations.github.errors import GitHubError, Unavailable, Unreachable
from integrations.github.facts import AlertFacts
from integrations.github.repository import RepositoryAccess
from storage.records import Alert

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WriteBack:
    """GitHub's alert after Stanch wrote its validity."""

    facts: AlertFacts
    value: str | None
    """The validity that Stanch wrote; None if it cleared its own."""


async def write_back(
    access: RepositoryAccess, full_name: str, alert: Alert, *, may_write: bool, write: Write | None = None
) -> WriteBack | None:
    """Clear Stanch's own validity if it is untrue, and write the verdict if GitHub's own is `unknown`.

    `alert` has the new probe. `write` writes the verdict in somebody's name; without it, and for clearing, it is the
    App's. GitHub's docs: a written validity stays until it is cleared; only then GitHub's own is shown. Returns None
    if nothing was written; raises GitHubError, and what `write` raises.
    """
    verdict, as_app = override_for(alert.probe), by_app(access)
    cleared = await _set_validity(as_app, full_name, alert, None) if is_override_untrue(alert) else None
    validity = cleared.validity if cleared else alert.validity
    ours_stands = alert.validity_written and cleared is None
    if not may_write or verdict is None or validity != "unknown" or ours_stands:
        return WriteBack(cleared, None) if cleared else None
    try:
        return WriteBack(await _set_validity(write or as_app, full_name, alert, verdict), verdict)
    except (GitHubError, Refused, RetryLater) as error:
        if cleared is None:
            raise
        log.warning("validity_not_written", alert=str(alert.key), reason=str(error))
        return WriteBack(cleared, None)


async def _set_validity(write: Write, full_name: str, alert: Alert, value: str | None) -> AlertFacts:
    """Write it. If the answer was lost, the alert shows whether it was written.

    Otherwise the webhook of our own change would be taken for a change by somebody else.
    """
    number = alert.key.number
    try:
        return await write(lambda calls: calls.set_validity(full_name, number, value))
    except (Unavailable, Unreachable) as error:
        if not error.maybe_done:
            raise
        facts = await write(lambda calls: calls.alert(full_name, number))
        if facts.validity == alert.validity if value is None else facts.validity != value:
            raise
        return facts
