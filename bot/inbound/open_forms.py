"""Opens a form as a skeleton after its click was acknowledged, and stores the job that fills it."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from bot.actions.action import FormAction
from bot.context import Context
from bot.flows.messages.publish import redraw
from bot.flows.private_answers import answer_job
from bot.inbound.read_requests import action_request
from bot.job_kinds import FillForm
from bot.job_rows import new_job
from bot.views.answers import refusal, skeleton_view
from bot.views.refusals import form_not_opened
from integrations.slack.errors import SlackError
from integrations.slack.payloads import Click
from storage import jobs
from storage.db import StorageUnavailable
from storage.records import AlertKey

log = structlog.get_logger(__name__)
PATIENCE = 0.3
"""Seconds, of the three that a trigger lives, in which other requests are acknowledged before a form is opened."""
OPENED_WITHIN = 0.5
"""Seconds, of the ten for the whole stop, that it waits for forms that are being opened."""


class FormOpener:
    """Opens forms in the background; Bolt itself waits for no listener at a stop."""

    def __init__(self, context: Context, all_answered: asyncio.Event) -> None:
        """`all_answered` is set while no request of Slack's waits for its acknowledgement."""
        self._context = context
        self._all_answered = all_answered
        self._opening: set[asyncio.Task[None]] = set()

    def open(self, form: FormAction[Any], alert: AlertKey, click: Click) -> None:
        """Start to open it."""
        self.start(self._open(form, alert, click))

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Start other work that opens a form."""
        opening = asyncio.create_task(work)
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def settle(self) -> None:
        """Wait for the forms that are being opened."""
        await asyncio.gather(*self._opening)

    async def stop(self) -> None:
        """Wait a moment for the forms that are being opened, then cancel those that Slack has not answered."""
        if not self._opening:
            return
        _, late = await asyncio.wait(self._opening, timeout=OPENED_WITHIN)
        for opening in late:
            opening.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning("forms_given_up", count=len(late), reason="Slack did not answer before the stop")

    async def let_others_be_answered(self) -> None:
        """Wait a moment until no request of Slack's waits for its acknowledgement."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._all_answered.wait()

    async def _open(self, form: FormAction[Any], alert: AlertKey, click: Click) -> None:
        await self.let_others_be_answered()
        request = action_request(form.id, alert, click, self._context.clock.now())
        opened = None
        try:
            skeleton = skeleton_view(callback_id=form.callback_id, title=form.title)
            opened = await self._context.slack.open_view(click.trigger_id, skeleton)
        except SlackError as error:
            log.warning("form_not_opened", action=form.id, reason=error.code)
            job = answer_job(request, refusal(form_not_opened()))
        else:
            job = new_job(FillForm(replace(request, view_id=opened.id, response_url=None), opened.hash))
        try:
            async with self._context.db.begin() as tx:
                await jobs.enqueue(tx, job)
            if opened is None and form.is_menu and request.channel and request.thread:
                # Slack's clients keep what was picked, and would not send the same pick again.
                await redraw(self._context, request.channel, request.thread)
        except StorageUnavailable as error:
            log.error("form_not_filled", action=form.id, reason=str(error))
