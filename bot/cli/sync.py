"""`stanch run_sync`: a sweep at once, of everything, one organization or one repository."""

from dataclasses import dataclass

from bot.app import build_context, open_session
from bot.context import Context
from bot.database import open_database
from bot.errors import RetryLater, StartRefused
from bot.flows.alerts import sync
from bot.options import Options
from bot.settings import Settings
from integrations.github.errors import GitHubError, NotFound
from storage.clock import Clock
from storage.records import Installation


@dataclass(frozen=True, slots=True)
class Synced:
    """What was found in one installation."""

    account: str
    seen: int
    new: int
    changed: int


async def run_sync(
    settings: Settings, options: Options, *, org: str | None, repository: str | None, dry_run: bool
) -> list[Synced]:
    """Compare GitHub with the store now; with `dry_run` nothing is stored.

    The running server posts what follows. Raises StartRefused, StorageUnavailable.
    """
    async with open_database(settings) as db, open_session() as session:
        context = build_context(settings, options, db, session, Clock())
        try:
            await context.platforms.ask_github()
            if repository is not None:
                await _find(context, repository)
            found = [one async for one in sync.our_installations(context) if _is_meant(one, org, repository)]
            if not found:
                raise StartRefused(_nothing(org, repository))
            return await _sync(context, found, repository, dry_run=dry_run)
        except GitHubError as error:
            raise StartRefused(f"The sweep could not be done: {error}.") from None
        except RetryLater as error:
            raise StartRefused(f"The sweep could not be done: {error.reason}.") from None


async def _find(context: Context, repository: str) -> None:
    """Raise StartRefused for a repository that GitHub does not show: nothing found is no answer to a wrong name."""
    try:
        await context.github.installation_of(repository)
    except NotFound:
        raise StartRefused(
            f"GitHub shows Stanch no repository {repository[:100]!r}: write it as OWNER/REPO, "
            "and install the GitHub App on it."
        ) from None


async def _sync(
    context: Context, installations: list[Installation], repository: str | None, *, dry_run: bool
) -> list[Synced]:
    """Sweep each; raises StartRefused at the end where GitHub did not show all of one."""
    synced: list[Synced] = []
    refused: list[str] = []
    for one in installations:
        counts = await sync.sync_installation(
            context, one.id, everything=True, repository=repository, dry_run=dry_run
        )
        synced.append(Synced(one.account.login, counts.seen, counts.new, counts.changed))
        refused += [f"{one.account.login}: {reason}" for reason in dict.fromkeys(counts.refused)]
    if refused:
        raise StartRefused(f"The sweep is not complete, since GitHub did not show all. {'. '.join(refused)}.")
    return synced


def _is_meant(installation: Installation, org: str | None, repository: str | None) -> bool:
    login = installation.account.login.lower()
    owner = repository.partition("/")[0] if repository else None
    return all(login == name.lower() for name in (org, owner) if name is not None)


def _nothing(org: str | None, repository: str | None) -> str:
    named = repository or org
    if named is None:
        return "The GitHub App is not installed on any account that counts; see GITHUB_ACCOUNTS."
    return f"The GitHub App is not installed for {named}, or its account does not count; see GITHUB_ACCOUNTS."
