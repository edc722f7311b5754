"""Checks that a repository is still the one that was stored, and gives access to it alone."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.job_kinds import AnnounceRepositoryChange
from bot.job_rows import new_job
from bot.rules.timeline import repository_change
from bot.views import refusals
from integrations.github.errors import GitHubError, InstallationGone, NotFound
from integrations.github.facts import RepositoryFacts
from integrations.github.repository import RepositoryAccess
from storage import jobs, repositories
from storage.db import Tx
from storage.records import Account, GitHubId, InstallationId, Repository, RepositoryId

log = structlog.get_logger(__name__)


async def reach(context: Context, repository: Repository) -> tuple[Repository, RepositoryAccess]:
    """The repository as it is now, and access to it alone.

    A repository's name can come to belong to another one. So the token is created for the stored id, and the answer
    for the stored name must have that id. If it has not, GitHub is asked for the name that belongs to the id now.
    Raises Refused if GitHub no longer shows the id (404, 410, 451), and GitHubError for every other failure. A 403
    with a reason, for example of an IP allow list, does not mean that the repository is gone.
    """
    if repository.installation_id is None:
        raise refusals.repository_out_of_reach(repository)
    access = context.github.of(repository.installation_id).only(repository.id)
    try:
        facts = await _by_name(access, repository)
        if facts is None:
            facts = await access.current()
            facts = await _by_name(access, replace(repository, full_name=facts.full_name))
    except (NotFound, InstallationGone) as error:
        raise refusals.repository_out_of_reach(repository) from error
    if facts is None:
        raise refusals.repository_out_of_reach(repository)
    context.repositories_read[repository.id] = context.clock.now()
    now = new_repository(facts, repository.installation_id)
    if facts.delegated_dismissal is None:
        # GitHub sometimes leaves the settings out of its answer; then the last known value stays.
        now = replace(now, delegated_dismissal=repository.delegated_dismissal)
    if not facts.html_url:
        now = replace(now, html_url=repository.html_url)
    if now != repository:
        async with context.db.begin() as tx:
            await store_repository(tx, repository, now)
    return now, access


def new_repository(facts: RepositoryFacts, installation_id: InstallationId) -> Repository:
    """A reachable repository, from GitHub's facts alone."""
    return Repository(
        id=RepositoryId(facts.id),
        full_name=facts.full_name,
        owner=Account(GitHubId(facts.owner.id), facts.owner.login),
        owner_type=facts.owner_type,
        visibility=facts.visibility,
        html_url=facts.html_url,
        installation_id=installation_id,
        delegated_dismissal=facts.delegated_dismissal,
    )


def was_read_within(context: Context, repository: Repository, seconds: float) -> bool:
    """Whether this process has read the facts of this reachable repository in the last `seconds`."""
    read_at = context.repositories_read.get(repository.id)
    return repository.is_reachable and read_at is not None and 0 <= context.clock.now() - read_at <= seconds


async def _by_name(access: RepositoryAccess, repository: Repository) -> RepositoryFacts | None:
    """What GitHub answers for the stored name, if it is the stored repository."""
    try:
        facts = await access.repository(repository.full_name)
    except NotFound:
        return None
    return facts if facts.id == repository.id else None


async def store_repository(tx: Tx, before: Repository, now: Repository) -> None:
    """Store a repository as GitHub shows it now, and enqueue the replies about what changed."""
    await repositories.save_repository(tx, now)
    change = repository_change(before, now)
    if change is not None:
        await jobs.enqueue(tx, new_job(AnnounceRepositoryChange(now.id, change)))


def github_failure_refusal(error: GitHubError) -> Refused:
    """Logs that GitHub could not be asked, and returns what the person is told."""
    log.warning("github_not_asked", reason=str(error))
    return refusals.github_unreachable(error)
