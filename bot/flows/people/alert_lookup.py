"""Finds alerts that one person may see: a page of a filtered list, or a single alert."""

from dataclasses import dataclass

from bot.context import Context
from bot.flows.people.visibility import Gaps, NeedsGitHub, ask_github, is_github_up, load_visibility
from bot.rules.alert_names import AlertName
from bot.rules.pagination import MOST_COUNTED, PAGE_SIZE, ListPage, Side, part_of_head
from bot.rules.visibility import Visibility
from bot.views.lists import Listing
from bot.views.refusals import alert_not_visible, role_unknown
from storage import alerts, repositories, search
from storage.db import Tx
from storage.filter import FoundAlert
from storage.records import AlertKey, Identity, Repository, UnixTime
from storage.search import Scope, Search


@dataclass(frozen=True, slots=True)
class PageWindow:
    """A page of alerts, with one alert before it and one after it where there are such."""

    before: list[FoundAlert]
    shown: list[FoundAlert]
    after: list[FoundAlert]
    moved: bool = False
    """The requested page no longer exists; this is the last page of the list."""
    counted: int = 0
    """The number of all alerts, up to one more than MOST_COUNTED."""
    first: int | None = None
    """The number of the first alert on the page, from 1; None beyond MOST_COUNTED."""


async def find_page(context: Context, identity: Identity, page: ListPage, *, store_only: bool) -> Listing:
    """The alerts of a page that the person may see.

    GitHub is asked only about repositories on the page. Raises NeedsGitHub where that is necessary and `store_only`
    forbids it.
    """
    gaps = Gaps()
    while True:
        # 1. The page as it would be if the person could see every repository whose role is unknown.
        visibility = await load_visibility(context, identity)
        async with context.db.read() as tx:
            query = Search(page.alert_filter, await search.reach(tx, _scope(visibility, gaps)))
            window = await _window(tx, query, page)
            unknown = _unknown_repositories(window, visibility, gaps)
            # 2. If the role is known for every repository on the page, the page is the result.
            if not unknown:
                return await _listing(tx, query, page, window, visibility, gaps)
        # 3. Otherwise ask GitHub about the unknown ones, and start again.
        if store_only:
            raise NeedsGitHub
        gaps = await ask_github(context, identity, unknown, visibility, gaps)


async def find_alert(
    context: Context, identity: Identity, name: AlertKey | AlertName, *, store_only: bool
) -> tuple[FoundAlert, UnixTime | None]:
    """One alert, if the person may see it, and when GitHub confirmed their role (None for the alert's assignee).

    A person must not learn whether an alert exists that they may not see. So one that does not exist is refused in
    the same words. In both cases GitHub must have answered before; with `store_only` this raises NeedsGitHub.
    """
    gaps = Gaps()
    async with context.db.read() as tx:
        candidates = await _candidates(tx, name)
    for found in candidates:
        visibility = await load_visibility(context, identity)
        if visibility.sees(found.alert, found.repository) is None and not store_only:
            gaps = await ask_github(context, identity, [found.repository], visibility, gaps)
            visibility = await load_visibility(context, identity)
        if visibility.sees(found.alert, found.repository):
            return found, visibility.since(found.alert, found.repository)
    if store_only:
        raise NeedsGitHub
    if gaps.github_failed or not await is_github_up(context):
        raise role_unknown()
    raise alert_not_visible("no_role" if candidates else "unknown_alert")


async def _candidates(tx: Tx, name: AlertKey | AlertName) -> list[FoundAlert]:
    """The alerts that the name can mean: several repositories can have had the same name over time."""
    if isinstance(name, AlertKey):
        repository = await repositories.load_repository(tx, name.repository_id)
        keys = {name: repository} if repository else {}
    else:
        named = await repositories.load_by_name(tx, name.repository)
        keys = {AlertKey.parse(f"{repository.id}/{name.number}"): repository for repository in named}
    loaded = [(await alerts.load(tx, key), repository) for key, repository in keys.items()]
    return [FoundAlert(alert, repository) for alert, repository in loaded if alert is not None]


async def _window(tx: Tx, query: Search, page: ListPage) -> PageWindow:
    """The page and its surroundings, from the first positions of the list where it is among them."""
    head = await search.positions(tx, query, MOST_COUNTED + 1)
    part = part_of_head(head, page, whole=len(head) <= MOST_COUNTED)
    if part is None:
        return await _distant_window(tx, query, page, len(head))
    around = await search.load(tx, head[max(0, part.start - 1) : part.stop + 1])
    start = min(part.start, 1)
    stop = start + part.stop - part.start
    first = part.start + 1
    return PageWindow(around[:start], around[start:stop], around[stop:], part.moved, len(head), first)


async def _distant_window(tx: Tx, query: Search, page: ListPage, counted: int) -> PageWindow:
    """A page that is not among the first positions."""
    moved = False
    if page.side is Side.AFTER:
        shown = await search.positions(tx, query, PAGE_SIZE, after=page.position)
    else:
        shown = await search.positions(tx, query, PAGE_SIZE, before=page.position)
    if not shown:
        moved, shown = True, await search.last_positions(tx, query, PAGE_SIZE)
    before = await search.positions(tx, query, 1, before=shown[0])
    after = await search.positions(tx, query, 1, after=shown[-1])
    return PageWindow(
        await search.load(tx, before),
        await search.load(tx, shown),
        await search.load(tx, after),
        moved,
        counted,
    )


def _unknown_repositories(window: PageWindow, visibility: Visibility, gaps: Gaps) -> list[Repository]:
    """The repositories on the page and next to it for which the person's role is unknown."""
    unknown = {
        found.repository.id: found.repository
        for found in (*window.before, *window.shown, *window.after)
        if visibility.sees(found.alert, found.repository) is None
        and found.repository.id not in gaps.out_of_reach
    }
    return list(unknown.values())


def _scope(visibility: Visibility, gaps: Gaps) -> Scope:
    return Scope(
        visibility.person,
        owners=list(visibility.organizations),
        seen=visibility.repositories,
        unseen=visibility.hidden | gaps.out_of_reach,
        guesses=not gaps.ended,
    )


async def _listing(
    tx: Tx, query: Search, page: ListPage, window: PageWindow, visibility: Visibility, gaps: Gaps
) -> Listing:
    """The page with its totals, which are given only if the person's role is known for every matching alert."""
    sort, found = query.wanted.sort, window.shown
    # On PostgreSQL a repository may have changed hands since the search's reach was read.
    shown = [one for one in found if visibility.sees(one.alert, one.repository)]
    unasked = await search.has_unknown_rights(tx, query)
    since = [at for one in shown if (at := visibility.since(one.alert, one.repository)) is not None]
    return Listing(
        alert_filter=page.alert_filter,
        shown=tuple(shown),
        now=tx.now,
        total=None if unasked else min(window.counted, MOST_COUNTED),
        is_longer=window.counted > MOST_COUNTED,
        first=None if unasked else window.first,
        previous=ListPage(page.alert_filter, Side.BEFORE, found[0].position(sort)) if window.before else None,
        following=ListPage(page.alert_filter, Side.AFTER, found[-1].position(sort)) if window.after else None,
        page_gone=window.moved,
        roles_since=min(since, default=None),
        github_unreachable=gaps.github_failed,
        too_many_repositories=unasked and gaps.ended and not gaps.github_failed,
    )
