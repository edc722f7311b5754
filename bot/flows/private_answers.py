"""Sends private answers: by `response_url`, as an ephemeral message, or as a direct message."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import structlog

from bot.context import Context
from bot.errors import RetryLater
from bot.job_kinds import SendAnswer
from bot.job_rows import new_job
from bot.requests import ActionRequest, CommandRequest
from integrations.slack.blocks import Content
from integrations.slack.errors import PersonUnavailable, SlackError, SlackRateLimited
from storage.records import ChannelId, MessageTs, NewJob, SlackUserId

log = structlog.get_logger(__name__)
RESPONSE_URL_LASTS = 25 * 60.0
"""Seconds after the click in which its `response_url` is tried; Slack's docs give it 30 minutes."""
EPHEMERAL_LASTS = 120.0
"""Seconds after the click in which an ephemeral message is tried: Slack shows it only to people who are active."""
SHOWN_WITHIN = 2.0
"""Seconds in which what shows a result has to be updated; otherwise the person gets the private answer."""
Answerable: TypeAlias = ActionRequest | CommandRequest | SendAnswer


def answer_to_waiting(payload: Mapping[str, Any], answer: Content) -> SendAnswer | None:
    """An answer to the person who waits for a stored job, whatever its kind; None if no person waits for it.

    Rows of other versions and unknown kinds are read too, so every field may be missing or of another type.
    """
    waiting = _waiting(payload)
    if waiting is None:
        return None
    channel, url, at = waiting.get("channel"), waiting.get("response_url"), waiting.get("at")
    thread = waiting.get("thread") if waiting.get("in_thread") else waiting.get("reply_to")
    return SendAnswer(
        SlackUserId(waiting["user"]),
        answer,
        channel=ChannelId(channel) if isinstance(channel, str) else None,
        reply_to=MessageTs(thread) if isinstance(thread, str) else None,
        response_url=url if isinstance(url, str) else None,
        at=float(at) if isinstance(at, int | float) else 0.0,
    )


def has_waiting(payload: Mapping[str, Any]) -> bool:
    """Whether a person waits for a stored job, whatever its kind."""
    return _waiting(payload) is not None


def _waiting(payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part of a stored job that names the person who waits."""
    for part in (payload, payload.get("request"), payload.get("asked")):
        if isinstance(part, Mapping) and isinstance(part.get("user"), str):
            return part
    return None


def answer_job(request: ActionRequest, answer: Content, *, unless_shown: str | None = None) -> NewJob:
    """The job that sends an answer.

    Enqueue it in the transaction that records what the answer says: then a crash loses both or neither. With
    `unless_shown` it waits for SHOWN_WITHIN seconds, and the update of what it names deletes it: see `shown_key`.
    Enqueue it before the job of that update.
    """
    job = SendAnswer(
        request.user,
        answer,
        request.channel,
        request.reply_to,
        request.response_url,
        request.at,
        unless_shown,
    )
    return new_job(job, delay=SHOWN_WITHIN if unless_shown else 0.0)


async def send_answer(
    context: Context, recipient: Answerable, answer: Content, *, replaces: bool = False
) -> None:
    """Send an answer by the first way that works: `response_url`, ephemeral message, direct message.

    Only commands, shortcuts and buttons whose message is replaced have a `response_url`. An answer by it appears in
    the channel, never in the thread of the click (Slack's docs). An ephemeral message appears in the thread whose
    first message has the ts `reply_to`, or else in the channel. With `replaces` the answer replaces the message that
    was clicked.
    """
    age = context.clock.now() - recipient.at
    if recipient.response_url is not None and age < RESPONSE_URL_LASTS:
        try:
            await context.slack.respond(recipient.response_url, answer, replace_original=replaces)
        except (SlackError, ValueError) as error:
            log.info("answer_not_taken", way="response_url", reason=str(error))
        else:
            return
    if recipient.channel is not None and not recipient.channel.startswith("D") and age < EPHEMERAL_LASTS:
        try:
            thread = recipient.reply_to
            await context.slack.ephemeral(recipient.channel, recipient.user, answer, thread_ts=thread)
        except SlackError as error:
            log.info("answer_not_taken", way="ephemeral", reason=error.code)
        else:
            return
    await send_direct_message(context, recipient.user, answer)


async def send_direct_message(context: Context, user: str, answer: Content) -> None:
    """Send a direct message; if Slack does not allow it, log that, since no other way is left."""
    try:
        await context.slack.direct_message(user, answer)
    except PersonUnavailable as error:
        log.warning("person_not_reached", user=user, reason=error.code)
    except SlackRateLimited as error:
        raise RetryLater(context.clock.now() + error.retry_after, "Slack asks us to wait") from None
