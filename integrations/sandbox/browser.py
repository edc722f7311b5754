"""A person's browser without JavaScript: opens pages, follows redirects, keeps cookies, fills in and sends forms.

    async with Browser() as browser:
        await browser.open(f"{github.url}/settings/apps/new?…")
        await browser.send("Create GitHub App", name="stanch-octo")
        assert "was installed" in browser.text

What it sees last is in `address`, `status`, `text` and `forms`. It works with every server, the stand-ins' pages
and the product's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urldefrag, urljoin

import aiohttp
from yarl import URL


class NoSuchForm(Exception):
    """The page has no form with such a button or field."""


@dataclass(slots=True)
class Form:
    """A form: the values that a browser sends for it, its buttons by their text, and all its fields."""

    action: str
    method: str = "get"
    values: dict[str, list[str]] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    """Text → name and value of the button, None without a name."""
    fields: set[str] = field(default_factory=set)
    options: dict[str, list[str]] = field(default_factory=dict)
    """The values of each menu and of each group of boxes or radio buttons."""


class Browser:
    """One browser. `cookies` go with every request, to whatever server."""

    def __init__(self, *, cookies: dict[str, str] | None = None) -> None:
        self.cookies = cookies or {}
        self.address = ""
        self.status = 0
        self.text = ""
        self.content = b""
        self.headers: dict[str, str] = {}
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        """Text → address."""
        self._follows = True

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)  # aiohttp by itself keeps no cookies for 127.0.0.1.
        self._session = aiohttp.ClientSession(cookies=self.cookies, cookie_jar=jar)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def open(self, address: str) -> None:
        """Open an address, absolute or relative to this page."""
        await self._go("GET", urljoin(self.address, address), None)

    async def follow(self, text: str) -> None:
        """Follow the link with this text."""
        if text not in self.links:
            raise NoSuchForm(f"no link {text!r} among {list(self.links)} on {self.address}")
        await self.open(self.links[text])

    async def send(self, button: str, **changes: str | list[str]) -> None:
        """Fill in fields of the form with this button (a prefix of its text is enough), and press it.

        A list sets several values of one name, as ticked boxes have. NoSuchForm for a field that isn't there.
        """
        form, pressed = self._form(button, changes)
        values = {**form.values}
        for name, value in changes.items():
            values[name] = [value] if isinstance(value, str) else list(value)
        if pressed is not None:
            values[pressed[0]] = [pressed[1]]
        data = [(name, value) for name, several in values.items() for value in several]
        target = urljoin(self.address, form.action)
        if form.method == "get":
            await self._go("GET", str(URL(target).with_query(data)), None)
        else:
            await self._go("POST", target, data)

    async def post(self, address: str, values: dict[str, str]) -> None:
        """Send a form of another site to this address."""
        await self._go("POST", address, list(values.items()))

    async def leave(self, button: str, **changes: str | list[str]) -> str:
        """As `send`, but returns the address of the redirect that answers it, and doesn't follow it."""
        self._follows = False
        try:
            await self.send(button, **changes)
        finally:
            self._follows = True
        if "Location" not in self.headers:
            raise NoSuchForm(f"{button!r} led to no other page: {self.status} {self.text}")
        return self.headers["Location"]

    def _form(self, button: str, changes: dict[str, str | list[str]]) -> tuple[Form, tuple[str, str] | None]:
        for form in self.forms:
            for text, pressed in form.buttons.items():
                if text.startswith(button) and changes.keys() <= form.fields:
                    return form, pressed
        shown = [(list(form.buttons), sorted(form.fields)) for form in self.forms]
        raise NoSuchForm(f"no button {button!r} with {list(changes)} among {shown} on {self.address}")

    async def _go(self, method: str, address: str, data: list[tuple[str, str]] | None) -> None:
        """Send a request as a browser does, and follow redirects."""
        page = URL(self.address) if self.address else None
        for _ in range(10):
            headers = {"Origin": str(page.origin())} if method == "POST" and page is not None else {}
            async with self._session.request(
                method,
                URL(urldefrag(address).url, encoded=True),
                data=aiohttp.FormData(data) if data is not None else None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                self.content = await response.read()
                self.status, self.headers = response.status, dict(response.headers)
            if not self._follows or self.status not in (301, 302, 303, 307, 308):
                break
            address = urljoin(address, self.headers["Location"])
            if self.status in (301, 302, 303):
                method, data = "GET", None
        self.address = address
        self.text = self.content.decode("utf-8", "replace")
        found = _HtmlPage(self.text)
        self.forms, self.links = found.forms, found.links


class _HtmlPage(HTMLParser):
    """The forms and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._form: Form | None = None
        self._words: list[str] = []
        self._button: tuple[str, str] | None = None
        self._href = ""
        self._menu = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "a":
            self._href, self._words = given.get("href", ""), []
        elif self._form is None:
            return
        elif tag == "input":
            self._input(self._form, given)
        elif tag == "textarea":
            self._menu, self._words = given.get("name", ""), []
            self._form.fields.add(self._menu)
        elif tag == "select":
            self._menu = given.get("name", "")
            self._form.fields.add(self._menu)
        elif tag == "option":
            self._option(self._form, given)
        elif tag == "button":
            self._button = (given["name"], given.get("value", "")) if "name" in given else None
            self._words = []

    def _input(self, form: Form, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if kind == "submit":
            form.buttons[given.get("value", "")] = (name, given.get("value", "")) if name else None
            return
        form.fields.add(name)
        if kind in ("checkbox", "radio"):
            form.options.setdefault(name, []).append(given.get("value", "on"))
            if "checked" not in given:
                return
        form.values.setdefault(name, []).append(given.get("value", "on" if kind == "checkbox" else ""))

    def _option(self, form: Form, given: dict[str, str]) -> None:
        known = form.options.setdefault(self._menu, [])
        known.append(given.get("value", ""))
        if "selected" in given or len(known) == 1:
            form.values[self._menu] = [given.get("value", "")]

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        words = " ".join("".join(self._words).split())
        if tag == "form":
            self._form = None
        elif tag == "a":
            self.links.setdefault(words, self._href)
        elif self._form is None:
            return
        elif tag == "button":
            self._form.buttons[words] = self._button
        elif tag == "textarea":
            self._form.values[self._menu] = ["".join(self._words).removeprefix("\n")]
