"""Finding alerts for one person: a page of those that a filter wants, or a single one."""

from dataclasses import dataclass

from bot.context import Context
from bot.flows.people.visibility import Gaps, NotAtHand, ask, is_answering, known_sight
from bot.rules.alert_names import AlertName
from bot.rules.pagination import PAGE_SIZE, ListPage, Side
from bot.rules.visibility import Visibility, repositories_to_ask
from bot.views.lists import Listing
from bot.views.refusals import alert_not_visible, role_unknown
from storage import alerts, repositories, search
from storage.db import Tx
from storage.filter import FoundAlert
from storage.records import AlertKey, Identity, Repository, UnixTime
from storage.search import Scope, Search


@dataclass(frozen=True, slots=True)
class PageWindow:
    """A page of alerts and its neighbors."""

    before: list[FoundAlert]
    shown: list[FoundAlert]
    after: list[FoundAlert]
    moved: bool = False
    """The page that was asked for is no more; this is the one nearest to it."""


async def find_page(context: Context, identity: Identity, page: ListPage, *, hurried: bool) -> Listing:
    """The alerts of a page that the person may see.

    GitHub is asked only about repositories that come up on the page. Raises NotAtHand where that is needed and
    `hurried` forbids it.
    """
    gaps = Gaps()
    while True:
        # 1. What is known of the person, and what the page would be with all that is not known.
        seen = await known_sight(context, identity)
        looked = Search(page.alert_filter, _scope(seen, gaps))
        async with context.db.read() as tx:
            window = await _window(tx, looked, page)
            unknown = _unknown(window, seen, gaps)
            # 2. A page without anything unknown is the answer.
            if not unknown:
                return await _listing(tx, looked, page, window, seen, gaps)
        # 3. Else GitHub is asked, and the page looked up again.
        if hurried:
            raise NotAtHand
        gaps = await ask(context, identity, repositories_to_ask(unknown, seen), gaps)


async def find_alert(
    context: Context, identity: Identity, named: AlertKey | AlertName, *, hurried: bool
) -> tuple[FoundAlert, UnixTime | None]:
    """One alert, if the person may see it, and when GitHub said so (None for its assignee).

    Whoever may not see it learns nothing by the answer, nor by the way it comes: one that doesn't exist is refused in
    the same words, never in a hurry (NotAtHand), and only while GitHub answers.
    """
    gaps = Gaps()
    async with context.db.read() as tx:
        candidates = await _candidates(tx, named)
    for found in candidates:
        seen = await known_sight(context, identity)
        if seen.sees(found.alert, found.repository) is None and not hurried:
            gaps = await ask(context, identity, [found.repository], gaps)
            seen = await known_sight(context, identity)
        if seen.sees(found.alert, found.repository):
            return found, seen.since(found.alert, found.repository)
    if hurried:
        raise NotAtHand
    if gaps.silent or not await is_answering(context):
        raise role_unknown()
    raise alert_not_visible("no_role" if candidates else "unknown_alert")


async def _candidates(tx: Tx, named: AlertKey | AlertName) -> list[FoundAlert]:
    """The alerts that may be meant: a repository's name can have belonged to several."""
    if isinstance(named, AlertKey):
        home = await repositories.load_repository(tx, named.repository_id)
        keys = {named: home} if home else {}
    else:
        homes = await repositories.load_by_name(tx, named.repository)
        keys = {AlertKey.parse(f"{home.id}/{named.number}"): home for home in homes}
    loaded = [(await alerts.load(tx, key), home) for key, home in keys.items()]
    return [FoundAlert(alert, home) for alert, home in loaded if alert is not None]


async def _window(tx: Tx, looked: Search, page: ListPage) -> PageWindow:
    sort, moved = looked.wanted.sort, False
    if page.position is None or page.side is Side.AFTER:
        shown = await search.find(tx, looked, PAGE_SIZE, after=page.position)
    else:
        shown = await search.find(tx, looked, PAGE_SIZE, before=page.position)
        if len(shown) < PAGE_SIZE:
            # Fewer are left before it than a page holds: then the page is the first one, in full.
            shown = await search.find(tx, looked, PAGE_SIZE)
    if not shown and page.position is not None:
        moved, shown = True, await search.find_last(tx, looked, PAGE_SIZE)
    if not shown:
        return PageWindow([], [], [], moved)
    before = await search.find(tx, looked, 1, before=shown[0].place(sort))
    after = await search.find(tx, looked, 1, after=shown[-1].place(sort))
    return PageWindow(before, shown, after, moved)


def _unknown(window: PageWindow, seen: Visibility, gaps: Gaps) -> list[Repository]:
    """The repositories on the page, and next to it, of which it isn't known whether the person sees them."""
    homes = {
        found.repository.id: found.repository
        for found in (*window.before, *window.shown, *window.after)
        if seen.sees(found.alert, found.repository) is None and found.repository.id not in gaps.lost
    }
    return list(homes.values())


def _scope(seen: Visibility, gaps: Gaps) -> Scope:
    return Scope(
        seen.person,
        owners=list(seen.organizations),
        seen=list(seen.repositories),
        unseen=[*seen.hidden, *gaps.lost],
        guesses=not gaps.ended,
    )


async def _listing(
    tx: Tx, looked: Search, page: ListPage, window: PageWindow, seen: Visibility, gaps: Gaps
) -> Listing:
    """What is told of the page: numbers only where they are of alerts that the person may see, all of them."""
    sort, shown = looked.wanted.sort, window.shown
    unasked = await search.has_unasked(tx, looked)
    total = None if unasked else await search.count(tx, looked)
    first = await search.count(tx, looked, before=shown[0].place(sort)) + 1 if shown and not unasked else None
    since = [at for one in shown if (at := seen.since(one.alert, one.repository)) is not None]
    return Listing(
        alert_filter=page.alert_filter,
        shown=tuple(shown),
        now=tx.now,
        total=total,
        first=first,
        previous=ListPage(page.alert_filter, Side.BEFORE, shown[0].place(sort)) if window.before else None,
        following=ListPage(page.alert_filter, Side.AFTER, shown[-1].place(sort)) if window.after else None,
        page_gone=window.moved,
        roles_since=min(since, default=None),
        github_unreachable=gaps.silent,
        too_many_repositories=unasked and gaps.ended and not gaps.silent,
    )
