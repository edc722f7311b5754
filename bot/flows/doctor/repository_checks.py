"""Checks which repositories GitHub does not scan: scanning is off, was never completed, or can't be seen."""

import asyncio

from bot.flows.doctor.examined import Examined
from bot.rules.check_results import CheckResult, note, ok, warning
from integrations.github import errors
from integrations.github.facts import InstallationFacts, RepositoryFacts
from integrations.github.installation import InstallationClient

AT_ONCE = 8
"""Repositories that are asked about at the same time; after so many failures in a row the rest is not asked about."""
OFF, NEVER, REFUSED, SCANNED, UNKNOWN = "off", "never", "refused", "scanned", "unknown"


async def check_repositories(examined: Examined, installations: list[InstallationFacts]) -> list[CheckResult]:
    """One call for each repository, up to `most_repositories` of each installation."""
    github = examined.github
    if github is None:
        return []
    found: list[CheckResult] = []
    for one in installations:
        found += await _installation(github.of(one.id), one, examined.most_repositories)
    return found


async def _installation(client: InstallationClient, one: InstallationFacts, most: int) -> list[CheckResult]:
    account = one.account.login
    try:
        repositories = [repository async for repository in client.repositories()]
    except errors.GitHubError as error:
        return [warning("repositories.not_listed", account, reason=str(error))]
    slots = asyncio.Semaphore(AT_ONCE)
    failures = 0

    async def ask(repository: RepositoryFacts) -> tuple[str, str]:
        nonlocal failures
        async with slots:
            # A lost answer takes ten seconds, and a rate limit holds for all that would follow.
            if failures == AT_ONCE:
                return UNKNOWN, ""
            state, reason = await _state(client, repository.full_name)
            failures = min(failures + 1, AT_ONCE) if state == UNKNOWN else 0
            return state, reason

    asked = repositories[:most]
    states = await asyncio.gather(*map(ask, asked))
    named = {
        state: [
            repository.full_name for repository, (of, _) in zip(asked, states, strict=True) if of == state
        ]
        for state in (OFF, NEVER, REFUSED, UNKNOWN)
    }
    found = []
    if named[OFF]:
        found.append(warning("repositories.scanning_off", account, named[OFF], number=len(named[OFF])))
    if named[NEVER]:
        found.append(warning("repositories.never_scanned", account, named[NEVER], number=len(named[NEVER])))
    if named[REFUSED]:
        reason = next(why for of, why in states if of == REFUSED)
        found.append(
            warning(
                "repositories.refused", account, named[REFUSED], number=len(named[REFUSED]), reason=reason
            )
        )
    unknown = len(named[UNKNOWN]) + len(repositories) - len(asked)
    if unknown:
        found.append(note("repositories.not_asked", account, number=unknown))
    return found or [ok("repositories.ok", account, number=len(repositories))]


async def _state(client: InstallationClient, full_name: str) -> tuple[str, str]:
    """Whether the repository is scanned, and GitHub's reason where it refuses to say."""
    try:
        return (SCANNED if await client.was_scanned(full_name) else NEVER), ""
    except errors.FeatureOff:
        return OFF, ""
    except errors.Forbidden as error:
        return REFUSED, error.detail or str(error)
    except errors.GitHubError:
        return UNKNOWN, ""
