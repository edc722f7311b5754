"""A person's browser on the stand-in's page *Authorize*, for tests that need no real one."""

from __future__ import annotations

from html.parser import HTMLParser

import aiohttp

from integrations.sandbox.github.records import GitHubUser
from integrations.sandbox.github.sign_in import COOKIE


class _HiddenFields(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.values[given["name"] or ""] = given["value"] or ""


async def open_authorize_page(address: str, user: GitHubUser, *, cancel: bool = False) -> str:
    """The callback address to which GitHub sends this person's browser; `ValueError` for an error page."""
    async with aiohttp.ClientSession(cookies={COOKIE: str(user.id)}, cookie_jar=_any_address()) as session:
        async with session.get(address, allow_redirects=False) as shown:
            text = await shown.text()
        if shown.status == 302:
            return shown.headers["Location"]
        if shown.status != 200:
            raise ValueError(f"GitHub answered {shown.status}")
        form = {**_HiddenFields(text).values, "authorize": "0" if cancel else "1"}
        async with session.post(shown.url.with_query(None), data=form, allow_redirects=False) as pressed:
            if pressed.status != 302:
                raise ValueError(f"GitHub answered {pressed.status}")
            return pressed.headers["Location"]


def _any_address() -> aiohttp.CookieJar:
    """Cookies for 127.0.0.1 too, which aiohttp by itself doesn't keep for addresses."""
    return aiohttp.CookieJar(unsafe=True)
