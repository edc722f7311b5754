"""The Bolt app: one listener for each kind of action, form, command, shortcut and event of our tables.

A listener stores what is requested as a job and then acknowledges. It asks neither GitHub nor Slack, except to open
a form, which has to happen while the click's trigger lives.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse

from bot.actions import ACTIONS, FORMS, MENU
from bot.commands import answer_from_store, answer_without_look_up, split_command
from bot.commands.buttons import BUTTONS, MESSAGE_SHORTCUT
from bot.commands.link import LINK
from bot.context import Context
from bot.flows.channel_facts import save_channel_change
from bot.inbound import read_requests as requests
from bot.inbound.link_windows import LinkWindows
from bot.inbound.open_forms import FormOpener
from bot.job_kind import JobKind
from bot.job_kinds import AnswerCommand, PerformAction, RedrawChannel
from bot.job_rows import new_job
from bot.views.answers import OFFER_LINK, refusal_view
from bot.views.link_account import CALLBACK_ID as LINK_WINDOW
from bot.views.link_account import LINK as LINK_BUTTON
from bot.views.owner_message import BUTTONS as OWNER_BUTTONS
from bot.views.refusals import outdated_control
from integrations.slack import payloads
from storage.db import StorageUnavailable
from storage.records import TRACE, ChannelId

log = structlog.get_logger(__name__)
COMMAND = "/leaks"
TRACE_LENGTH = 16
"""Hexadecimal digits of a request's fingerprint that are its id in the log."""
CHANNEL_EVENTS = ("channel_shared", "channel_unshared")
FORM_OF_CONTROL = {form.id: form for form in FORMS}
FORM_OF_CALLBACK = {form.callback_id: form for form in FORMS}
ANY = re.compile(".*", re.DOTALL)
NOT_STORED = "Stanch could not store that just now, so nothing was done. Try again in a moment."
Payload = TypeVar("Payload")


class SlackApp:
    """Dispatches requests that are known to be Slack's."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unanswered = 0
        self._all_answered = asyncio.Event()
        self.forms = FormOpener(context, self._all_answered)
        self._link_windows = LinkWindows(context, self.forms)
        self._bolt = self._build()
        self._register(self._bolt)

    async def dispatch(self, payload: Mapping[str, Any], fingerprint: str) -> BoltResponse:
        """Answer one request; 400 for a payload of the wrong shape. `fingerprint` tells a repetition."""
        TRACE.set(fingerprint[:TRACE_LENGTH])
        try:
            # Bolt takes an object in this mode alone; over HTTP it would decode the body once more.
            request = AsyncBoltRequest(
                mode="socket_mode", body=dict(payload), context={"fingerprint": fingerprint}
            )
        except (AttributeError, KeyError, TypeError):
            # Bolt looks for team, user and channel here, and expects them to be objects or strings.
            log.info("bad_payload", reason="Bolt can't read it")
            return BoltResponse(status=400)
        self._unanswered += 1
        self._all_answered.clear()
        try:
            return await self._bolt.async_dispatch(request)
        finally:
            self._unanswered -= 1
            if not self._unanswered:
                self._all_answered.set()

    def _build(self) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            """Fixed: Bolt's own would ask Slack's auth.test within the 3 seconds of the first request."""
            workspace = self._context.platforms.workspace
            return AuthorizeResult(
                enterprise_id=workspace.enterprise_id if workspace else None,
                team_id=workspace.team_id if workspace else None,
                bot_token=self._context.slack.client.token,
            )

        # Bolt's own warnings quote what people typed; errors end in `_on_error`.
        logger = logging.getLogger("bot.inbound.bolt")
        logger.setLevel(logging.ERROR)
        bolt = AsyncApp(
            name="stanch",
            logger=logger,
            client=self._context.slack.client,
            # Requests over HTTP are verified before they come here; those of Socket Mode aren't signed.
            request_verification_enabled=False,
            before_authorize=ParsePayload(),
            authorize=authorize,
            raise_error_for_unhandled_request=False,
            # Otherwise Bolt acknowledges an event before its listener has stored it.
            process_before_response=True,
        )
        bolt.error(self._on_error)
        return bolt

    def _register(self, bolt: AsyncApp) -> None:
        """Bolt runs the first listener that matches."""
        receivers = [form.receiver_block for form in FORMS if form.receiver_block is not None]
        at_once = [action.id for action in ACTIONS if action not in FORMS]
        _on_action(bolt, _any_of(FORM_OF_CONTROL), self._open_form)
        _on_action(bolt, _any_of(receivers), self._click(requests.pick_job))
        _on_action(bolt, _any_of(at_once), self._click(requests.action_job))
        _on_action(bolt, MENU, self._pick_line)
        _on_action(bolt, _any_of(OWNER_BUTTONS), self._click(requests.owner_job))
        _on_action(bolt, _any_of(BUTTONS), self._click(requests.button_job))
        _on_action(bolt, OFFER_LINK, self._offer_link)
        _on_action(bolt, LINK_BUTTON, _acknowledge)
        bolt.view_submission(_any_of(FORM_OF_CALLBACK))(self._submit)
        bolt.view_submission(LINK_WINDOW)(self._submit_code)
        bolt.command(COMMAND)(self._command)
        bolt.message_shortcut(MESSAGE_SHORTCUT)(self._shortcut)
        for event in CHANNEL_EVENTS:
            bolt.event(event)(self._channel_event)
        # Controls of old cards, a command that an operator renamed, and events that we don't use.
        _on_action(bolt, ANY, self._click(requests.outdated_job))
        bolt.view_submission(ANY)(self._outdated_form)
        bolt.command(ANY)(self._command)
        for nothing in (bolt.view_closed, bolt.shortcut, bolt.event):
            nothing(ANY)(_acknowledge)

    def _click(self, job_of: Callable[[payloads.Click, float], JobKind]) -> Callable[..., Awaitable[None]]:
        """A listener that stores the job of a click."""

        async def store(ack: AsyncAck, context: AsyncBoltContext) -> None:
            await self._accept(context, job_of(_parsed(context, payloads.Click), self._now))
            await ack()

        return store

    async def _pick_line(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        """A line of the overflow menu, which may open a form."""
        opens_form = _control_of(_parsed(context, payloads.Click)) in FORM_OF_CONTROL
        listener = self._open_form if opens_form else self._click(requests.menu_job)
        await listener(ack, context)

    async def _open_form(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        """Open a skeleton: asking GitHub for a role may take longer than the three seconds that a trigger lives."""
        click = _parsed(context, payloads.Click)
        alert = requests.alert_of(click)
        if alert is None:
            await self._click(requests.outdated_job)(ack, context)
            return
        is_new = await self._accept(context)
        await ack()
        if is_new:
            self.forms.open(FORM_OF_CONTROL[_control_of(click)], alert, click)

    async def _submit(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        submit = _parsed(context, payloads.Submit)
        form = FORM_OF_CALLBACK[submit.callback_id]
        request = requests.submit_request(form.id, submit, self._now)
        if request is None:
            await self._outdated_form(ack, context)
            return
        errors = form.form_errors(request.user_input, self._context.options)
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        await self._accept(context, PerformAction(request))
        await ack()

    async def _outdated_form(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        callback_id = _parsed(context, payloads.Submit).callback_id
        view = refusal_view(outdated_control(), callback_id=callback_id, title="Stanch")
        await ack(response_action="update", view=view)

    async def _command(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        command = _parsed(context, payloads.SlashCommand)
        if self._context.sign_in is not None and split_command(command.text)[0] == LINK.name:
            is_new = await self._accept(context)
            await ack()
            if is_new:
                self._link_windows.open_by_command(command)
            return
        content = answer_without_look_up(command.text)
        if content is None:
            request = requests.command_request(command, self._now)
            content = await answer_from_store(self._context, request)
            is_new = await self._accept(context, *([] if content else [AnswerCommand(request)]))
            content = content if is_new else None
        if content is None:
            await ack()
        else:
            await ack(text=content.text, blocks=list(content.blocks), response_type="ephemeral")

    async def _offer_link(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        is_new = await self._accept(context)
        await ack()
        if is_new:
            self._link_windows.open_by_offer(_parsed(context, payloads.Click))

    async def _submit_code(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        submit = _parsed(context, payloads.Submit)
        # A repetition is not checked again: it would count as another try.
        is_new = await self._accept(context)
        await ack(**(await self._link_windows.submit(submit) if is_new else {}))

    async def _shortcut(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        shortcut = _parsed(context, payloads.Shortcut)
        job = requests.shortcut_job(shortcut, self._now, self._context.github_url)
        await self._accept(context, *([job] if job else []))
        await ack()

    async def _channel_event(self, context: AsyncBoltContext) -> None:
        event = _parsed(context, payloads.SlackEvent)
        if event.channel is None:
            return
        channel = ChannelId(event.channel)
        # At once, and for every process: a click may follow before the job has run.
        async with self._context.db.begin() as tx:
            await save_channel_change(tx, channel)
        await self._accept(context, RedrawChannel(channel))

    @property
    def _now(self) -> float:
        return self._context.clock.now()

    async def _accept(self, context: AsyncBoltContext, *todo: JobKind) -> bool:
        """Store the jobs in one transaction with the request's fingerprint; False if it was stored before."""
        rows = [new_job(job) for job in todo]
        return await self._context.batch_writer.accept_request(context["fingerprint"], rows)

    async def _on_error(self, error: Exception, context: AsyncBoltContext) -> BoltResponse:
        """The one error place of Slack's requests: Slack shows the person that it failed."""
        if isinstance(error, payloads.BadPayload):
            log.info("bad_payload", reason=str(error))
            return BoltResponse(status=400)
        if isinstance(error, StorageUnavailable):
            log.error("request_not_stored", reason=str(error))
            return BoltResponse(status=503, body=NOT_STORED)
        log.error("slack_request_failed", exc_info=error, kind=type(context.get("parsed")).__name__)
        return BoltResponse(status=500)


class ParsePayload(AsyncMiddleware):
    """Parses the payload into our record before anything of Bolt's reads it; 400 where that is impossible."""

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt calls it by this name.
    ) -> BoltResponse:
        """Called by Bolt."""
        try:
            req.context["parsed"] = payloads.parse_payload(req.body)
        except payloads.BadPayload as error:
            log.info("bad_payload", reason=str(error))
            return BoltResponse(status=400)
        return await next()


def _parsed(context: AsyncBoltContext, kind: type[Payload]) -> Payload:
    """The record of the payload; raises BadPayload where Bolt takes the payload for another kind than we do."""
    payload = context["parsed"]
    if not isinstance(payload, kind):
        raise payloads.BadPayload(f"the payload is no {kind.__name__}")
    return payload


def _control_of(click: payloads.Click) -> str:
    """The id of the control, which is the picked line for the overflow menu."""
    return str(click.value) if click.action_id == MENU else click.action_id


def _any_of(ids: Iterable[str]) -> re.Pattern[str]:
    """Matches these ids and nothing else; with a listener for each id, Bolt's start and each click take longer."""
    return re.compile(rf"\A(?:{'|'.join(map(re.escape, ids))})\Z")


def _on_action(
    bolt: AsyncApp, action_id: str | re.Pattern[str], listener: Callable[..., Awaitable[None]]
) -> None:
    bolt.action({"type": "block_actions", "action_id": action_id})(listener)


async def _acknowledge(ack: AsyncAck) -> None:
    await ack()
