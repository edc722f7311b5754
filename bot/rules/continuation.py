"""Decides how a request that was refused for lack of a link goes on after the linking."""

from enum import StrEnum

from storage.records import UnixTime

LASTS = 900.0
"""Seconds after the request in which it goes on by itself: later the person may not expect it."""
ANSWERS = frozenset({"command", "shortcut", "look"})
"""Stored words of the jobs that only answer: a command, the shortcut on a message, a line of a card's menu."""
LOOK_UP_BUTTONS = frozenset({"page", "show_list", "show_alert"})
PRESSED_AGAIN = frozenset({"check_validity", "report_leak", "close_as", "reopen", "hand_over", "step_back"})
"""Controls that change GitHub or send a secret, or open the form of such a change."""


class Sequel(StrEnum):
    """What happens after the linking."""

    GOES_ON = "goes_on"
    """The request is done."""
    FORM = "form"
    """The form opens in the modal in which the code was typed; without a modal it is a button."""
    BUTTON = "button"
    """The person gets a private button, to press again."""
    NOTHING = "nothing"
    """The person has to start anew."""


def sequel(kind: str, control: str, age: UnixTime) -> Sequel:
    """The sequel of a request: the stored word of its job, its control or button, and its age in seconds."""
    is_recent = 0 <= age <= LASTS
    if kind == "fill_form" and control in PRESSED_AGAIN:
        return Sequel.FORM if is_recent else Sequel.BUTTON
    if kind == "act" and control in PRESSED_AGAIN:
        return Sequel.BUTTON
    is_by_itself = (
        kind in ANSWERS
        or (kind == "button" and control in LOOK_UP_BUTTONS)
        or (kind, control) == ("act", "take")
    )
    return Sequel.GOES_ON if is_by_itself and is_recent else Sequel.NOTHING
