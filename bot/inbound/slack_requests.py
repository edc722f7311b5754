"""Slack's requests: verified, checked for shape, stored with their work, acknowledged; jobs do the rest."""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from bot.actions import FORMS
from bot.actions.action import FormAction
from bot.commands import answer_at_once, answer_from_store
from bot.context import Context
from bot.flows.channel_facts import save_channel_change
from bot.flows.messages.publish import redraw
from bot.flows.private_answers import answer_job
from bot.inbound.body import BodyRefused, read_body
from bot.inbound.refused_requests import RefusedRequests
from bot.inbound.slack_jobs import alert_of, behind, request_of, submitted, typed, work_of
from bot.job_kinds import AnswerCommand, FillForm, PerformAction, RedrawChannel
from bot.job_rows import new_job
from bot.views.answers import refusal, refusal_view, skeleton_view
from bot.views.refusals import form_not_opened, outdated_control
from integrations.slack.errors import SlackError
from integrations.slack.payloads import (
    BadPayload,
    Click,
    Shortcut,
    SlackEvent,
    SlashCommand,
    Submit,
    decode_body,
    parse_payload,
)
from integrations.slack.signature import fingerprint, verify
from storage import jobs
from storage.db import StorageUnavailable
from storage.records import AlertKey, ChannelId, NewJob

log = structlog.get_logger(__name__)
PATIENCE = 0.3
"""Seconds, of the three that a trigger lives, which a form leaves to the acknowledgements of others."""
OPENED_WITHIN = 0.5
"""Seconds, of the ten for the whole stop, that it waits for forms that are being opened."""
LARGEST = 1_048_576
"""Bytes of a request; Slack's own are far smaller."""
EVERYTHING = re.compile(".*", re.DOTALL)
REFUSED = {
    "no_secret": "SLACK_SIGNING_SECRET is not set.",
    "too_large": "The request is larger than Slack sends.",
    "too_slow": "The request took too long to arrive.",
    "bad_signature": (
        "The signature is missing or wrong, or its time is more than five minutes off; SLACK_SIGNING_SECRET must be "
        "the Signing Secret of the Slack app's page Basic Information, and this machine's clock must be right."
    ),
}
"""What is logged about a refused request."""
CHANNEL_EVENTS = ("channel_shared", "channel_unshared")
NOT_STORED = "Stanch could not store that just now, so nothing was done. Try again in a moment."


class SlackEdge:
    """The handful of listeners, and the two handlers that let only well-formed requests of Slack reach them."""

    def __init__(self, context: Context, signing_secret: str | None) -> None:
        self._context = context
        self._secret = signing_secret
        self._refused = RefusedRequests("/slack/events", context.clock)
        self._opening: set[asyncio.Task[None]] = set()
        self._unanswered = 0
        self._calm = asyncio.Event()
        self.app = self._bolt()

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """`POST /slack/events`: 401 unless Slack signed it within five minutes, 400 for a wrong shape."""
        if self._secret is None:
            return self._answer(503, "no_secret")
        try:
            body = await read_body(request, self._context.clock, largest=LARGEST)
        except BodyRefused as refused:
            return self._answer(refused.status, refused.outcome)
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not verify(self._secret, body, timestamp, signature, self._context.clock.now()):
            return self._answer(401, "bad_signature")
        try:
            payload = decode_body(body, request.headers.get("Content-Type", ""))
        except BadPayload as error:
            log.info("bad_payload", reason=str(error))
            return self._answer(400, "bad_payload")
        response = await self._dispatch(payload, fingerprint(body, timestamp, signature))
        self._context.metrics.slack_requests.labels(f"http_{response.status}").inc()
        return await to_aiohttp_response(response)

    async def take(self, payload: Mapping[str, Any]) -> BoltResponse:
        """The payload of one Socket Mode envelope; it is acknowledged only where the status is 200.

        Slack's docs: the connection itself says that it is Slack, so nothing is signed. What is delivered again
        comes with the same payload.
        """
        body = json.dumps(payload, sort_keys=True).encode()
        response = await self._dispatch(payload, hashlib.sha256(body).hexdigest())
        self._context.metrics.slack_requests.labels(f"socket_{response.status}").inc()
        return response

    async def _dispatch(self, payload: Mapping[str, Any], fingerprint: str) -> BoltResponse:
        """Let Bolt find the listener; `fingerprint` tells a repetition. 400 for a payload of the wrong shape."""
        try:
            context = {"payload": parse_payload(payload), "fingerprint": fingerprint}
        except BadPayload as error:
            log.info("bad_payload", reason=str(error))
            return BoltResponse(status=400)
        # Bolt takes an object in this mode alone; over HTTP it would decode the body once more.
        request = AsyncBoltRequest(mode="socket_mode", body=dict(payload), context=context)
        self._unanswered += 1
        self._calm.clear()
        try:
            return await self.app.async_dispatch(request)
        finally:
            self._unanswered -= 1
            if not self._unanswered:
                self._calm.set()

    def _answer(self, status: int, outcome: str) -> web.Response:
        self._context.metrics.slack_requests.labels(outcome).inc()
        if outcome in REFUSED:
            self._refused.note(status, outcome, REFUSED[outcome])
        return web.Response(status=status)

    def _bolt(self) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            """Fixed: Bolt's own would ask Slack's auth.test within the 3 seconds of the first request."""
            home = self._context.platforms.home
            return AuthorizeResult(
                enterprise_id=home.enterprise_id if home else None,
                team_id=home.team_id if home else None,
                bot_token=self._context.slack.client.token,
            )

        # Its own warnings quote what people typed; what goes wrong ends in `_on_error`.
        logger = logging.getLogger("bot.edge.bolt")
        logger.setLevel(logging.ERROR)
        app = AsyncApp(
            name="stanch",
            logger=logger,
            client=self._context.slack.client,
            # Requests are verified above, before anything reads them.
            request_verification_enabled=False,
            authorize=authorize,
            raise_error_for_unhandled_request=False,
            # Else Bolt acknowledges an event before its listener has stored it.
            process_before_response=True,
        )
        app.action(EVERYTHING)(self._on_click)
        app.view(EVERYTHING)(self._on_submit)
        app.view_closed(EVERYTHING)(self._on_nothing)
        app.command(EVERYTHING)(self._on_command)
        app.event(EVERYTHING)(self._on_event)
        app.shortcut(EVERYTHING)(self._on_shortcut)
        app.error(self._on_error)
        return app

    async def _on_click(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        click = context["payload"]
        assert isinstance(click, Click)
        form = next((form for form in FORMS if form.id == click.action_id), None)
        if form is not None:
            await self._open_form(form, click, ack, context)
            return
        await self._accept(context, [work_of(click, self._context.clock.now())])
        await ack()

    async def _open_form(
        self, form: FormAction[Any], click: Click, ack: AsyncAck, context: AsyncBoltContext
    ) -> None:
        """A trigger lives for three seconds, and asking GitHub for a role may take longer: a skeleton first."""
        key = alert_of(click)
        new = await self._accept(context, [] if key else [work_of(click, self._context.clock.now())])
        await ack()
        if new and key is not None:
            opening = asyncio.create_task(self._open_skeleton(form, key, click))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    async def settle(self) -> None:
        """Wait for the forms that are being opened; Bolt itself waits for no listener at a stop."""
        await asyncio.gather(*self._opening)

    async def stop(self) -> None:
        """Give the forms that are being opened a moment more, and up those that Slack does not answer by then."""
        if not self._opening:
            return
        _, late = await asyncio.wait(self._opening, timeout=OPENED_WITHIN)
        for opening in late:
            opening.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning("forms_given_up", count=len(late), reason="Slack did not answer before the stop")

    async def _open_skeleton(self, form: FormAction[Any], key: AlertKey, click: Click) -> None:
        # Whoever clicked at the same moment is acknowledged first.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._calm.wait(), PATIENCE)
        skeleton = skeleton_view(callback_id=form.callback_id, title=form.title)
        request = request_of(form.id, key, click, self._context.clock.now())
        opened = None
        try:
            opened = await self._context.slack.open_view(click.trigger_id, skeleton)
        except SlackError as error:
            log.warning("form_not_opened", action=form.id, reason=error.code)
            work = answer_job(request, refusal(form_not_opened()))
        else:
            in_form = replace(request, view_id=opened.id, response_url=None)
            work = new_job(FillForm(in_form, opened.hash))
        try:
            async with self._context.db.begin() as tx:
                await jobs.enqueue(tx, work)
            if opened is None and form.is_menu and request.channel and request.thread:
                # Slack's clients keep what was picked, and would not send the same pick again.
                await redraw(self._context, request.channel, request.thread)
        except StorageUnavailable as error:
            log.error("form_not_filled", action=form.id, reason=str(error))

    async def _on_submit(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        submit = context["payload"]
        assert isinstance(submit, Submit)
        form = next((form for form in FORMS if form.callback_id == submit.callback_id), None)
        request = submitted(form.id, submit, self._context.clock.now()) if form else None
        if form is None or request is None:
            view = refusal_view(outdated_control(), callback_id=submit.callback_id, title="Stanch")
            await ack(response_action="update", view=view)
            return
        faults = form.form_errors(submit.user_input, self._context.options)
        if faults:
            await ack(response_action="errors", errors=faults)
            return
        await self._accept(context, [new_job(PerformAction(request))])
        await ack()

    async def _on_command(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        command = context["payload"]
        assert isinstance(command, SlashCommand)
        said = answer_at_once(command.text)
        if said is not None:
            await ack(text=said.text, blocks=list(said.blocks), response_type="ephemeral")
            return
        asked = typed(command, self._context.clock.now())
        said = await answer_from_store(self._context, asked)
        new = await self._accept(context, [] if said else [new_job(AnswerCommand(asked))])
        if said is not None and new:
            await ack(text=said.text, blocks=list(said.blocks), response_type="ephemeral")
        else:
            await ack()

    async def _on_shortcut(self, ack: AsyncAck, context: AsyncBoltContext) -> None:
        shortcut = context["payload"]
        assert isinstance(shortcut, Shortcut)
        work = behind(shortcut, self._context.clock.now(), self._context.github_url)
        await self._accept(context, [work] if work else [])
        await ack()

    async def _on_event(self, context: AsyncBoltContext) -> None:
        event = context["payload"]
        if isinstance(event, SlackEvent) and event.channel is not None and event.type in CHANNEL_EVENTS:
            # At once, and for every process: a click may follow before the job has run.
            async with self._context.db.begin() as tx:
                await save_channel_change(tx, ChannelId(event.channel))
            await self._accept(context, [new_job(RedrawChannel(ChannelId(event.channel)))])

    async def _on_nothing(self, ack: AsyncAck) -> None:
        await ack()

    async def _accept(self, context: AsyncBoltContext, work: Sequence[NewJob]) -> bool:
        """Store what is to be done with the fact that this request came; False if it came before."""
        return await self._context.batch_writer.accept_request(context["fingerprint"], work)

    async def _on_error(self, error: Exception, context: AsyncBoltContext) -> BoltResponse:
        """The one place where everything unexpected of this edge ends: the log has it, Slack shows a failure."""
        if isinstance(error, StorageUnavailable):
            log.error("request_not_stored", reason=str(error))
            return BoltResponse(status=503, body=NOT_STORED)
        log.error("slack_request_failed", exc_info=error, kind=type(context.get("payload")).__name__)
        return BoltResponse(status=500)
