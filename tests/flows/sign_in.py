"""People who link their GitHub account by signing in: their browsers, and the modal in Slack."""

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import aiohttp

from integrations.sandbox.github import GitHubSandbox, GitHubUser
from integrations.sandbox.slack import View
from storage import identities
from storage.records import Identity, SlackTeamId, SlackUserId
from tests.flows.stage import CHANNEL, PUBLIC_URL, Stage


@dataclass(frozen=True)
class Shown:
    """What a browser got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def code(self) -> str:
        """The six digits on the page."""
        found = re.search(r'class="code"[^>]*>([0-9]{6})<', self.text)
        assert found is not None, self.text
        return found[1]


class Served(Protocol):
    """Stanch, wherever it listens, and its GitHub."""

    github: GitHubSandbox

    def address(self, path: str) -> str: ...


@dataclass
class Browser:
    """A browser that keeps cookies by name, as for one host, and in which somebody is signed in at GitHub."""

    stage: Served
    account: GitHubUser
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, address: str, **headers: str) -> Shown:
        """Open an address of Stanch; a redirect is not followed."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == PUBLIC_URL
        target = self.stage.address(f"{parts.path}?{parts.query}")
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(target, headers=sent, allow_redirects=False) as response,
        ):
            for line in response.headers.getall("Set-Cookie", []):
                for name, cookie in SimpleCookie(line).items():
                    if cookie["max-age"] == "0":
                        self.cookies.pop(name, None)
                    else:
                        self.cookies[name] = cookie.value
            return Shown(response.status, dict(response.headers), await response.text())

    async def go_to_github(self, address: str) -> str:
        """Open the button's address, and return GitHub's to which it leads."""
        shown = await self.open(address)
        assert shown.status == 302, shown.text
        return shown.headers["Location"]

    async def authorize(self, at_github: str, **more: Any) -> str:
        """Press Authorize at GitHub; returns the callback's address."""
        return await self.stage.github.authorize(at_github, self.account, **more)

    async def sign_in(self, address: str) -> Shown:
        """From the button to the page after GitHub's sign-in."""
        return await self.open(await self.authorize(await self.go_to_github(address)))


def button_address(view: View) -> str:
    """The address of the button in the modal."""
    [address] = [
        block["accessory"]["url"] for block in view.blocks if "url" in (block.get("accessory") or {})
    ]
    return str(address)


def request_id(view: View) -> str:
    """The id in that address."""
    return parse_qs(urlsplit(button_address(view)).query)["request"][0]


async def open_window(stage: Stage, user: str) -> View:
    """Type `/leaks link`, and return the modal."""
    await stage.slack.command(user, CHANNEL, "link")
    await stage.work()
    return stage.form(user)


async def type_code(stage: Stage, user: str, code: str, **more: Any) -> Any:
    """Type a code into the open modal, and submit it."""
    return await stage.submit(user, {"code": {"code": code}}, **more)


async def link(stage: Stage, user: str, account: GitHubUser) -> Browser:
    """Link somebody from the command to the submitted code."""
    browser = Browser(stage, account)
    shown = await browser.sign_in(button_address(await open_window(stage, user)))
    await type_code(stage, user, shown.code)
    await stage.work(within=10)
    return browser


async def identity_of(stage: Stage, user: str) -> Identity | None:
    """The stored link of a Slack user, suspended ones too."""
    async with stage.context.db.read() as tx:
        return await identities.of_slack(
            tx, SlackTeamId(stage.slack.team_id), SlackUserId(user), suspended=True
        )


def shown_words(view: View | None) -> str:
    """All texts of a modal."""
    assert view is not None, "no modal is open"
    return "\n".join(_texts(view.blocks))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list | tuple) else []
