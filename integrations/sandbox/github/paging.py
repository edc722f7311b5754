"""GitHub's two ways to page through a list, with their `Link` headers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from integrations.sandbox.github.calls import Call, Refusal

Item = TypeVar("Item")
DEFAULT_PER_PAGE = 30


def page_of(call: Call, items: Sequence[Item]) -> tuple[Sequence[Item], dict[str, str]]:
    """The requested page (`page`, `per_page`) and the `Link` header with prev, next, first and last."""
    size = call.number("per_page") if "per_page" in call.query else DEFAULT_PER_PAGE
    number = max(1, call.number("page")) if "page" in call.query else 1
    last = max(1, -(-len(items) // size))
    targets: dict[str, int] = {}
    if number > 1:
        targets |= {"prev": number - 1, "first": 1}
    if number < last:
        targets |= {"next": number + 1, "last": last}
    links = {name: {"page": str(page)} for name, page in targets.items()}
    return items[(number - 1) * size : number * size], link_header(call, links)


def cursor_page_of(
    call: Call, items: Sequence[Item], keys: Sequence[str]
) -> tuple[Sequence[Item], dict[str, str]]:
    """The page `after` or `before` a cursor, and the `Link` header; an empty cursor means the start.

    `keys` are the keys of the items, in the same order; a cursor is the encoded key of an item.
    """
    size = call.number("per_page") if "per_page" in call.query else DEFAULT_PER_PAGE
    after, before = call.text("after"), call.text("before")
    if before:
        end = _position(keys, before)
        start = max(0, end - size)
    else:
        start = _position(keys, after) + 1 if after else 0
        end = min(len(items), start + size)
    links: dict[str, Mapping[str, str]] = {}
    if end < len(items):
        links["next"] = {"after": _cursor(keys[end - 1])}
    if start > 0:
        links["prev"] = {"before": _cursor(keys[start])} if start < len(keys) else {"before": ""}
    return items[start:end], link_header(call, links)


def link_header(call: Call, links: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A `Link` header: the caller's query with these parameters changed; none without links."""
    if not links:
        return {}
    kept = {
        name: value
        for name, value in call.raw_query.items()
        if name not in ("page", "after", "before", "cursor")
    }
    parts = [
        f'<{call.url}?{urlencode({**kept, **changed})}>; rel="{name}"' for name, changed in links.items()
    ]
    return {"Link": ", ".join(parts)}


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _position(keys: Sequence[str], cursor: str) -> int:
    try:
        return keys.index(base64.urlsafe_b64decode(cursor).decode())
    except (ValueError, binascii.Error):
        raise Refusal(422, "Invalid cursor") from None
