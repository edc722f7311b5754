"""Asking GitHub whose alerts somebody may see, as little as a look-up needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.context import Context
from bot.errors import Refused
from bot.flows import repository_access
from bot.flows.people import roles
from bot.rules.permissions import RoleFacts
from bot.rules.visibility import KnownRole, Visibility, known_visibility
from integrations.github.errors import GitHubError
from storage import role_cache
from storage.records import Identity, Repository, RepositoryId

MOST_ASKED = 20
"""Repositories that GitHub is asked about for one answer; each takes several calls."""


class NotAtHand(Exception):
    """The answer needs GitHub, and there is no time to ask it now."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """What could not be found out for one answer."""

    asked: int = 0
    silent: bool = False
    """GitHub did not answer."""
    lost: frozenset[RepositoryId] = frozenset()
    """GitHub gives Stanch no access to these any more."""

    @property
    def ended(self) -> bool:
        """Nothing more is asked for this answer."""
        return self.silent or self.asked >= MOST_ASKED


class _Answer(Enum):
    TOLD = auto()
    SILENT = auto()
    LOST = auto()


async def known_sight(context: Context, identity: Identity) -> Visibility:
    """What is known without asking: for look-ups, GitHub's answers of the last hour count."""
    now, person = context.clock.now(), identity.github.id
    async with context.db.read() as tx:
        known = await role_cache.of_person(tx, person, since=now - roles.LOOK_LASTS)
    facts = (KnownRole(repository_id, RoleFacts.from_json(told), at) for repository_id, told, at in known)
    return known_visibility(person, facts, denied_since=now - roles.ROLE_LASTS)


async def ask(context: Context, identity: Identity, repositories: Sequence[Repository], gaps: Gaps) -> Gaps:
    """Ask GitHub what the person may do in each; what it says is remembered, what it doesn't is a gap."""
    wanted = repositories[: MOST_ASKED - gaps.asked]
    answers = await asyncio.gather(*(_ask(context, identity, repository) for repository in wanted))
    lost = {one.id for one, answer in zip(wanted, answers, strict=True) if answer is _Answer.LOST}
    return Gaps(
        asked=gaps.asked + len(wanted),
        silent=gaps.silent or _Answer.SILENT in answers,
        lost=gaps.lost | lost,
    )


async def is_answering(context: Context) -> bool:
    """Whether GitHub answers at this moment."""
    try:
        await context.github.app()
    except GitHubError:
        return False
    return True


async def _ask(context: Context, identity: Identity, repository: Repository) -> _Answer:
    try:
        # Whoever took the name over since may have made our asker its admin.
        repository, _, _ = await repository_access.reach(context, repository)
        await roles.rights(context, identity.github, repository, None, fresh=True)
    except Refused:
        return _Answer.LOST
    except GitHubError:
        return _Answer.SILENT
    return _Answer.TOLD
