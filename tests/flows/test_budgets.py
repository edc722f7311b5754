"""How many SQL statements, write commits and calls an alert, a submit and a message take."""

from tests.bench.budgets import ALERT, MESSAGE, SUBMIT, Usage, measure_alert, measure_submit
from tests.bench.statements import Cost
from tests.flows.stage import Stage


def assert_within(taken: Cost, limit: Cost, usage: Usage) -> None:
    listed = "\n".join(
        f"{one.kind}: {text[:100]}" for one in usage.transactions.ended for text in one.statements
    )
    assert taken.statements <= limit.statements, listed
    assert taken.commits <= limit.commits, listed


async def test_a_new_alert_takes_25_statements_and_6_commits(stage: Stage) -> None:
    usage = await measure_alert(stage)
    assert len(stage.slack.cards("C0ALERTS")) == 2
    assert_within(usage.cost, ALERT, usage)


async def test_a_new_alert_takes_one_get_and_one_post(stage: Stage) -> None:
    """The repository was read for the alert before, less than five minutes ago."""
    usage = await measure_alert(stage)
    assert usage.github == ("GET /repos/octo/payments/secret-scanning/alerts/2",)
    assert usage.slack == ("chat.postMessage",)


async def test_jobs_end_in_the_commits_of_what_they_change(stage: Stage) -> None:
    usage = await measure_alert(stage)
    changes = [one.statements[0] for one in usage.transactions.changes_outside_of_jobs]
    claims = [change for change in changes if "state='running'" in change]
    stored = [change for change in changes if change.strip().startswith("INSERT INTO delivery")]
    assert len(claims) == 2
    assert len(changes) == len(claims) + len(stored)


async def test_a_submit_takes_30_statements_and_6_commits_and_its_messages_8_and_3_each(stage: Stage) -> None:
    usage = await measure_submit(stage)
    assert_within(usage.cost, SUBMIT, usage)
    assert len(usage.messages) >= 2
    for message in usage.messages:
        assert_within(message, MESSAGE, usage)
