"""Continues a request that was refused because the person was not linked. Pure; `rules/continuation` decides how."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from bot.job_kinds import AnswerButton, AnswerCommand, AnswerShortcut, FillForm, PerformAction, ShowDetails
from bot.job_rows import job_text, new_job, read_job_text
from bot.requests import ActionRequest
from bot.rules.continuation import Sequel, sequel
from bot.views.link_account import FORM_OPENS, GOES_ON, PRESS_AGAIN, START_ANEW, pressed_again
from integrations.slack.blocks import Content
from storage.records import ChannelId, LinkRequest, MessageTs, NewJob, StoredJson, UnixTime

Waiting: TypeAlias = AnswerCommand | AnswerShortcut | AnswerButton | ShowDetails | PerformAction | FillForm
WAITING = (AnswerCommand, AnswerShortcut, AnswerButton, ShowDetails, PerformAction, FillForm)


@dataclass(frozen=True, slots=True)
class Continued:
    """What follows the linking."""

    words: str | None = None
    """For the modal."""
    jobs: tuple[NewJob, ...] = ()
    form: FillForm | None = None
    """Takes the place of the modal."""
    button: Content | None = None
    """A private message with the control; where a form opens, only if it can't."""
    channel: ChannelId | None = None
    reply_to: MessageTs | None = None
    """Where the person clicked."""


def read_waiting(text: str) -> Waiting | None:
    """The request that a button of an offer carries; None if there is none."""
    job = read_job_text(text)
    return job if isinstance(job, WAITING) else None


def stored_waiting(job: Waiting) -> Mapping[str, StoredJson]:
    """What is stored of it with the started sign-in."""
    return {"job": job_text(job)}


def continue_request(request: LinkRequest, login: str, now: UnixTime) -> Continued:
    """What follows for the stored request. It is done as this person, whatever person it names."""
    text = (request.continuation or {}).get("job")
    job = read_waiting(text) if isinstance(text, str) else None
    if job is None:
        return Continued()
    how, job = sequel(job.kind, _control(job), now - job.request.at), _as_theirs(job, request, now)
    where = partial(Continued, channel=job.request.channel, reply_to=job.request.reply_to)
    if how is Sequel.GOES_ON:
        return where(GOES_ON, jobs=(new_job(job),))
    if how is Sequel.NOTHING or not isinstance(job, PerformAction | FillForm):
        return where(START_ANEW)
    button = pressed_again(login, job.request.action, job.request.alert, _value(job.request))
    if how is Sequel.FORM and request.view_id is not None:
        form = FillForm(replace(job.request, view_id=request.view_id))
        return where(FORM_OPENS, form=form, button=button)
    return where(PRESS_AGAIN, button=button)


def _control(job: Waiting) -> str:
    """The id of the control or button; empty for what has none."""
    match job:
        case AnswerButton():
            return job.button
        case ShowDetails() | PerformAction() | FillForm():
            return job.request.action
    return ""


def _as_theirs(job: Waiting, request: LinkRequest, now: UnixTime) -> Waiting:
    """The request as if this person made it now."""
    user, team = request.slack_user, request.slack_team
    match job:
        case ShowDetails() | PerformAction() | FillForm():
            # It comes back from Slack, so it can't prove that it was accepted before, or approved.
            fresh = replace(job.request, waited=False, approval=None)
            return replace(job, request=replace(fresh, user=user, team=team, at=now, response_url=None))
        case _:
            return replace(job, request=replace(job.request, user=user, team=team, at=now, response_url=None))


def _value(request: ActionRequest) -> str:
    """The value of the button: the reason that was picked for closing, else the alert."""
    picked = request.user_input.get("resolution") or request.user_input.get("value")
    return picked if request.action == "close_as" and isinstance(picked, str) else str(request.alert)
