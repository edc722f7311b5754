"""`stanch sync`: compares GitHub with the store now: all, one organization or one repository."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer

from bot.app import build_context, open_session
from bot.cli.console import say
from bot.context import Context
from bot.database import open_database
from bot.errors import RetryLater, StartRefused
from bot.flows.alerts.sync import our_installations, sync_installation
from bot.options import Options
from bot.settings import Settings, load_all
from integrations.github.errors import GitHubError, NotFound
from storage.clock import Clock
from storage.records import Installation


@dataclass(frozen=True, slots=True)
class Synced:
    """How many alerts one installation has, and how many were new or changed."""

    account: str
    seen: int
    new: int
    changed: int


def sync(
    org: Annotated[str | None, typer.Option(help="Only this organization.")] = None,
    repo: Annotated[str | None, typer.Option(metavar="OWNER/REPO", help="Only this repository.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and store nothing.")] = False,
) -> None:
    """Compare GitHub's alerts with the store now."""
    settings, options = load_all(Settings)
    for synced in asyncio.run(run_sync(settings, options, org=org, repository=repo, dry_run=dry_run)):
        say(f"{synced.account}: {synced.seen} seen, {synced.new} new, {synced.changed} changed.")


async def run_sync(
    settings: Settings, options: Options, *, org: str | None, repository: str | None, dry_run: bool
) -> list[Synced]:
    """Compare GitHub with the store now; with `dry_run` nothing is stored.

    The running server posts the resulting messages. Raises StartRefused, StorageUnavailable.
    """
    async with open_database(settings) as db, open_session() as session:
        context = build_context(settings, options, db, session, Clock())
        try:
            await context.platforms.check_github()
            if repository is not None:
                await _find(context, repository)
            found = [one async for one in our_installations(context) if _is_meant(one, org, repository)]
            if not found:
                raise StartRefused(_nothing(org, repository))
            return await _sync(context, found, repository, dry_run=dry_run)
        except GitHubError as error:
            raise StartRefused(f"The sync failed: {error}.") from None
        except RetryLater as error:
            raise StartRefused(f"The sync failed: {error.reason}.") from None


async def _find(context: Context, repository: str) -> None:
    """Raise StartRefused if GitHub does not show the repository: a misspelt name has no alerts either."""
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
    """Sync each; raises StartRefused at the end if GitHub refused a list of one of them."""
    synced: list[Synced] = []
    refused: list[str] = []
    for one in installations:
        counts = await sync_installation(
            context, one.id, everything=True, repository=repository, dry_run=dry_run
        )
        synced.append(Synced(one.account.login, counts.seen, counts.new, counts.changed))
        refused += [f"{one.account.login}: {reason}" for reason in dict.fromkeys(counts.refused)]
    if refused:
        raise StartRefused(f"The sync is incomplete, since GitHub refused some lists. {'. '.join(refused)}.")
    return synced


def _is_meant(installation: Installation, org: str | None, repository: str | None) -> bool:
    login = installation.account.login.lower()
    owner = repository.partition("/")[0] if repository else None
    return all(login == name.lower() for name in (org, owner) if name is not None)


def _nothing(org: str | None, repository: str | None) -> str:
    named = repository or org
    if named is None:
        return "The GitHub App is not installed on any account that Stanch serves; see GITHUB_ACCOUNTS."
    return f"The GitHub App is not installed for {named}, or Stanch does not serve its account; see GITHUB_ACCOUNTS."
