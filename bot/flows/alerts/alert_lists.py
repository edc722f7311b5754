"""Reads GitHub's lists of an installation's alerts, from where the last sync ended."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from bot.context import Context
from bot.rules.sync_scope import ListedAlert, SyncProgress, generic_types, is_full_sync_due, parse_progress
from integrations.github.errors import (
    FeatureOff,
    Forbidden,
    GitHubError,
    GitHubUnauthorized,
    InstallationGone,
    Invalid,
    Moved,
    NotFound,
)
from integrations.github.facts import AlertFacts
from storage import saved_values
from storage.records import Installation, UnixTime

log = structlog.get_logger(__name__)
REFUSALS = (Forbidden, InstallationGone, Invalid, Moved, NotFound, GitHubUnauthorized)
"""Errors that a retry would meet again. An outage or a limit is raised instead, and the job is retried later."""


@dataclass(frozen=True, slots=True)
class AlertList:
    """One of GitHub's two lists of an installation's alerts."""

    types: tuple[str, ...]
    """The secret types to name; none for the default patterns."""
    saved_as: str
    """The name of the saved value that holds its progress."""
    last: SyncProgress | None
    """How far it was read the last time."""
    everything: bool
    """Whether to read all of it, or only what changed since the last time."""


async def find_lists(
    context: Context, installation: Installation, started: UnixTime, *, everything: bool
) -> tuple[AlertList, AlertList]:
    """The list of default patterns, and the list of generic ones, whose secret types must be named."""
    server = await context.github.server()
    name = f"sweep:{installation.id}"
    async with context.db.read() as tx:
        default = parse_progress(await saved_values.load(tx, name))
        # Version 0.1.0 saved one progress for both.
        generic = parse_progress(await saved_values.load(tx, f"{name}:generic")) or default
    types, everything_generic = (
        generic_types(server.version),
        everything or is_full_sync_due(generic, started),
    )
    return (
        AlertList((), name, default, everything or is_full_sync_due(default, started)),
        AlertList(types, f"{name}:generic", generic, everything_generic),
    )


async def list_alerts(
    context: Context, installation: Installation, only: str | None, alert_list: AlertList
) -> AsyncIterator[ListedAlert]:
    """What GitHub lists, the latest change first; `only` is the full name of the only repository to read.

    Raises GitHubError if the list was not read to its end.
    """
    access = context.github.of(installation.id)
    until = alert_list.last.read_until if alert_list.last is not None and not alert_list.everything else None
    if installation.account_type == "Organization" and only is None:
        found = access.organization_alerts(installation.account.login, secret_types=alert_list.types)
        async for repository, facts in found:
            if _is_before(facts, until):
                break
            yield ListedAlert(repository, facts)
        return
    # GitHub has no list for a user's account: its repositories are read one by one.
    refused: GitHubError | None = None
    async for repository in access.repositories():
        if only is not None and repository.full_name.lower() != only.lower():
            continue
        try:
            async for facts in access.repository_alerts(repository.full_name, secret_types=alert_list.types):
                if _is_before(facts, until):
                    break
                yield ListedAlert(repository, facts)
        except FeatureOff:
            # Secret scanning is off in this repository, so it has no alerts.
            continue
        except REFUSALS as error:
            log.warning("list_refused", repository_id=repository.id, reason=str(error))
            refused = error
    if refused is not None:
        raise refused


def _is_before(facts: AlertFacts, until: UnixTime | None) -> bool:
    return until is not None and facts.updated_at is not None and facts.updated_at < until
