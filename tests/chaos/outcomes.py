"""What must be true after every story, whatever failed: each broken promise as one sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from bot.cli.audit import export_audit
from integrations.sandbox.github import GitHubChange
from integrations.sandbox.slack import DeliveryResult, SlackMessage
from storage import audit, jobs
from storage.records import JobState
from storage.tables import alert as alert_table
from tests.chaos.stories import REVOKE, Story
from tests.flows.stage import CHANNEL, LOGINS, UNLINKED, Stage, plain

EFFECTS = ("secret_scanning_alert.resolved", "secret_scanning_alert.reopened", "token.reported")
"""Changes that Stanch may cause once for a story."""
PEOPLE = (*LOGINS, UNLINKED)


async def broken_promises(
    stage: Stage, story: Story, changes: Sequence[GitHubChange], gestures: Sequence[DeliveryResult]
) -> list[str]:
    """What is not as it must be, after faults in the story have ended and all work is done."""
    return [
        *([] if await story.is_done(stage) else [f"the story has not come to its end: {_shown(stage)}"]),
        *_about_messages(stage),
        *_about_effects(stage, changes),
        *await _about_the_store(stage),
        *await _about_answers(stage, story, gestures),
        *_about_the_wire(stage),
    ]


def _shown(stage: Stage) -> list[str]:
    """What the channel shows, and what people were told."""
    messages = [*stage.slack.channel_messages(CHANNEL)]
    messages += [message for user in PEOPLE for message in stage.slack.private_messages(user)]
    return [plain(message.shown_text) for message in messages]


def _about_messages(stage: Stage) -> Iterator[str]:
    """A card per alert and channel at most, and no message twice."""
    cards = Counter(str(_about(card)) for card in stage.slack.cards(CHANNEL))
    yield from (f"{number} cards of {about}" for about, number in cards.items() if number > 1)
    for card in stage.slack.cards(CHANNEL):
        replies = Counter(str(reply.metadata) for reply in stage.slack.thread(CHANNEL, card.ts))
        yield from (f"{number} replies of {about}" for about, number in replies.items() if number > 1)
    for number, alert in stage.github.alerts.items():
        shown = [card for card in stage.slack.cards(CHANNEL) if _about(card) == number]
        control = "close_as" if alert.state == "open" else "reopen"
        yield from (
            f"alert {number} is {alert.state}, but its card says: {card.text}"
            for card in shown
            if control not in card.action_ids
        )


def _about(card: SlackMessage) -> tuple[int, int]:
    """The repository id and the number of the card's alert."""
    assert card.metadata is not None
    about = card.metadata["event_payload"]
    return int(about["repository_id"]), int(about["alert_number"])


def _about_effects(stage: Stage, changes: Sequence[GitHubChange]) -> Iterator[str]:
    """Each effect on GitHub once, and no report of a token that is dead already."""
    for kind, number in Counter(change.kind for change in changes if change.kind in EFFECTS).items():
        if number > 1:
            yield f"{kind} happened {number} times"
    for call in stage.github.calls("POST", REVOKE):
        assert isinstance(call.body, dict)
        [literal] = call.body["credentials"]
        died_at = stage.github.live_tokens[literal].revoked_at
        if died_at is not None and call.at > died_at:
            yield "an inactive token was reported again"


async def _about_the_store(stage: Stage) -> list[str]:
    """No claim is left, no job failed for good or runs, and the chain of the audit log is whole."""
    async with stage.context.db.read() as tx:
        claimed = await tx.conn.scalar(
            sa.select(sa.func.count()).where(alert_table.c.claim_job.is_not(None)).select_from(alert_table)
        )
        left = await jobs.list_jobs(tx, states=(JobState.PARKED, JobState.RUNNING))
        chain = await audit.verify(tx)
    found = [f"job {job.id} ({job.kind}) is {job.state}: {job.error}" for job in left]
    if claimed:
        found.append(f"{claimed} alerts are still claimed")
    return found if chain.ok else [*found, f"the audit log does not verify: {chain.problem}"]


async def _about_answers(stage: Stage, story: Story, gestures: Sequence[DeliveryResult]) -> list[str]:
    """The action is done once, each accepted submit has its end, and who was refused was told why."""
    if story.audited is None:
        return []
    rows = [row async for row in export_audit(stage.context.db, None) if row["action"] == story.audited]
    ends = Counter(str(row["outcome"]) for row in rows)
    submits = sum(_is_accepted_submit(gesture) for gesture in gestures)
    found = []
    if ends["done"] != 1:
        found.append(f"{story.audited} is recorded as done {ends['done']} times")
    if (ended := ends.total() - ends["intended"]) < submits:
        found.append(f"{submits} submits were accepted, {ended} have an end")
    undone = ends["refused"] + ends["failed"]
    told = sum(len(stage.slack.private_messages(user)) for user in PEOPLE) + _forms_without_fields(stage)
    if told < undone:
        found.append(f"{undone} requests were not done, {told} answers were given")
    return found


def _forms_without_fields(stage: Stage) -> int:
    """How many forms became a refusal."""
    shown = [call.arguments["view"] for call in stage.slack.calls("views.update") if call.carried_out]
    return sum(all(block["type"] != "input" for block in view["blocks"]) for view in shown)


def _is_accepted_submit(gesture: DeliveryResult) -> bool:
    accepted = gesture.status == 200 and gesture.error is None and not gesture.view_errors
    return accepted and gesture.payload.get("type") == "view_submission"


def _about_the_wire(stage: Stage) -> Iterator[str]:
    yield from (f"Slack would refuse: {reason}" for reason in stage.slack.complaints)
    yield from (f"GitHub would refuse: {reason}" for reason in stage.github.complaints)
