"""One step of the set-up: what it needs, shows and does; and what is known so far."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from bot.rules.github_addresses import api_address
from bot.rules.masking import looks_like_secret, mask
from bot.views.setup_panel import Panel
from storage.clock import Clock

GITHUB, SLACK_API = "https://github.com", "https://slack.com/api/"
PEM = "-----BEGIN"
HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,}")
"""Client secrets, webhook secrets and Slack's signing secret have no prefix."""


def looks_secret(typed: str) -> bool:
    """Whether this may be one of the secrets that the set-up asks for, entered into the wrong field."""
    return looks_like_secret(typed) or PEM in typed or HEXADECIMAL.fullmatch(typed) is not None


class StepRefused(Exception):
    """A step can't be done like this; `str()` is one sentence for the person, with the exact place to click.

    `field` is the name of the form's field that it is about.
    """

    def __init__(self, sentence: str, field: str | None = None) -> None:
        # It may quote a server's answer, which may quote what was sent to it.
        super().__init__(mask(sentence, by_name=False))
        self.field = field


@dataclass(frozen=True, slots=True)
class Known:
    """What is known so far. Nothing of it is printed: the values hold secrets."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings by name, from the environment, from `.env` and from this run; an empty one is not set."""
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What this run was told or found out besides the settings, by a name that the step chooses."""

    def get(self, name: str) -> str | None:
        """A setting; None if it is not set."""
        return self.values.get(name) or None

    def fact(self, name: str) -> str | None:
        """Something that this run was told or found out."""
        return self.facts.get(name)

    def setting(self, **values: str) -> "Known":
        """The same with these settings; they are written to `.env` when the step has returned them.

        An empty value clears a setting that is there.
        """
        return replace(self, values={**self.values, **values})

    def finding(self, **facts: str) -> "Known":
        """The same with these facts."""
        return replace(self, facts={**self.facts, **facts})

    def without(self, *names: str) -> "Known":
        """The same without these settings and facts; `.env` keeps the settings until others replace them."""
        return Known(
            {name: value for name, value in self.values.items() if name not in names},
            {name: value for name, value in self.facts.items() if name not in names},
        )

    @property
    def github_url(self) -> str:
        """GitHub's website, without a slash at its end."""
        return (self.get("GITHUB_URL") or GITHUB).rstrip("/")

    @property
    def github_api_url(self) -> str:
        """GitHub's API, without a slash at its end."""
        return (self.get("GITHUB_API_URL") or api_address(self.github_url)).rstrip("/")

    @property
    def slack_api_url(self) -> str:
        """Slack's API, with a slash at its end."""
        return (self.get("SLACK_API_URL") or SLACK_API).rstrip("/") + "/"


@dataclass(frozen=True, slots=True)
class SetupContext:
    """The outside of the set-up."""

    folder: Path
    """Where `.env` and the key file are written."""
    session: aiohttp.ClientSession
    """Without credentials and cookies."""
    clock: Clock
    page: str | None = None
    """The address of our own page, `http://127.0.0.1:PORT`; None in the terminal."""
    command: str = "stanch"
    """How Stanch is run here: with a path if it was typed with one."""


async def _nothing_found(_: SetupContext, known: Known) -> Known:
    return known


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step; STEPS lists them in order. Its functions may raise StepRefused, except `done`."""

    name: str
    """A word that forms carry."""
    title: str
    done: Callable[[Known], bool]
    """Pure. A step that is done is not shown unless the person asks for it."""
    view: Callable[[SetupContext, Known], Awaitable[Panel]]
    """What to show; also in the terminal, where `context.page` is None."""
    submit: Callable[[SetupContext, Known, Mapping[str, str]], Awaitable[Known]]
    """Check what was entered, by the form's fields without white space around, and return what is known then."""
    owns: tuple[str, ...]
    """The settings and facts that are dropped when the person asks for the step again."""
    look: Callable[[SetupContext, Known], Awaitable[Known]] = _nothing_found
    """Find out without the person whether the step is done already; called before the step is shown."""
    summary: Callable[[Known], str] = lambda _: ""
    """What a done step came to, in a few words without a secret: "octo, by App stanch-octo"."""
