"""Asks GitHub which repositories a person may see, with as few calls as a look-up needs."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.context import Context
from bot.flows.people import look_up_roles, roles
from bot.rules.rights import RoleFacts, rights_of
from bot.rules.visibility import KnownRoles, Visibility, known_visibility
from integrations.github.errors import GitHubError
from storage import role_cache
from storage.records import GitHubId, Identity, InstallationId, Repository, RepositoryId, UnixTime

log = structlog.get_logger(__name__)

MOST_REPOSITORIES = 20
"""Repositories that GitHub is asked about for one answer; each takes a call."""


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
    found = [_judge(facts, answers) for facts, answers in known.items()]
    return known_visibility(person, found, denied_since=now - roles.ROLE_LASTS)


def _judge(stored: str, answers: Mapping[RepositoryId, UnixTime]) -> KnownRoles:
    facts = RoleFacts.from_json(json.loads(stored))
    return KnownRoles(facts.owner_id, rights_of(facts), answers)


async def ask_github(
    context: Context,
    identity: Identity,
    repositories: Sequence[Repository],
    visibility: Visibility,
    gaps: Gaps,
) -> Gaps:
    """Ask GitHub for the person's roles in the repositories and store them; returns the gaps after that.

    `visibility` is what is known of their roles in other repositories.
    """
    chosen = repositories[: MOST_REPOSITORIES - gaps.asked]
    groups: dict[tuple[InstallationId, GitHubId], list[Repository]] = {}
    lost: set[RepositoryId] = set()
    for repository in chosen:
        if repository.installation_id is None:
            lost.add(repository.id)
        else:
            groups.setdefault((repository.installation_id, repository.owner.id), []).append(repository)
    asked = await asyncio.gather(
        *(
            look_up_roles.ask(context, identity.github, group, no_owner=owner in visibility.asked_owners)
            for (_, owner), group in groups.items()
        )
    )
    failed = any(answers.failed for answers in asked)
    lost.update(*(answers.lost for answers in asked))
    return Gaps(gaps.asked + len(chosen), gaps.github_failed or failed, gaps.out_of_reach | lost)


async def is_github_up(context: Context) -> bool:
    """Whether GitHub answers now."""
    try:
        await context.github.app()
    except GitHubError as error:
        log.warning("github_not_asked", reason=str(error))
        return False
    return True
