"""Draws what people read in Slack when they link their GitHub account: the modal, its errors, the results."""

from collections.abc import Mapping

from bot.errors import Refused
from bot.views.answers import answer
from integrations.slack import text as t
from integrations.slack.blocks import (
    Block,
    Content,
    View,
    actions,
    context,
    input_block,
    message,
    modal,
    section,
)
from integrations.slack.elements import button, text_input
from integrations.slack.text import Mrkdwn
from storage.records import AlertKey

CALLBACK_ID = "link_account"
TITLE = "Link to GitHub"
LINK = "link"
CODE = "code"
LONGEST_CODE = 20
"""Characters of the field: six digits, and spaces around and between them."""
GOES_ON = "What you asked for before goes on now."
FORM_OPENS = "The form opens here in a moment."
PRESS_AGAIN = "What you did before was not done: press the button that Stanch has just sent you."
START_ANEW = "What you did before was not done: do it again."
NO_CODE_YET = "Sign in at GitHub first: the button above opens the page that shows the code."
BUTTONS: Mapping[str, str] = {
    "check_validity": "Check validity",
    "report_leak": "Report leak",
    "close_as": "Close as…",
    "reopen": "Reopen",
    "hand_over": "Hand over…",
    "step_back": "Step back",
}
"""The text of each control that comes back as a private button, by action id."""


def link_view(
    address: str, *, metadata: str, linked_to: str | None = None, refused: Refused | None = None
) -> View:
    """The modal with the button to GitHub and the field for the code.

    `linked_to` is the present account's login, `refused` why it takes the place of a form.
    """
    present, why = None, None
    if refused is not None:
        detail = t.as_mrkdwn(refused.detail) if refused.detail else None
        why = section(t.lines(t.mrkdwn(":no_entry: *{}*", refused.headline), detail))

    if linked_to is not None:
        present = context(t.mrkdwn("You are linked to {} now. Signing in replaces that.", t.code(linked_to)))
    return modal(
        callback_id=CALLBACK_ID,
        title=TITLE,
        submit="Link",
        private_metadata=metadata,
        blocks=[
            why,
            section(
                Mrkdwn("*1.* Sign in at GitHub. The button is for you alone: pass its address on to nobody."),
                accessory=button("Open GitHub", action_id=LINK, url=address, style="primary"),
            ),
            input_block(
                "2. Then type the code that the page shows",
                text_input(action_id=CODE, max_length=LONGEST_CODE),
                block_id=CODE,
                hint="Six digits, valid for ten minutes. If the page says that you are linked, close this window.",
            ),
            present,
        ],
    )


def wrong_code(left: int) -> str:
    """The error on the field; `left` tries are left, at least one."""
    tries = "1 try is" if left == 1 else f"{left} tries are"
    return f"That is not the code; {tries} left."


def tries_used_up(until: float) -> Refused:
    return Refused(
        "tries_used_up",
        "Five wrong codes: this can't be finished any more.",
        t.mrkdwn("You can start again {}: `/leaks link`", t.date(until)),
    )


def link_lapsed() -> Refused:
    """The request is older than ten minutes, was used, or another modal took its place."""
    return Refused(
        "link_lapsed",
        "This window can't be finished any more.",
        Mrkdwn(
            "It is older than ten minutes, was used, or a newer one took its place. Start again: `/leaks link`"
        ),
    )


def not_your_link() -> Refused:
    """The submit comes from another Slack user than the request."""
    return Refused("other_user", "This window was opened for somebody else.", Mrkdwn("Yours: `/leaks link`"))


def waiting_view() -> View:
    """Shown while Slack is asked about the person."""
    return _plain_view(section(Mrkdwn(":hourglass_flowing_sand: Linking…")))


def linked_view(login: str, sequel: str | None) -> View:
    """The modal after the account was linked; `sequel` says what goes on."""
    return _plain_view(*linked_answer(login, sequel).blocks)


def linked_answer(login: str, sequel: str | None) -> Content:
    """The same as a private message, where no modal is open."""
    detail = t.lines(t.mrkdwn("In Stanch you act as {}.", t.code(login)), sequel)
    return answer("link", "Your GitHub account is linked.", detail, Mrkdwn("To undo it: `/leaks unlink`"))


def pressed_again(login: str, control: str, alert: AlertKey, value: str) -> Content:
    """The private message with the control that the person used before they were linked."""
    words = t.mrkdwn("You are linked to {}. Nothing was done yet; press once more.", t.code(login))
    row = actions(button(BUTTONS[control], action_id=control, value=value), block_id=f"alert:{alert}:linked")
    return message(t.without_markup(words), section(t.mrkdwn(":link: {}", words)), row)


def unlinked_answer(login: str | None) -> Content:
    """The answer of `/leaks unlink`; `login` is the account that was linked."""
    if login is None:
        return answer("grey_question", "You have no link to take back.")
    gone = t.mrkdwn("Stanch has forgotten {} and what it kept for it.", t.code(login))
    return answer("wastebasket", "You are no longer linked.", gone)


def _plain_view(*blocks: Block) -> View:
    return modal(callback_id=CALLBACK_ID, title=TITLE, close="Close", blocks=blocks)
