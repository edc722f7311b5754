"""Draws the web pages of a sign-in: the code, the link, and why there is none. Plain HTML without scripts."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from bot.rules.masking import mask
from bot.views.formatting import counted
from integrations.slack.text import clean

LONGEST_NAME = 80
STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1rem/1.5 system-ui,sans-serif}"
    "main{max-width:34rem;margin:0 auto;padding:2rem 1.25rem}"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.125rem;margin-top:2rem}"
    ".code{font:700 2.75rem/1.2 ui-monospace,monospace;letter-spacing:.15em;margin:1rem 0}"
    "dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere}"
)
TYPE_IT = (
    "Type this into the window that Stanch opened for you in Slack. "
    "If you did not type /leaks link, close this page."
)
WRONG_ACCOUNT = (
    "Is this not you? Then somebody sent you their address: close this page, and nothing is linked."
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its HTTP status."""

    status: int
    title: str
    body: str
    """HTML in which every outside text is escaped."""


@dataclass(frozen=True, slots=True)
class SlackAccount:
    """The Slack user of a request; what the user can't choose comes first."""

    user: str
    email: str
    """Empty where Slack does not call it confirmed, or does not tell it."""
    name: str


def code_page(code: str, slack: SlackAccount, login: str, *, minutes: int) -> Page:
    """The page after the sign-in; only the browser that signed in gets it."""
    facts = [("Slack user", slack.user), ("E-mail in Slack", slack.email), ("Name in Slack", slack.name)]
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{_text(value)}</dd>"
        for name, value in (*facts, ("GitHub account", login))
        if value
    )
    body = (
        f'<p class="code" aria-label="Code {" ".join(code)}">{escape(code)}</p>'
        f"<p>{escape(TYPE_IT)}</p>"
        f"<h2>What would be linked</h2><dl>{rows}</dl>"
        f"<p>{escape(WRONG_ACCOUNT)} {escape(_validity(minutes))}</p>"
    )
    return Page(200, "Your code", body)


def _validity(minutes: int) -> str:
    return f"The code is valid for {counted(minutes, 'more minute')}, and works once."


def linked_page(slack: SlackAccount, login: str) -> Page:
    """The page for somebody whom the directory holds as this pair: no code is needed."""
    body = (
        f"<p>Slack user {_text(slack.user)} is GitHub account {_text(login)}, as your organization's directory says. "
        "Go back to Slack; you can close this page.</p>"
    )
    return Page(200, "You are linked", body)


def _sentences(status: int, title: str, *sentences: str) -> Page:
    return Page(status, title, "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences))


AGAIN = "Type /leaks link in Slack, and use its button."
UNKNOWN = _sentences(
    404,
    "This address does not work",
    "It is older than ten minutes, was replaced by a newer one, or is not whole.",
    AGAIN,
)
OTHER_BROWSER = _sentences(
    403,
    "This sign-in did not begin in this browser",
    "Nothing is linked. Cookies have to be allowed for this site.",
    "If you did not type /leaks link yourself, close this page: somebody may have sent you their address.",
    AGAIN,
)
USED = _sentences(
    410,
    "This page was opened before",
    "It works once. If you have not noted the code, sign in once more.",
    AGAIN,
)
NOT_SIGNED_IN = _sentences(
    403, "GitHub did not sign you in", "Nothing is linked. You may have cancelled it.", AGAIN
)
NOT_FINISHED = _sentences(
    502,
    "The sign-in could not be finished",
    "GitHub did not answer as expected, and nothing is linked.",
    AGAIN,
)
SLACK_SILENT = _sentences(
    502, "The sign-in could not be finished", "Slack did not answer, and nothing is linked.", AGAIN
)
WRONG_APP = _sentences(
    502,
    "The sign-in could not be finished",
    "GitHub refuses this App's settings, and nothing is linked.",
    "Tell an operator of Stanch; the log has GitHub's reason.",
)
NOT_STORED = _sentences(
    503, "Stanch can't store anything now", "Nothing is linked. Try again in a few minutes.", AGAIN
)


def failed_page(incident: str) -> Page:
    """An error of ours; `incident` is the short id under which the log has it."""
    return _sentences(
        500,
        "Something went wrong in Stanch",
        f"Nothing is linked. Tell an operator of Stanch this id: {incident}",
    )


def refused_page(headline: str) -> Page:
    """The link is refused; Slack has the details."""
    return _sentences(403, "Nothing is linked", headline, "Slack has the details.")


def html(page: Page) -> str:
    """The whole document."""
    title = escape(page.title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} - Stanch</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{page.body}</main></body></html>\n"
    )


def headers() -> Mapping[str, str]:
    """The headers of every page and redirect: nothing is kept, passed on, framed, loaded or run."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return with_policy(policy)


def _text(value: str) -> str:
    """A text from outside: masked, without invisible and bidirectional characters, cut, escaped."""
    return escape(clean(mask(value), LONGEST_NAME))


def with_policy(policy: str) -> Mapping[str, str]:
    """The headers of a page with this Content-Security-Policy: it is not kept, passed on or framed."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }
