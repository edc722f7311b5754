"""Asks GitHub which repositories a person may see, with as few calls as a look-up needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import roles
from bot.rules.permissions import RoleFacts
from bot.rules.visibility import KnownRole, Visibility, known_visibility
from integrations.github.errors import GitHubError
from storage import role_cache
from storage.records import Identity, Repository, RepositoryId

MOST_REPOSITORIES = 20
"""Repositories that GitHub is asked about for one answer; each takes several calls."""


class NeedsGitHub(Exception):
    """The answer needs GitHub, and the request allows only stored data."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Which roles could not be asked for during one look-up."""

    asked: int = 0
    """Repositories that GitHub was asked about."""
    github_failed: bool = False
    """GitHub did not answer."""
    out_of_reach: frozenset[RepositoryId] = frozenset()
    """Repositories to which GitHub no longer gives Stanch access."""

    @property
    def ended(self) -> bool:
        """Whether this look-up asks GitHub nothing more."""
        return self.github_failed or self.asked >= MOST_REPOSITORIES


async def load_visibility(context: Context, identity: Identity) -> Visibility:
    """What the person sees by stored roles: a yes counts for an hour, a no for five minutes."""
    now, person = context.clock.now(), identity.github.id
    async with context.db.read() as tx:
        known = await role_cache.of_person(tx, person, since=now - roles.LOOK_UP_ROLE_LASTS)
    facts = (KnownRole(repository_id, RoleFacts.from_json(stored), at) for repository_id, stored, at in known)
    return known_visibility(person, facts, denied_since=now - roles.ROLE_LASTS)


async def ask_github(
    context: Context, identity: Identity, repositories: Sequence[Repository], gaps: Gaps
) -> Gaps:
    """Ask GitHub for the person's role in each repository and store it; returns the gaps after that."""
    chosen = repositories[: MOST_REPOSITORIES - gaps.asked]
    failures = await asyncio.gather(*(_ask_one(context, identity, repository) for repository in chosen))
    lost = {one.id for one, failure in zip(chosen, failures, strict=True) if isinstance(failure, Refused)}
    github_failed = gaps.github_failed or any(isinstance(failure, GitHubError) for failure in failures)
    return Gaps(gaps.asked + len(chosen), github_failed, gaps.out_of_reach | lost)


async def is_github_up(context: Context) -> bool:
    """Whether GitHub answers now."""
    try:
        await context.github.app()
    except GitHubError:
        return False
    return True


async def _ask_one(
    context: Context, identity: Identity, repository: Repository
) -> Refused | GitHubError | None:
    """Ask for one role; returns why there is none. Refused means that the repository is out of reach."""
    try:
        # Roles are asked for by the repository's name, which may belong to another repository by now.
        repository, _ = await repository_access.reach(context, repository)
        await roles.rights(context, identity.github, repository, None, fresh=True)
    except (Refused, GitHubError) as error:
        return error
    return None
