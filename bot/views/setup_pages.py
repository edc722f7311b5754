"""Draws the pages of the set-up: plain HTML forms that work without JavaScript."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bot.views import setup_html as html
from bot.views.link_pages import with_policy
from bot.views.setup_html import StepLine
from bot.views.setup_panel import CopyText, InputField, Panel, PanelForm
from bot.views.setup_style import STYLE

NOTHING: Mapping[str, str] = {}
CODE_FORM = PanelForm("Continue", (InputField("code", "Code from the terminal"),))


@dataclass(frozen=True, slots=True)
class SetupPage:
    """A page and its HTTP status."""

    status: int
    title: str
    body: str
    """HTML in which every outside text is escaped."""
    steps: str = ""
    """The list of steps, as HTML; empty on a page of none."""
    where: str = ""
    """Which step this is: "Step 2 of 8"."""


def code_page(wrong: str = "", *, status: int = 200) -> SetupPage:
    """The first page, which asks for the code; `wrong` says why it asks again."""
    body = (
        html.fault(wrong)
        + html.paragraph("The terminal in which you ran *stanch setup* shows a code of eight characters.")
        + html.form(CODE_FORM, {})
    )
    return SetupPage(status, "Set up Stanch", body)


def step_page(
    lines: Sequence[StepLine],
    title: str,
    panel: Panel | None,
    hidden: Mapping[str, str],
    *,
    state: str = "",
    fault: str = "",
    fault_field: str | None = None,
    entered: Mapping[str, str] = NOTHING,
    sites: Sequence[str] = (),
) -> SetupPage:
    """A step: what went wrong, its parts and forms, where it is among the others. `hidden` goes into each form.

    `entered` is what the person has typed before; secrets are not shown again. `sites` are the origins
    of the platforms' pages, to which a fault may link.
    """
    panel = panel or Panel((), (PanelForm("Try again", hidden={"do": "show"}),))
    parts = "".join(map(html.part, panel.parts))
    forms = "".join(
        html.form(form, hidden, state=state, wrong=fault_field, entered=entered) for form in panel.forms
    )
    body = html.fault(fault, sites) + parts + forms
    number = next((number for number, line in enumerate(lines, 1) if line.current), 0)
    where = f"Step {number} of {len(lines)}"
    return SetupPage(400 if fault else 200, title, body, html.steps(lines, hidden), where)


def finished_page(lines: Sequence[StepLine], hidden: Mapping[str, str], command: str) -> SetupPage:
    """All steps are done; `command` is how Stanch is run. Without `hidden` no step can be done again."""
    body = html.paragraph("Everything is written to `.env`. Start Stanch in the same folder:")
    body += html.part(CopyText("Command", f"{command} serve"))
    body += html.paragraph(
        f"The card of the next alert appears in Slack. `{command} doctor` checks the installation at any time."
    )
    if hidden:
        body += html.form(PanelForm("Finish", hidden={"do": "finish"}), hidden)
    else:
        body += html.paragraph("You can close this page: its server has ended.")
    return SetupPage(200, "Stanch is set up", body, html.steps(lines, hidden))


def ended_page(sentence: str, *, status: int = 200) -> SetupPage:
    """The last page: the set-up has ended."""
    return SetupPage(status, "The set-up has ended", html.paragraph(sentence))


def message_page(status: int, title: str, *sentences: str) -> SetupPage:
    """A page of sentences."""
    return SetupPage(status, title, "".join(map(html.paragraph, sentences)))


def wrong_code(left: int) -> str:
    """Why the code is asked for again."""
    return f"That is not the code in the terminal. {left} more {'try is' if left == 1 else 'tries are'} left."


def failed_page(incident: str) -> SetupPage:
    """An error of ours; `incident` is the short id under which the terminal has it."""
    return message_page(
        500, "Something went wrong in Stanch", f"The terminal has details under this id: {incident}", AGAIN
    )


def document(page: SetupPage) -> str:
    """The whole document."""
    title = escape(page.title)
    where = f'<p class="where">{escape(page.where)}</p>' if page.where else ""
    # The header `no-referrer` alone would make browsers send `Origin: null` with our own forms (Fetch standard,
    # "append a request Origin header"). `same-origin` tells other servers as little, and our own the true origin.
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="same-origin">'
        f"<title>{title} - Stanch</title><style>{STYLE}</style></head>"
        f'<body><header><p class="brand">Stanch</p></header><div class="page">'
        f"<main>{where}<h1>{title}</h1>{page.body}</main>{page.steps}</div></body></html>\n"
    )


def setup_headers(github_origin: str) -> Mapping[str, str]:
    """The headers of every answer: nothing is kept, passed on, framed, loaded or run; forms go here or to GitHub."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action 'self' {github_origin}; frame-ancestors 'none'"
    )
    return with_policy(policy)


AGAIN = "Open the address from the terminal again and enter the code: finished steps are kept."
CODE_NEEDED = "Enter the code from the terminal first."


def done_end(command: str) -> str:
    """The last line in the terminal; `command` is how Stanch is run."""
    return f"Stanch is set up: start it with {command} serve, in the same folder."


IDLE_END = (
    "The set-up ended after 30 minutes without use. Finished steps are kept: run stanch setup to go on."
)
TRIES_END = (
    "The set-up ended after five wrong codes: somebody else on this machine may have guessed. "
    "Finished steps are kept: run stanch setup to go on."
)
ENDED = message_page(410, "The set-up has ended", "Run `stanch setup` again to go on.")
NO_PAGE = message_page(404, "There is no such page", AGAIN)
OTHER_HOST = message_page(
    421, "This is not the address of the set-up", "Use exactly the address that the terminal shows."
)
OTHER_ORIGIN = message_page(403, "This form does not come from the set-up's page", AGAIN)
UNKNOWN_STATE = message_page(
    403,
    "This answer of GitHub's does not belong to this page",
    "It was used before, or comes from another run. Nothing was taken over from it.",
    "If GitHub has just made an App for you, delete it there: its page, *Advanced*, *Delete GitHub App*.",
    AGAIN,
)
