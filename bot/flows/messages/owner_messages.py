"""Updates the direct messages that told the owner of a leaked token."""

from collections.abc import Sequence

import structlog

from bot.context import Context
from bot.flows.build_case import load_alert
from bot.flows.channel_facts import retry_later
from bot.job_kinds import UpdateOwnerMessage, shown_key
from bot.job_rows import new_job
from bot.rules.owner_message import UPDATING_KINDS, given_answers
from bot.views.owner_message import OwnerNotice, draw_owner_message
from integrations.slack import errors
from integrations.slack.blocks import Content
from storage import alerts, jobs, leases
from storage.db import Tx
from storage.records import Alert, AlertKey, Event, EventKind, Job, NewJob, Person, Repository, SlackUserId

log = structlog.get_logger(__name__)


async def owner_message_jobs(tx: Tx, alert: Alert, events: Sequence[Event]) -> list[NewJob]:
    """The job that updates the messages to the alert's owners, if these new events change them."""
    if not any(event.kind in UPDATING_KINDS for event in events):
        return []
    told = await alerts.events_of_kind(tx, alert.key, EventKind.OWNER_TOLD)
    return [new_job(UpdateOwnerMessage(alert.key))] if any(_address(event) for event in told) else []


def shown_in_message(key: AlertKey, user: SlackUserId) -> str:
    """The name under which the owner's message shows an answer, as in `shown_key`."""
    return f"owner:{key}:{user}"


async def update_owner_messages(context: Context, key: AlertKey, job: Job) -> None:
    """Update the messages about one alert; usually there is one. Raises RetryLater where Slack does not answer."""
    alert, repository = await load_alert(context, key)
    if alert is None or repository is None:
        return
    async with context.db.read() as tx:
        timeline = await alerts.events_of_kind(tx, key, EventKind.OWNER_TOLD, EventKind.OWNER_ANSWERED)
    updated = []
    for told in (event for event in timeline if event.kind is EventKind.OWNER_TOLD):
        address = _address(told)
        if address is None:
            # Version 0.1.0 did not store where its message is.
            continue
        content = draw_owner_message(_notice(told, alert, repository), given_answers(told, timeline))
        if await _update(context, key, address, content):
            updated.append(SlackUserId(str(told.details.get("slack_user"))))
    async with context.db.begin() as tx:
        await leases.finish_own(tx, job)
        for user in updated:
            await jobs.cancel(tx, shown_key(shown_in_message(key, user)), before=job.id)


async def _update(context: Context, key: AlertKey, address: tuple[str, str], content: Content) -> bool:
    """Whether Slack has updated the message; False if it no longer has it or can't reach the person."""
    channel, ts = address
    try:
        await context.slack.update(channel, ts, content, metadata=None)
    except (errors.SlackRateLimited, errors.SlackUncertain, errors.SlackUnauthorized) as error:
        raise retry_later(context, error) from None
    except (errors.MessageGone, errors.ChannelUnavailable, errors.PersonUnavailable) as error:
        log.warning("message_lost", channel=channel, alert=str(key), reason=error.code)
        return False
    context.metrics.messages.labels("updated").inc()
    return True


def _address(told: Event) -> tuple[str, str] | None:
    """Channel and `ts` of the message."""
    channel, ts = told.details.get("channel"), told.details.get("ts")
    return (channel, ts) if isinstance(channel, str) and isinstance(ts, str) else None


def _notice(told: Event, alert: Alert, repository: Repository) -> OwnerNotice:
    name = told.details.get("by_name")
    return OwnerNotice(
        alert,
        repository,
        told.by or Person(),
        name if isinstance(name, str) else "",
        shows_place=told.details.get("place") is True,
    )
