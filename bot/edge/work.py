"""Which story each kind of durable job tells."""

from collections.abc import Awaitable, Mapping

from bot.actions.action import Request
from bot.commands import answer as answer_command
from bot.commands import answer_button, answer_shortcut
from bot.commands.command import Asked
from bot.edge.jobs import Handler
from bot.errors import Refused, UnusableJob
from bot.flows import (
    act,
    consequences,
    follow_up,
    holders,
    installations,
    intake,
    look,
    overrides,
    publish,
    redeliver,
    subscribe,
    sweep,
)
from bot.flows.tell import send_directly, tell, tell_stored
from bot.tools import Tools
from bot.views.answers import identity_notice, mistake, outdated_control, refusal
from integrations.slack.blocks import Content
from storage.records import AlertKey, ChannelId, InstallationId, Job, MessageKey, RepositoryId


async def _delivery(tools: Tools, job: Job) -> None:
    await intake.receive(tools, _text(job, "guid"))


async def _details(tools: Tools, job: Job) -> None:
    await intake.complete(tools, _alert(job), _number(job, "attempt"))


async def _message(tools: Tools, job: Job) -> None:
    await publish.publish(tools, MessageKey(_text(job, "key")), job)


async def _act(tools: Tools, job: Job) -> None:
    await act.perform(tools, Request.from_json(job.payload), job)


async def _fill_form(tools: Tools, job: Job) -> None:
    await act.fill_form(tools, _request(job), _text(job, "hash"))


async def _look(tools: Tools, job: Job) -> None:
    await look.look(tools, Request.from_json(job.payload))


async def _follow_up(tools: Tools, job: Job) -> None:
    await follow_up.look_again(tools, _alert(job), _number(job, "look"), job)


async def _revoked_look(tools: Tools, job: Job) -> None:
    resolved_at = job.payload.get("resolved_at")
    if not isinstance(resolved_at, int | float):
        raise _lacks(job, "resolved_at")
    await consequences.look_at_revoked(tools, _alert(job), float(resolved_at), job)


async def _keep_validity(tools: Tools, job: Job) -> None:
    await overrides.correct_override(tools, _alert(job), job)


async def _assignment(tools: Tools, job: Job) -> None:
    await holders.settle(tools, _alert(job), job)


async def _holders(tools: Tools, job: Job) -> None:
    await holders.check_holders(tools, RepositoryId(_number(job, "id")))


async def _command(tools: Tools, job: Job) -> None:
    asked = Asked.from_json(job.payload)
    await _tell_answer(tools, asked, answer_command(tools, asked))


async def _button(tools: Tools, job: Job) -> None:
    asked = _asked(job)
    answering = answer_button(tools, _text(job, "button"), asked)
    await _tell_answer(tools, asked, answering, replaces=bool(job.payload.get("replaces")))


async def _shortcut(tools: Tools, job: Job) -> None:
    asked = Asked.from_json(job.payload)
    await _tell_answer(tools, asked, answer_shortcut(tools, asked))


async def _tell_answer(
    tools: Tools, asked: Asked, answering: Awaitable[Content], *, replaces: bool = False
) -> None:
    try:
        said = await answering
    except Refused as refused:
        # A refusal takes nothing's place: the list that was clicked is left standing.
        said, replaces = refusal(refused), False
    await tell(tools, asked, said, replaces=replaces)


async def _outdated(tools: Tools, job: Job) -> None:
    await tell(tools, Request.from_json(job.payload), refusal(outdated_control()))


async def _channel(tools: Tools, job: Job) -> None:
    """A channel was shared or is no longer: every card in it is looked at again."""
    channel = ChannelId(_text(job, "channel"))
    await publish.redraw_channel(tools, channel)


async def _redraw_cards(tools: Tools, job: Job) -> None:
    del job
    await publish.redraw_cards(tools)


async def _sweep(tools: Tools, job: Job) -> None:
    del job
    await sweep.sweep_all(tools)
    if tools.hears_webhooks:
        await redeliver.redeliver_failed(tools)


async def _sweep_installation(tools: Tools, job: Job) -> None:
    await sweep.sweep_installation(tools, InstallationId(_number(job, "id")))


async def _subscribed(tools: Tools, job: Job) -> None:
    await subscribe.tell_what_was_there(tools, ChannelId(_text(job, "channel")))


async def _repository(tools: Tools, job: Job) -> None:
    what = _text(job, "what")
    await installations.tell_cards(tools, RepositoryId(_number(job, "id")), what)


async def _tell(tools: Tools, job: Job) -> None:
    await tell_stored(tools, job.payload)


async def _tell_identity(tools: Tools, job: Job) -> None:
    """Whoever was linked or unlinked hears of it: a link that they don't know of is an alarm."""
    login, linked = _text(job, "login"), _text(job, "change") == "linked"
    await send_directly(tools, _text(job, "user"), identity_notice(login, linked=linked))


async def _act_given_up(tools: Tools, job: Job, incident: str) -> None:
    await act.give_up(tools, Request.from_json(job.payload), job, mistake(incident))


async def _look_given_up(tools: Tools, job: Job, incident: str) -> None:
    await tell(tools, Request.from_json(job.payload), refusal(mistake(incident)))


async def _form_given_up(tools: Tools, job: Job, incident: str) -> None:
    await act.show_mistake(tools, _request(job), mistake(incident))


async def _command_given_up(tools: Tools, job: Job, incident: str) -> None:
    await tell(tools, Asked.from_json(job.payload), refusal(mistake(incident)))


async def _button_given_up(tools: Tools, job: Job, incident: str) -> None:
    await tell(tools, _asked(job), refusal(mistake(incident)))


def _request(job: Job) -> Request:
    request = job.payload.get("request")
    if not isinstance(request, dict):
        raise _lacks(job, "request")
    return Request.from_json(request)


def _asked(job: Job) -> Asked:
    asked = job.payload.get("asked")
    if not isinstance(asked, dict):
        raise _lacks(job, "asked")
    return Asked.from_json(asked)


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
