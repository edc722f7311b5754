"""Private answers to one person: results, refusals and notices."""

from bot.errors import Refused
from bot.job_kind import JobKind
from bot.job_rows import job_text
from bot.rules.validity import confirmed_inactive
from bot.views.formatting import alert_title
from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, View, actions, context, message, modal, section
from integrations.slack.elements import BUTTON_VALUE, button
from integrations.slack.text import Mrkdwn
from storage.records import Alert, ReportState, Repository

OFFER_LINK = "offer_link"
"""The button that starts to link the person's GitHub account; its value is the request that goes on then."""
NO_REQUEST = "-"


def answer(sign: str, headline: str, detail: Mrkdwn | None = None, hint: Mrkdwn | None = None) -> Content:
    """A private message: an emoji and a bold headline, then the details. The `text` for screen readers has it all."""
    return message(
        t.without_markup(t.lines(headline, detail, hint)),
        section(t.lines(t.mrkdwn("{} *{}*", t.emoji(sign), headline), detail)),
        context(hint) if hint else None,
    )


def refusal(refused: Refused, request: JobKind | None = None) -> Content:
    """The private message for a refusal of `request`, which may go on once the person is linked."""
    content = answer("no_entry", refused.headline, _markup(refused.detail), _markup(refused.hint))
    offer = _offer(request) if refused.offers_link else None
    return content if offer is None else Content(content.text, (*content.blocks, offer))


def refusal_view(refused: Refused, *, callback_id: str, title: str) -> View:
    """The refusal as a modal, in place of the form."""
    return modal(callback_id=callback_id, title=title, close="Close", blocks=refusal(refused).blocks)


def _offer(request: JobKind | None) -> Block | None:
    carried = NO_REQUEST if request is None else job_text(request)
    if len(carried) > BUTTON_VALUE:
        carried = NO_REQUEST  # A long filter; the person types it again.
    start = button("Link your GitHub account", action_id=OFFER_LINK, value=carried, style="primary")
    return actions(start, block_id=OFFER_LINK)


def skeleton_view(*, callback_id: str, title: str) -> View:
    """The modal that is shown until the form is ready."""
    waiting = section(Mrkdwn(":hourglass_flowing_sand: Asking GitHub what you may do here…"))
    return modal(callback_id=callback_id, title=title, blocks=[waiting])


def report_ended(alert: Alert, repository: Repository, state: ReportState) -> Content:
    """Tells the person who reported a secret how the last follow-up ended."""
    name = alert_title(alert, repository)
    if state is ReportState.CONFIRMED:
        gone = "no longer works" if confirmed_inactive(alert) else "is not valid on this GitHub"
        return answer("large_green_circle", f"The secret you reported {gone}.", name)
    if state is ReportState.STILL_ACTIVE:
        headline = "The secret you reported still works after 15 minutes."
        return answer("rotating_light", headline, t.lines(name, "Its owner can delete it on GitHub."))
    headline = "It could not be found out whether the reported secret works."
    return answer("grey_question", headline, t.lines(name, "Use Check validity on the card to ask again."))


def _markup(text: str) -> Mrkdwn | None:
    """A text of `Refused` as markup: `Mrkdwn` stays as it is, plain text is escaped."""
    return t.as_mrkdwn(text) if text else None
