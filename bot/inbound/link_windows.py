"""Opens the modal in which people link their GitHub account, and answers its submit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.context import Context
from bot.errors import Refused, RetryLater
from bot.flows.people import linking
from bot.flows.people.continue_request import read_waiting, stored_waiting
from bot.flows.people.submit_code import TypedCode, submit_code
from bot.inbound.open_forms import FormOpener
from bot.job_kinds import SendAnswer
from bot.job_rows import new_job
from bot.views.answers import refusal, refusal_view
from bot.views.link_account import CALLBACK_ID, CODE, TITLE, waiting_view
from bot.views.refusals import form_not_opened, slack_unreachable
from integrations.slack.blocks import View
from integrations.slack.errors import SlackError
from integrations.slack.payloads import Click, SlashCommand, Submit
from storage import jobs, link_requests
from storage.db import StorageUnavailable
from storage.records import ChannelId, MessageTs, SlackTeamId, SlackUserId, StoredJson

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """Who wants to link, and where the modal goes."""

    user: SlackUserId
    channel: ChannelId | None
    reply_to: MessageTs | None = None
    trigger_id: str
    continuation: Mapping[str, StoredJson] | None = None


class LinkWindows:
    """One per process."""

    def __init__(self, context: Context, forms: FormOpener) -> None:
        self._context = context
        self._forms = forms

    def open_by_command(self, command: SlashCommand) -> None:
        """Start to open it for `/leaks link`."""
        self._start(
            _Opening(
                user=SlackUserId(command.user),
                channel=ChannelId(command.channel),
                trigger_id=command.trigger_id,
            )
        )

    def open_by_offer(self, click: Click) -> None:
        """Start to open it for the button of a refusal, which carries the request that goes on then.

        The button is in messages alone: a form that is refused is replaced by this modal at once.
        """
        waiting = read_waiting(click.value) if isinstance(click.value, str) else None
        thread = click.thread_ts if click.thread_ts != click.message_ts else None
        self._start(
            _Opening(
                user=SlackUserId(click.user),
                channel=ChannelId(click.channel) if click.channel else None,
                reply_to=MessageTs(thread) if thread else None,
                trigger_id=click.trigger_id,
                continuation=stored_waiting(waiting) if waiting else None,
            )
        )

    async def submit(self, submit: Submit) -> dict[str, Any]:
        """What acknowledges a submitted code: an error on the field, or another content of the modal."""
        typed = TypedCode(
            team=SlackTeamId(submit.user_team),
            user=SlackUserId(submit.user),
            view_id=submit.view_id,
            metadata=submit.private_metadata,
            code=submit.user_input.get(CODE),
        )
        try:
            error = await submit_code(self._context, typed)
        except Refused as refused:
            return {"response_action": "update", "view": _refused_view(refused)}
        if error is not None:
            return {"response_action": "errors", "errors": {CODE: error}}
        return {"response_action": "update", "view": waiting_view()}

    def _start(self, opening: _Opening) -> None:
        self._forms.start(self._open(opening))

    async def _open(self, opening: _Opening) -> None:
        try:
            await self._try_to_open(opening)
        except Refused as refused:
            await self._refuse(opening, refused)
        except RetryLater:
            await self._refuse(opening, slack_unreachable())
        except SlackError as error:
            log.warning("form_not_opened", action=CALLBACK_ID, reason=error.code)
            await self._refuse(opening, form_not_opened())
        except StorageUnavailable as error:
            log.error("form_not_filled", action=CALLBACK_ID, reason=str(error))

    async def _try_to_open(self, opening: _Opening) -> None:
        started = await linking.start(self._context, opening.user, opening.channel, opening.continuation)
        opened = await self._context.slack.open_view(opening.trigger_id, started.view)
        async with self._context.db.begin() as tx:
            await link_requests.set_view(tx, started.hash, opened.id)

    async def _refuse(self, opening: _Opening, refused: Refused) -> None:
        """Say privately why there is no modal."""
        now = self._context.clock.now()
        answer = SendAnswer(opening.user, refusal(refused), opening.channel, opening.reply_to, at=now)
        async with self._context.db.begin() as tx:
            await jobs.enqueue(tx, new_job(answer))


def _refused_view(refused: Refused) -> View:
    return refusal_view(refused, callback_id=CALLBACK_ID, title=TITLE)
