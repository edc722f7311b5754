"""TODO."""

from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import Refused
from bot.job_kinds import AnnounceRepositoryChange
from bot.job_rows import new_job
from bot.views import refusals
from bot.views.replies import repository_change_words
from integrations.github.errors import GitHubError, InstallationGone, NotFound
from integrations.github.facts import RepositoryFacts
from integrations.github.repository import RepositoryAccess
from storage import jobs, repositories
from storage.db import Tx
from storage.records import (
    Account,
    GitHubId,
    Repository,
    RepositoryState,
)

log = structlog.get_logger(__name__)


async def reach(
    context: Context, repository: Repository
) -> tuple[Repository, RepositoryFacts, RepositoryAccess]:
    """The repository as it is now, and access to it alone.

    A name can be registered anew by a stranger, so the token is minted for the stored id and the name must answer
    with that id; where it does not, GitHub tells the present name by the id, and that one must.
    Raises Refused where GitHub does not show the id any more (404, 410, 451), and GitHubError for every other
    failure: a 403 with a reason, as of an IP allow list, says nothing of where the repository is.
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
    now = replace(
        repository,
        full_name=facts.full_name,
        owner=Account(GitHubId(facts.owner.id), facts.owner.login),
        owner_type=facts.owner_type,
        visibility=facts.visibility,
        html_url=facts.html_url or repository.html_url,
        # GitHub leaves its settings out of an answer at times: then what it said before still counts.
        delegated_dismissal=(
            repository.delegated_dismissal if facts.delegated_dismissal is None else facts.delegated_dismissal
        ),
        state=RepositoryState.REACHABLE,
    )
    if now != repository:
        async with context.db.begin() as tx:
            await remember_repository(tx, repository, now)
    return now, facts, access


async def _by_name(access: RepositoryAccess, repository: Repository) -> RepositoryFacts | None:
    """What answers to the stored name, if it is the stored repository."""
    try:
        facts = await access.repository(repository.full_name)
    except NotFound:
        return None
    return facts if facts.id == repository.id else None


async def remember_repository(tx: Tx, before: Repository, now: Repository) -> None:
    """Store a repository as GitHub shows it now, and have its cards tell what changed."""
    await repositories.save_repository(tx, now)
    what = repository_change_words(before, now)
    if what is not None:
        await jobs.enqueue(tx, new_job(AnnounceRepositoryChange(now.id, what)))


def unreachable_github(error: GitHubError) -> Refused:
    """What a person is told when GitHub can't be asked: then the answer is no."""
    log.warning("github_not_asked", reason=str(error))
    return refusals.github_unreachable(error)
