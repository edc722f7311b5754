"""Asking GitHub whose alerts somebody may see, as little as a look-up needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bot.errors import Refused
from bot.flows import authorize
from bot.rules.permissions import RoleFacts
from bot.rules.visibility import KnownRole, Sight, sight
from bot.tools import Tools
from integrations.github.errors import GitHubError
from storage import roles
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


async def known_sight(tools: Tools, identity: Identity) -> Sight:
    """What is known without asking: for look-ups, GitHub's answers of the last hour count."""
    now, person = tools.clock.now(), identity.github.id
    async with tools.db.read() as tx:
        known = await roles.of_person(tx, person, since=now - authorize.LOOK_LASTS)
    facts = (KnownRole(repository_id, RoleFacts.from_json(told), at) for repository_id, told, at in known)
    return sight(person, facts, no_since=now - authorize.ROLE_LASTS)


async def ask(tools: Tools, identity: Identity, repositories: Sequence[Repository], gaps: Gaps) -> Gaps:
    """Ask GitHub what the person may do in each; what it says is remembered, what it doesn't is a gap."""
    wanted = repositories[: MOST_ASKED - gaps.asked]
    answers = await asyncio.gather(*(_ask(tools, identity, repository) for repository in wanted))
    lost = {one.id for one, answer in zip(wanted, answers, strict=True) if answer is _Answer.LOST}
    return Gaps(
        asked=gaps.asked + len(wanted),
        silent=gaps.silent or _Answer.SILENT in answers,
        lost=gaps.lost | lost,
    )


async def is_answering(tools: Tools) -> bool:
    """Whether GitHub answers at this moment."""
    try:
        await tools.github.app()
    except GitHubError:
        return False
    return True


async def _ask(tools: Tools, identity: Identity, repository: Repository) -> _Answer:
    try:
        # Whoever took the name over since may have made our asker its admin.
        repository, _, _ = await authorize.reach(tools, repository)
        await authorize.rights(tools, identity.github, repository, None, fresh=True)
    except Refused:
        return _Answer.LOST
    except GitHubError:
        return _Answer.SILENT
    return _Answer.TOLD
