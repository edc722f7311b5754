"""Which story each kind of durable job tells."""

from collections.abc import Awaitable, Mapping

from bot.actions.action import ActionRequest
from bot.commands import answer as answer_command
from bot.commands import answer_button, answer_shortcut
from bot.commands.command import CommandRequest
from bot.context import Context
from bot.errors import Refused, UnusableJob
from bot.flows.acting import fill_form, perform_action, show_details
from bot.flows.alerts import (
    after_change,
    follow_up,
    installations,
    intake,
    redeliver,
    sync,
    taken_alerts,
    validity_override,
)
from bot.flows.messages import backfill, publish
from bot.flows.notify import send_directly, tell, tell_stored
from bot.jobs.worker import Handler
from bot.views.answers import identity_notice, refusal
from bot.views.refusals import internal_error, outdated_control
from integrations.slack.blocks import Content
from storage.records import AlertKey, ChannelId, InstallationId, Job, MessageKey, RepositoryId


async def _delivery(context: Context, job: Job) -> None:
    await intake.receive(context, _text(job, "guid"))


async def _details(context: Context, job: Job) -> None:
    await intake.complete(context, _alert(job), _number(job, "attempt"))


async def _message(context: Context, job: Job) -> None:
    await publish.publish(context, MessageKey(_text(job, "key")), job)


async def _act(context: Context, job: Job) -> None:
    await perform_action.perform(context, ActionRequest.from_json(job.payload), job)


async def _fill_form(context: Context, job: Job) -> None:
    await fill_form.fill_form(context, _request(job), _text(job, "hash"))


async def _look(context: Context, job: Job) -> None:
    await show_details.look(context, ActionRequest.from_json(job.payload))


async def _follow_up(context: Context, job: Job) -> None:
    await follow_up.look_again(context, _alert(job), _number(job, "look"), job)


async def _revoked_look(context: Context, job: Job) -> None:
    resolved_at = job.payload.get("resolved_at")
    if not isinstance(resolved_at, int | float):
        raise _lacks(job, "resolved_at")
    await after_change.look_at_revoked(context, _alert(job), float(resolved_at), job)


async def _keep_validity(context: Context, job: Job) -> None:
    await validity_override.correct_override(context, _alert(job), job)


async def _assignment(context: Context, job: Job) -> None:
    await taken_alerts.settle(context, _alert(job), job)


async def _holders(context: Context, job: Job) -> None:
    await taken_alerts.check_holders(context, RepositoryId(_number(job, "id")))


async def _command(context: Context, job: Job) -> None:
    asked = CommandRequest.from_json(job.payload)
    await _tell_answer(context, asked, answer_command(context, asked))


async def _button(context: Context, job: Job) -> None:
    asked = _asked(job)
    answering = answer_button(context, _text(job, "button"), asked)
    await _tell_answer(context, asked, answering, replaces=bool(job.payload.get("replaces")))


async def _shortcut(context: Context, job: Job) -> None:
    asked = CommandRequest.from_json(job.payload)
    await _tell_answer(context, asked, answer_shortcut(context, asked))


async def _tell_answer(
    context: Context, asked: CommandRequest, answering: Awaitable[Content], *, replaces: bool = False
) -> None:
    try:
        said = await answering
    except Refused as refused:
        # A refusal takes nothing's place: the list that was clicked is left standing.
        said, replaces = refusal(refused), False
    await tell(context, asked, said, replaces=replaces)


async def _outdated(context: Context, job: Job) -> None:
    await tell(context, ActionRequest.from_json(job.payload), refusal(outdated_control()))


async def _channel(context: Context, job: Job) -> None:
    """A channel was shared or is no longer: every card in it is looked at again."""
    channel = ChannelId(_text(job, "channel"))
    await publish.redraw_channel(context, channel)


async def _redraw_cards(context: Context, job: Job) -> None:
    del job
    await publish.redraw_cards(context)


async def _sweep(context: Context, job: Job) -> None:
    del job
    await sync.sync_all(context)
    if context.hears_webhooks:
        await redeliver.redeliver_failed(context)


async def _sweep_installation(context: Context, job: Job) -> None:
    await sync.sync_installation(context, InstallationId(_number(job, "id")))


async def _subscribed(context: Context, job: Job) -> None:
    await backfill.tell_what_was_there(context, ChannelId(_text(job, "channel")))


async def _repository(context: Context, job: Job) -> None:
    what = _text(job, "what")
    await installations.tell_cards(context, RepositoryId(_number(job, "id")), what)


async def _tell(context: Context, job: Job) -> None:
    await tell_stored(context, job.payload)


async def _tell_identity(context: Context, job: Job) -> None:
    """Whoever was linked or unlinked hears of it: a link that they don't know of is an alarm."""
    login, linked = _text(job, "login"), _text(job, "change") == "linked"
    await send_directly(context, _text(job, "user"), identity_notice(login, linked=linked))


async def _act_given_up(context: Context, job: Job, incident: str) -> None:
    await perform_action.give_up(context, ActionRequest.from_json(job.payload), job, internal_error(incident))


async def _look_given_up(context: Context, job: Job, incident: str) -> None:
    await tell(context, ActionRequest.from_json(job.payload), refusal(internal_error(incident)))


async def _form_given_up(context: Context, job: Job, incident: str) -> None:
    await fill_form.show_mistake(context, _request(job), internal_error(incident))


async def _command_given_up(context: Context, job: Job, incident: str) -> None:
    await tell(context, CommandRequest.from_json(job.payload), refusal(internal_error(incident)))


async def _button_given_up(context: Context, job: Job, incident: str) -> None:
    await tell(context, _asked(job), refusal(internal_error(incident)))


def _request(job: Job) -> ActionRequest:
    request = job.payload.get("request")
    if not isinstance(request, dict):
        raise _lacks(job, "request")
    return ActionRequest.from_json(request)


def _asked(job: Job) -> CommandRequest:
    asked = job.payload.get("asked")
    if not isinstance(asked, dict):
        raise _lacks(job, "asked")
    return CommandRequest.from_json(asked)


def _alert(job: Job) -> AlertKey:
    try:
        return AlertKey.parse(_text(job, "alert"))
    except ValueError:
        raise _lacks(job, "alert") from None


def _number(job: Job, name: str) -> int:
    value = job.payload.get(name)
    if not isinstance(value, int):
        raise _lacks(job, name)
    return value


def _text(job: Job, name: str) -> str:
    value = job.payload.get(name)
    if not isinstance(value, str):
        raise _lacks(job, name)
    return value


def _lacks(job: Job, name: str) -> UnusableJob:
    return UnusableJob(f"a job {job.kind} without a usable {name}")


HANDLERS: Mapping[str, Handler] = {
    "delivery": Handler(_delivery),
    "details": Handler(_details),
    "message": Handler(_message, attempts=12),
    # Somebody is waiting: a few quick tries, then an honest answer.
    "act": Handler(_act, attempts=3, gave_up=_act_given_up),
    "look": Handler(_look, attempts=2, gave_up=_look_given_up),
    "fill_form": Handler(_fill_form, attempts=2, gave_up=_form_given_up),
    "button": Handler(_button, attempts=2, gave_up=_button_given_up),
    "shortcut": Handler(_shortcut, attempts=2, gave_up=_command_given_up),
    "command": Handler(_command, attempts=2, gave_up=_command_given_up),
    "outdated": Handler(_outdated, attempts=3),
    "follow_up": Handler(_follow_up),
    "revoked_look": Handler(_revoked_look),
    "keep_validity": Handler(_keep_validity),
    "assignment": Handler(_assignment),
    "holders": Handler(_holders),
    "channel": Handler(_channel),
    "redraw_cards": Handler(_redraw_cards),
    "sweep": Handler(_sweep),
    "sweep_installation": Handler(_sweep_installation),
    "subscribed": Handler(_subscribed),
    "repository": Handler(_repository),
    "tell": Handler(_tell, attempts=12),
    "tell_identity": Handler(_tell_identity, attempts=12),
}
