"""Sign-ins under way: what a Slack user started, and each page on its way over GitHub and back."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from storage import rows
from storage.db import Tx
from storage.records import LinkPage, LinkRequest, SlackTeamId, SlackUserId, UnixTime
from storage.tables import link_page, link_request
from storage.token_columns import stored_tokens, token_values

ENDED = "ended "
"""Prefix of the name under which the tries of an ended sign-in are kept."""


async def add(tx: Tx, request: LinkRequest) -> None:
    """Store a started sign-in instead of the Slack user's former ones."""
    await delete_of_user(tx, request.slack_team, request.slack_user)
    await tx.conn.execute(tx.insert(link_request).values(rows.values(request, link_request)))


async def load(tx: Tx, hash_: str) -> LinkRequest | None:
    """The started sign-in of that hash; None if there is none, or its time is over."""
    query = sa.select(link_request).where(link_request.c.hash == hash_, link_request.c.expires_at > tx.now)
    return await rows.one(tx, query, _request)


async def of_user(tx: Tx, team: SlackTeamId, user: SlackUserId) -> LinkRequest | None:
    """What a Slack user started last; None if there is nothing, or its time is over."""
    query = sa.select(link_request).where(_of(team, user), link_request.c.expires_at > tx.now)
    return await rows.one(tx, query, _request)


async def set_view(tx: Tx, hash_: str, view_id: str) -> None:
    """Store which window in Slack belongs to a started sign-in."""
    await tx.conn.execute(sa.update(link_request).where(link_request.c.hash == hash_).values(view_id=view_id))


async def count_try(tx: Tx, hash_: str, most: int) -> bool:
    """Count a submitted code; False if its time is over, or there were as many already."""
    query = sa.update(link_request).where(
        link_request.c.hash == hash_, link_request.c.expires_at > tx.now, link_request.c.tries < most
    )
    return (await tx.conn.execute(query.values(tries=link_request.c.tries + 1))).rowcount == 1


async def give_back_try(tx: Tx, hash_: str) -> None:
    """Uncount the last submitted code: it was right."""
    query = sa.update(link_request).where(link_request.c.hash == hash_)
    await tx.conn.execute(query.values(tries=link_request.c.tries - 1))


async def end(tx: Tx, hash_: str) -> LinkRequest | None:
    """End a started sign-in with its pages: it can be finished once. Returns it, or None if it was not there."""
    query = sa.delete(link_request).where(link_request.c.hash == hash_, link_request.c.expires_at > tx.now)
    ended = await rows.one(tx, query.returning(*link_request.c), _request)
    await tx.conn.execute(sa.delete(link_page).where(link_page.c.request == hash_))
    if ended is not None:
        await _keep_tries(tx, ended)
    return ended


async def end_of_user(tx: Tx, team: SlackTeamId, user: SlackUserId) -> None:
    """End what a Slack user started, with its pages."""
    started = await of_user(tx, team, user)
    await delete_of_user(tx, team, user)
    if started is not None:
        await _keep_tries(tx, started)


async def _keep_tries(tx: Tx, ended: LinkRequest) -> None:
    """Keep the count of wrong codes until the sign-in would have expired: starting anew gives no further tries.

    No address or modal leads to this row, since its name is no hash.
    """
    if ended.tries > 0:
        name = ENDED + ended.hash.removeprefix(ENDED)
        kept = replace(ended, hash=name, view_id=None, continuation=None)
        await tx.conn.execute(tx.insert(link_request).values(rows.values(kept, link_request)))


async def delete_of_user(tx: Tx, team: SlackTeamId, user: SlackUserId) -> None:
    """Delete what a Slack user started, with its pages."""
    its = sa.select(link_request.c.hash).where(_of(team, user))
    await tx.conn.execute(sa.delete(link_page).where(link_page.c.request.in_(its)))
    await tx.conn.execute(sa.delete(link_request).where(_of(team, user)))


async def add_page(tx: Tx, page: LinkPage) -> None:
    """Store a page that was opened."""
    await tx.conn.execute(tx.insert(link_page).values(_page_values(page)))


async def is_open(tx: Tx, state_hash: str) -> bool:
    """Whether the state of a page can be used."""
    return bool(await tx.conn.scalar(sa.select(sa.exists().where(_is_open(tx, state_hash)))))


async def use_page(tx: Tx, state_hash: str) -> LinkPage | None:
    """Use the state of a page up; None if it is unknown or used, or its time is over."""
    query = sa.update(link_page).where(_is_open(tx, state_hash))
    return await rows.one(tx, query.values(used_at=tx.now).returning(*link_page.c), _page)


async def save_page(tx: Tx, page: LinkPage) -> bool:
    """Store what has become of a page; False if it has been deleted."""
    query = sa.update(link_page).where(link_page.c.state_hash == page.state_hash)
    return (await tx.conn.execute(query.values(_page_values(page)))).rowcount == 1


async def pages(tx: Tx, hash_: str) -> list[LinkPage]:
    """The pages of a started sign-in, the first one first."""
    query = sa.select(link_page).where(link_page.c.request == hash_, link_page.c.expires_at > tx.now)
    return await rows.listed(tx, query.order_by(link_page.c.created_at, link_page.c.state_hash), _page)


async def drop_unused_pages(tx: Tx, hash_: str, most: int) -> None:
    """Delete the oldest pages of a started sign-in that wait for GitHub, down to so many."""
    unused = sa.and_(link_page.c.request == hash_, link_page.c.used_at.is_(None))
    newest = sa.select(link_page.c.state_hash).where(unused)
    newest = newest.order_by(link_page.c.created_at.desc(), link_page.c.state_hash).limit(most)
    await tx.conn.execute(sa.delete(link_page).where(unused, link_page.c.state_hash.not_in(newest)))


async def expired_tokens(tx: Tx, most: int) -> list[tuple[LinkRequest, LinkPage]]:
    """Some of the pages with tokens whose time is over, each with its started sign-in."""
    query = sa.select(link_page).where(link_page.c.expires_at <= tx.now, link_page.c.access.is_not(None))
    return await _with_requests(tx, query.order_by(link_page.c.expires_at).limit(most))


async def with_secrets(tx: Tx) -> list[tuple[LinkRequest, LinkPage]]:
    """The pages with tokens or a verifier, each with its started sign-in. They last ten minutes."""
    has_some = sa.or_(link_page.c.access.is_not(None), link_page.c.verifier.is_not(None))
    return await _with_requests(tx, sa.select(link_page).where(has_some))


async def reseal(tx: Tx, before: LinkPage, after: LinkPage) -> bool:
    """Store a page's tokens and verifier under another key; False if it has changed since it was read."""
    old = before.tokens.access if before.tokens else None
    same = sa.and_(
        link_page.c.state_hash == before.state_hash,
        link_page.c.verifier.is_not_distinct_from(before.verifier),
        link_page.c.access.is_not_distinct_from(old),
    )
    values = {"verifier": after.verifier, **token_values(after.tokens)}
    return (await tx.conn.execute(sa.update(link_page).where(same).values(values))).rowcount == 1


async def prune(tx: Tx, before: UnixTime) -> None:
    """Delete everything whose time was over before, but for pages whose tokens are still to be dropped."""
    over = sa.and_(link_page.c.expires_at <= before, link_page.c.access.is_(None))
    await tx.conn.execute(sa.delete(link_page).where(over))
    used = sa.select(link_page.c.request)
    lapsed = sa.and_(link_request.c.expires_at <= before, link_request.c.hash.not_in(used))
    await tx.conn.execute(sa.delete(link_request).where(lapsed))


async def _with_requests(tx: Tx, query: sa.Select[Any]) -> list[tuple[LinkRequest, LinkPage]]:
    """The pages that the query finds, each with its started sign-in."""
    found = await rows.listed(tx, query, _page)
    started = sa.select(link_request).where(link_request.c.hash.in_({page.request for page in found}))
    by_hash = {request.hash: request for request in await rows.listed(tx, started, _request)}
    return [(by_hash[page.request], page) for page in found if page.request in by_hash]


def _of(team: SlackTeamId, user: SlackUserId) -> sa.ColumnElement[bool]:
    return sa.and_(link_request.c.slack_team == team, link_request.c.slack_user == user)


def _is_open(tx: Tx, state_hash: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        link_page.c.state_hash == state_hash, link_page.c.used_at.is_(None), link_page.c.expires_at > tx.now
    )


def _request(columns: rows.Columns) -> LinkRequest:
    return LinkRequest(**columns)


def _page_values(page: LinkPage) -> dict[str, object]:
    return {
        **rows.values(page, link_page),
        **rows.account_values("github", page.github),
        **token_values(page.tokens),
    }


def _page(columns: rows.Columns) -> LinkPage:
    return rows.build(
        LinkPage, columns, github=rows.account(columns, "github"), tokens=stored_tokens(columns)
    )
