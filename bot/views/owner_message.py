"""Draws the direct message to the owner of a leaked token, and the refusals of its buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import Refused
from bot.rules.case import PersonalCase
from bot.rules.owner_message import OwnerAnswer, answers_left
from bot.rules.validity import confirmed_inactive
from bot.views.formatting import alert_title, location_words, plain_name, resolution_words
from integrations.slack import text as t
from integrations.slack.blocks import Content, actions, message, section
from integrations.slack.elements import button
from integrations.slack.text import Mrkdwn
from storage.records import Alert, Event, Person, ReportState, Repository

HEADLINE = "A token of yours has leaked."
ADVICE = "Make a new token, give it to whatever uses the old one, and delete the old one now."
HIDDEN_PLACE = "It was found in a repository whose alerts you may not view."
BUTTONS: Mapping[str, tuple[OwnerAnswer, str]] = {
    "owner_rotated": (OwnerAnswer.ROTATED, "I rotated it"),
    "owner_not_mine": (OwnerAnswer.NOT_MINE, "Not mine"),
    "owner_wait": (OwnerAnswer.WAIT, "Wait"),
}
"""By Slack's action id, in the order of the message: the answer and the button's text."""
SAID: Mapping[str, str] = {
    "rotated": "You said that you rotated it.",
    "not_mine": "You said that it is not yours.",
    "wait": "You asked to wait with the report. That is told in the alert's thread, and holds nothing back.",
}
OBSTACLES = {
    "owner_answer_closed": "This alert is closed, so your answer is no longer needed.",
    "owner_answered": "You have answered this already.",
    "owner_answer_confirmed": "The token no longer works, so your answer is no longer needed.",
    "owner_answer_reported": "It has been reported already, so there is nothing to wait with.",
}
"""By the words of `answer_obstacle`."""


@dataclass(frozen=True, slots=True)
class OwnerNotice:
    """The content of the message to the owner of a token."""

    alert: Alert
    repository: Repository
    teller: Person
    """Who told them, and is about to report the token."""
    teller_name: str
    """That person's name in Slack; empty if it is not known."""
    shows_place: bool
    """The owner may view the alert; otherwise repository and path are left out."""


def notice_of(case: PersonalCase) -> OwnerNotice:
    """What the owner is told when this person presses the button now."""
    return OwnerNotice(case.alert, case.repository, case.actor.person, case.actor_name, case.owner_views)


def owner_lines(notice: OwnerNotice) -> Mrkdwn:
    """The text of the message, without the answers."""
    alert, repository = notice.alert, notice.repository
    place = t.fact("Found", location_words(alert.place, repository)) if alert.place else None
    what = t.lines(alert_title(alert, repository), place)
    return t.lines(
        t.mrkdwn(":rotating_light: *{}*", HEADLINE),
        what if notice.shows_place else t.lines(alert.secret_type_name, HIDDEN_PLACE),
        _progress(notice),
        ADVICE if alert.is_open and not _is_dead(alert) else None,
    )


def draw_owner_message(notice: OwnerNotice, answers: Sequence[Event] = ()) -> Content:
    """The direct message; `answers` are those that the owner has given, oldest first."""
    key, left = notice.alert.key, answers_left(notice.alert, answers)
    said = [
        t.mrkdwn("{} ({})", SAID.get(_answer(event), "You answered."), t.date(event.at)) for event in answers
    ]
    text = t.lines(owner_lines(notice), *said)
    buttons = [
        button(label, action_id=action_id, value=str(key))
        for action_id, (answer, label) in BUTTONS.items()
        if answer in left
    ]
    block_id = f"alert:{key}:owner-{len(answers)}-{len(left)}"
    return message(t.without_markup(text), section(text), actions(*buttons, block_id=block_id))


def answer_refused(obstacle: str) -> Refused:
    """The refusal for a word of `answer_obstacle`."""
    return Refused(obstacle, OBSTACLES[obstacle])


def not_the_owner() -> Refused:
    """The buttons of the message are for the person whom it was sent to, and for no other message."""
    return Refused(
        "not_the_owner",
        "These buttons are for the person who was told about the token.",
        "Stanch sent no such message to you, or it no longer knows about it.",
    )


def _progress(notice: OwnerNotice) -> Mrkdwn:
    """What has become of the report, or of the alert."""
    alert, report = notice.alert, notice.alert.report
    if not alert.is_open:
        return t.mrkdwn("The alert was closed as {}.", resolution_words(alert.resolution))
    by = plain_name(report.by) if report else Mrkdwn("")
    match report.state if report else None:
        case ReportState.WAITING:
            return t.mrkdwn("{} asked to report it to GitHub, which gets the report soon.", by)
        case ReportState.REPORTED:
            return t.mrkdwn("{} reported it to GitHub, which may revoke it at any moment.", by)
        case ReportState.STILL_ACTIVE:
            return t.mrkdwn("{} reported it to GitHub, but it still works.", by)
        case ReportState.CONFIRMED:
            gone = "no longer works" if confirmed_inactive(alert) else "is not valid on this GitHub"
            return t.mrkdwn("{} reported it to GitHub, and it {}.", by, gone)
        case _:
            return t.mrkdwn("{} is about to report it to GitHub, which may revoke it.", _teller(notice))


def _teller(notice: OwnerNotice) -> Mrkdwn:
    """By name and login, without a mention: the person who acts is not notified of it."""
    login = plain_name(notice.teller)
    return t.mrkdwn("{} ({})", notice.teller_name, login) if notice.teller_name else login


def _is_dead(alert: Alert) -> bool:
    return alert.report is not None and alert.report.state is ReportState.CONFIRMED


def _answer(event: Event) -> str:
    return str(event.details.get("answer") or "")
