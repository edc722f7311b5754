"""GitHub's lists of an installation's alerts: how far each was read, and what it holds since."""

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
"""What the next try would be answered as well. An outage or a limit is raised, and the job waits for its end."""


@dataclass(frozen=True, slots=True)
class AlertList:
    """One of GitHub's two lists of an installation's alerts."""

    types: tuple[str, ...]
    """The secret types to name; none for the default patterns."""
    mark: str
    """Where its progress is kept."""
    last: SyncProgress | None
    everything: bool
    """Whether to read it all, and not what changed since the last time alone."""


async def lists_of(
    context: Context, installation: Installation, started: UnixTime, *, everything: bool
) -> tuple[AlertList, AlertList]:
    """The list of default patterns, and that of the generic ones, which must be named."""
    server = await context.github.server()
    mark = f"sweep:{installation.id}"
    async with context.db.read() as tx:
        default = parse_progress(await saved_values.load(tx, mark))
        # Version 0.1.0 kept one mark for both.
        generic = parse_progress(await saved_values.load(tx, f"{mark}:generic")) or default
    return (
        AlertList((), mark, default, everything or is_full_sync_due(default, started)),
        AlertList(
            generic_types(server.version),
            f"{mark}:generic",
            generic,
            everything or is_full_sync_due(generic, started),
        ),
    )


async def pages_of(
    context: Context, installation: Installation, only: str | None, each: AlertList
) -> AsyncIterator[ListedAlert]:
    """What GitHub lists, the latest change first; raises GitHubError unless that was read to its end."""
    access = context.github.of(installation.id)
    until = each.last.read_until if each.last is not None and not each.everything else None
    if installation.account_type == "Organization" and only is None:
        found = access.organization_alerts(installation.account.login, secret_types=each.types)
        async for repository, facts in found:
            if _is_before(facts, until):
                break
            yield ListedAlert(repository, facts)
        return
    # A user's account has no list of its own, and each repository's begins with what changed last in it.
    refused: GitHubError | None = None
    async for repository in access.repositories():
        if only is not None and repository.full_name.lower() != only.lower():
            continue
        try:
            async for facts in access.repository_alerts(repository.full_name, secret_types=each.types):
                if _is_before(facts, until):
                    break
                yield ListedAlert(repository, facts)
        except FeatureOff:
            # Where secret scanning is off there are no alerts to read.
            continue
        except REFUSALS as error:
            log.warning("list_refused", repository_id=repository.id, reason=str(error))
            refused = error
    if refused is not None:
        raise refused


def _is_before(facts: AlertFacts, until: UnixTime | None) -> bool:
    return until is not None and facts.updated_at is not None and facts.updated_at < until
