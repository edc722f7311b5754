"""Telling one person something privately, by whichever way works at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bot.context import Context
from bot.errors import RetryLater
from bot.job_kinds import SendAnswer
from bot.job_rows import new_job
from integrations.slack.blocks import Content
from integrations.slack.errors import PersonUnavailable, SlackError, SlackRateLimited
from storage.records import ChannelId, MessageTs, NewJob, SlackUserId, UnixTime

log = structlog.get_logger(__name__)
RESPONSE_URL_LASTS = 25 * 60.0
"""Seconds for which an answer to the click itself is tried; Slack's docs give it 30 minutes."""
LOOKING = 120.0
"""Seconds after which whoever clicked is taken to have gone: then a direct message is what reaches them."""


class Asker(Protocol):
    """Whoever clicked, submitted or typed something, and how they can be answered."""

    @property
    def user(self) -> SlackUserId: ...
    @property
    def channel(self) -> ChannelId | None: ...
    @property
    def reply_to(self) -> MessageTs | None: ...
    @property
    def response_url(self) -> str | None: ...
    @property
    def at(self) -> UnixTime: ...


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who is told of something later; without a channel and a URL, by a direct message."""

    user: SlackUserId
    channel: ChannelId | None = None
    reply_to: MessageTs | None = None
    response_url: str | None = None
    at: UnixTime = 0.0


def who_waits(payload: Mapping[str, Any]) -> Addressee | None:
    """Whoever waits for a job, as far as what it holds tells, whatever kind it is; None where nobody does."""
    for part in (payload, payload.get("request"), payload.get("asked")):
        user = part.get("user") if isinstance(part, Mapping) else None
        if isinstance(part, Mapping) and isinstance(user, str):
            channel, url, at = part.get("channel"), part.get("response_url"), part.get("at")
            thread = part.get("thread") if part.get("in_thread") else part.get("reply_to")
            return Addressee(
                user=SlackUserId(user),
                channel=ChannelId(channel) if isinstance(channel, str) else None,
                reply_to=MessageTs(thread) if isinstance(thread, str) else None,
                response_url=url if isinstance(url, str) else None,
                at=float(at) if isinstance(at, int | float) else 0.0,
            )
    return None


def telling(asker: Asker, said: Content) -> NewJob:
    """The job that tells it, for the transaction that there is something to tell of: a crash then loses neither."""
    answer = SendAnswer(
        user=asker.user,
        content=said,
        channel=asker.channel,
        reply_to=asker.reply_to,
        response_url=asker.response_url,
        at=asker.at,
    )
    return new_job(answer)


async def tell(context: Context, asker: Asker, said: Content, *, replaces: bool = False) -> None:
    """Answer by the `response_url` where there is one, else show it to them alone where they clicked, else directly.

    Only commands, shortcuts and buttons whose message is replaced have a `response_url`: what is answered by it
    appears in the channel, never in the thread of the click (Slack's docs). With `reply_to`, the ts of a thread's
    first message, an ephemeral message appears in that thread. Slack shows ephemeral messages only to people who
    are active, so a late answer is a direct message. `replaces` puts the answer in the place of the message that was
    clicked.
    """
    age = context.clock.now() - asker.at
    if asker.response_url is not None and age < RESPONSE_URL_LASTS:
        try:
            await context.slack.respond(asker.response_url, said, replace_original=replaces)
        except (SlackError, ValueError) as error:
            log.info("answer_not_taken", way="response_url", reason=str(error))
        else:
            return
    if asker.channel is not None and not asker.channel.startswith("D") and age < LOOKING:
        try:
            await context.slack.ephemeral(asker.channel, asker.user, said, thread_ts=asker.reply_to)
        except SlackError as error:
            log.info("answer_not_taken", way="ephemeral", reason=error.code)
        else:
            return
    await send_directly(context, asker.user, said)


async def send_directly(context: Context, user: str, said: Content) -> None:
    """A direct message; somebody whom Slack does not let us write to is logged, since there is no other way."""
    try:
        await context.slack.direct_message(user, said)
    except PersonUnavailable as error:
        log.warning("person_not_reached", user=user, reason=error.code)
    except SlackRateLimited as error:
        raise RetryLater(context.clock.now() + error.retry_after, "Slack asks us to wait") from None
