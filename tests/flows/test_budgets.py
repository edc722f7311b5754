"""How many SQL statements, write commits and calls an alert, a submit and a message take."""

from tests.bench.statements import STORED, Cost, Transactions, counted
from tests.flows.stage import OWNER, Stage

IDLE = 60
"""Seconds after which the channel takes the next message at once."""


def assert_within(taken: Cost, limit: Cost, seen: Transactions) -> None:
    listed = "\n".join(f"{one.kind}: {text[:100]}" for one in seen.ended for text in one.statements)
    assert taken.statements <= limit.statements, listed
    assert taken.commits <= limit.commits, listed


async def test_a_new_alert_takes_25_statements_6_commits_and_one_get(stage: Stage) -> None:
    await stage.leak()
    stage.clock.advance(IDLE)
    stage.github.requests.clear()
    stage.slack.requests.clear()
    with counted() as seen:
        await stage.leak()
    assert len(stage.slack.cards("C0ALERTS")) == 2
    [delivery], [message] = seen.of_jobs("delivery"), seen.of_jobs("message")
    assert_within(STORED + delivery + message, Cost(25, 6), seen)
    assert [request.path.rpartition("/")[2] for request in stage.github.requests] == ["2"]
    assert [request.method for request in stage.slack.requests] == ["chat.postMessage"]


async def test_no_commit_only_ends_a_job(stage: Stage) -> None:
    await stage.leak()
    stage.clock.advance(IDLE)
    with counted() as seen:
        await stage.leak()
    claims = [one for one in seen.changes_outside_of_jobs if "state='running'" in one.statements[0]]
    stored = [one for one in seen.changes_outside_of_jobs if "INSERT INTO delivery" in one.statements[0]]
    assert len(claims) == 2
    assert len(seen.changes_outside_of_jobs) == len(claims) + len(stored)


async def test_a_submit_takes_30_statements_and_6_commits(stage: Stage) -> None:
    await stage.leak()
    stage.clock.advance(IDLE)
    await stage.pick(OWNER, "close_as", "revoked")
    with counted() as seen:
        await stage.submit(OWNER)
    [act] = seen.of_jobs("act")
    assert_within(STORED + act, Cost(30, 6), seen)


async def test_each_message_of_a_submit_takes_8_statements_and_3_commits(stage: Stage) -> None:
    await stage.leak()
    stage.clock.advance(IDLE)
    await stage.pick(OWNER, "close_as", "revoked")
    stage.clock.advance(IDLE)
    with counted() as seen:
        await stage.submit(OWNER)
    messages = seen.of_jobs("message")
    assert len(messages) >= 2
    for message in messages:
        assert_within(message, Cost(8, 3), seen)
