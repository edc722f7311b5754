"""Finds linked people who have a right that another person lacks, so that the refusal can name them."""

import asyncio
from collections.abc import Collection, Iterable

import structlog

from bot.context import Context
from bot.flows.people import roles
from bot.rules.approval import MOST_ASKED
from bot.rules.masking import mask
from bot.rules.outsiders import outsider_reason
from bot.rules.owner_message import PROVEN
from bot.rules.rights import Need, RoleFacts, rights_of
from bot.rules.source_rights import Deed, source_obstacle
from integrations.github.errors import GitHubError
from integrations.slack.errors import SlackError
from storage import identities, role_cache
from storage.records import GitHubId, Repository, RepositoryId, SlackTeamId

log = structlog.get_logger(__name__)
MOST_NAMED = 3
MOST_CONSIDERED = 10
"""Linked people whom Slack is asked about for one refusal."""
MOST_STORED = 500
"""Stored roles that are looked at for one refusal."""
ASK_WITHIN = 3.0
"""Seconds in which GitHub has to list the people; the refusal waits for it."""
ASK_AGAIN = 600.0
"""Seconds until GitHub is asked again about a repository."""


async def who_can(
    context: Context,
    repository: Repository,
    need: Need,
    *,
    but: Collection[GitHubId | None],
    asks_github: bool,
    only_proven: bool = False,
) -> tuple[str, ...]:
    """The names of up to three linked people who have the right, without the accounts `but`.

    With `only_proven`, a link by the directory alone does not count. Roles of the last hour are used first. If these
    give fewer than three names, and `asks_github` is set, GitHub is asked, at most once in ten minutes for each
    repository; call `reach` first.
    """
    known = await _known(context, repository, need)
    names = await _names(context, known, but, only_proven)
    if len(names) < MOST_NAMED and asks_github:
        listed = await _listed(context, repository, need)
        names = await _names(context, known | listed, but, only_proven)
    return names


async def others_can(context: Context, repository: Repository, *, but: GitHubId) -> bool | None:
    """Whether GitHub names another account than this one with the right to view; None if that is not certain.

    Call `reach` first. At most MOST_ASKED people of the repository are looked at, for custom roles.
    """
    try:
        if await roles.entitled_people(context, repository, Need.VIEW) - {but}:
            return True
        return await roles.has_custom_viewer(context, repository, but=but, most=MOST_ASKED)
    except GitHubError as error:
        log.warning("github_not_asked", reason=str(error) or "no answer in time")
        return None


async def _known(context: Context, repository: Repository, need: Need) -> frozenset[int]:
    """Who has the right by a stored role."""
    since = context.clock.now() - roles.LOOK_UP_ROLE_LASTS
    async with context.db.read() as tx:
        stored = await role_cache.of_owner(tx, repository.owner.id, since, MOST_STORED)
    return frozenset(
        person
        for person, where, facts in stored
        if _has_right(RoleFacts.from_json(facts), repository.id, where, need)
    )


def _has_right(facts: RoleFacts, here: RepositoryId, where: RepositoryId, need: Need) -> bool:
    rights = rights_of(facts)
    # Owners and security managers have their rights in the whole organization.
    return rights.allow(need) and (rights.reviewer or where == here)


async def _listed(context: Context, repository: Repository, need: Need) -> frozenset[int]:
    """Who has the right by GitHub's lists; those of its last answer if it does not answer in time or refuses."""
    key, now = (repository.id, need), context.clock.now()
    asked_at, people = context.entitled_asked.get(key, (None, frozenset[int]()))
    if asked_at is not None and 0 <= now - asked_at < ASK_AGAIN:
        return people
    try:
        async with asyncio.timeout(ASK_WITHIN):
            people = await roles.entitled_people(context, repository, need)
    except (GitHubError, TimeoutError) as error:
        log.warning("github_not_asked", reason=str(error) or "no answer in time")
    context.entitled_asked[key] = now, people
    return people


async def _names(
    context: Context, people: Iterable[int], but: Collection[GitHubId | None], only_proven: bool
) -> tuple[str, ...]:
    """The Slack names of those who are linked, and whom the source of their link allows to act."""
    workspace = await context.platforms.require_workspace()
    async with context.db.read() as tx:
        ids = [GitHubId(one) for one in people if one not in but]
        linked = await identities.of_accounts(tx, SlackTeamId(workspace.team_id), ids)
    linked = [one for one in linked if source_obstacle(one.source, Deed.ACT, context.options) is None]
    if only_proven:
        linked = [identity for identity in linked if identity.proof in PROVEN]
    names: list[str] = []
    for identity in linked[:MOST_CONSIDERED]:
        try:
            person = await context.platforms.person(identity.slack_user)
        except SlackError as error:
            log.warning("person_not_asked", user=identity.slack_user, reason=error.code)
            continue
        if outsider_reason(person, workspace) is None:
            names.append(mask(person.name))
        if len(names) == MOST_NAMED:
            break
    return tuple(names)
