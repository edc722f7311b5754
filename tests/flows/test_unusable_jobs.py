"""Stored jobs that this version can't read are parked with a reason, and the person who waits is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.job_kinds import AnswerCommand, PerformAction
from bot.job_rows import new_job
from bot.jobs.housekeeping import run_housekeeping_once
from bot.requests import ActionRequest, CommandRequest
from storage import jobs
from storage.records import (
    AlertKey,
    ChannelId,
    JobState,
    NewJob,
    SlackTeamId,
    SlackUserId,
    StoredJson,
)
from storage.tables import job
from tests.flows.stage import ADMIN, CHANNEL, Stage, key_of

pytestmark = pytest.mark.either_database

OUTDATED = "This control does nothing any more."
COMMAND: Mapping[str, StoredJson] = {
    "user": ADMIN,
    "team": "T0STANCH",
    "channel": CHANNEL,
    "text": "",
    "at": 1.0,
    "response_url": None,
}


def request(**other: StoredJson) -> dict[str, StoredJson]:
    """A click as it is stored in the job table."""
    return {
        "action": "retired",
        "alert": "1/1",
        "team": "T0STANCH",
        "user": ADMIN,
        "at": 1.0,
        "channel": CHANNEL,
        "thread": None,
        "view_id": None,
        "response_url": None,
        "given": {},
        "waited": False,
        **other,
    }


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("act", request(), "this version knows no action retired"),
        (
            "act",
            request(user_input=None),
            "a job act with a field user_input that this version does not know",
        ),
        ("act", request(since=5), "a job act with a field since that this version does not know"),
        ("look", request(), "this version knows no line retired of the menu"),
        ("fill_form", {"request": request(), "hash": "1.a"}, "this version knows no form retired"),
        (
            "fill_form",
            {"request": request(action="close_as"), "hash": 7},
            "a job fill_form without a usable hash",
        ),
        (
            "button",
            {"button": "retired", "asked": {**COMMAND}, "replaces": False},
            "this version knows no button retired",
        ),
        (
            "command",
            {**COMMAND, "tone": 1},
            "a job command with a field tone that this version does not know",
        ),
        ("retired", request(), "this version knows no job of the kind retired"),
    ],
)
async def test_an_unusable_job_is_parked_and_its_person_told_once(
    stage: Stage, kind: str, payload: dict[str, StoredJson], reason: str
) -> None:
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, NewJob(kind, payload))
    await stage.work(within=60)
    async with stage.context.db.read() as tx:
        [parked] = await jobs.list_jobs(tx, states=[JobState.PARKED])
    assert (parked.error, parked.attempts) == (reason, 1)
    told = [message.shown_text for message in stage.slack.private_messages(ADMIN)]
    assert [OUTDATED in words for words in told] == [True]


@pytest.mark.parametrize(
    ("kind", "payload", "lacking"),
    [
        ("follow_up", {"alert": "1/1"}, "look"),
        ("follow_up", {"alert": "one", "look": 0}, "alert"),
        ("revoked_look", {"alert": "1/1", "resolved_at": "then"}, "resolved_at"),
        ("sweep_installation", {}, "id"),
        ("message", {"key": None}, "key"),
        ("delivery", {}, "guid"),
    ],
)
async def test_an_unusable_job_without_a_person_is_parked(
    stage: Stage, kind: str, payload: dict[str, Any], lacking: str
) -> None:
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, NewJob(kind, payload))
    await stage.work(within=60)
    async with stage.context.db.read() as tx:
        [parked] = await jobs.list_jobs(tx, states=[JobState.PARKED])
    assert (parked.error, parked.attempts) == (f"a job {kind} without a usable {lacking}", 1)


async def test_an_unusable_action_does_not_block_its_alert(stage: Stage) -> None:
    alert = await stage.leak()
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, NewJob("act", request(alert=str(key_of(alert))), key=f"alert:{key_of(alert)}"))
    await stage.close_as(ADMIN, "revoked")
    assert alert.state == "resolved"


async def test_what_an_older_version_could_not_read_is_done_after_its_end(stage: Stage) -> None:
    """Both run beside each other during an upgrade. What a person waits for is not done: the person was told so."""
    reasons = {
        "redraw_cards": "this version knows no job of the kind redraw_cards",
        "act": "a job act with a field since that this version does not know",
        "retired": "this version knows no job of the kind retired",
        "sweep": "RuntimeError (1a2b3c4d)",
    }
    async with stage.context.db.begin() as tx:
        for kind in reasons:
            await jobs.enqueue(tx, NewJob(kind, request(action="take") if kind == "act" else {}))
        parked = sa.update(job).values(state="parked", error=sa.case(reasons, value=job.c.kind))
        await tx.conn.execute(parked.where(job.c.kind.in_(reasons), job.c.state == "ready"))
    await run_housekeeping_once(stage.context)
    await stage.work(within=60)
    async with stage.context.db.read() as tx:
        left = {parked.kind for parked in await jobs.list_jobs(tx, states=[JobState.PARKED])}
    assert left == {"act", "retired", "sweep"}


def test_a_plain_request_is_stored_with_the_fields_of_0_1_0_alone() -> None:
    """0.1.0 fails on any other field, and may get the job during a rolling upgrade."""
    team, user, channel = SlackTeamId("T0STANCH"), SlackUserId(ADMIN), ChannelId(CHANNEL)
    click = ActionRequest(action="take", alert=AlertKey.parse("1/1"), team=team, user=user, at=1.0)
    typed = CommandRequest(user=user, team=team, channel=channel, text="list", at=1.0)
    assert new_job(PerformAction(click)).payload.keys() == request().keys()
    assert new_job(AnswerCommand(typed)).payload.keys() == COMMAND.keys()
    in_thread = PerformAction(replace(click, in_thread=True, approval="7"))
    assert new_job(in_thread).payload.keys() == request().keys() | {"in_thread", "approval"}
