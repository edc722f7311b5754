"""Many alerts at once: one summary instead of a wall of cards, and every alert still reachable."""

from integrations.sandbox.github import Alert
from tests.flows.stage import CHANNEL, OWNER, Stage


def leak_many(stage: Stage, count: int) -> list[Alert]:
    """So many secrets leak at the same moment."""
    return [
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py")
        for number in range(count)
    ]


async def test_more_than_25_at_once_become_one_summary_kept_true(stage: Stage) -> None:
    leaked = leak_many(stage, 60)
    await stage.work(within=90)
    cards, messages = stage.slack.cards(CHANNEL), stage.slack.channel_messages(CHANNEL)
    [summary] = [message for message in messages if "show_list" in message.action_ids]
    assert len(messages) == len(cards) + 1
    assert len(cards) <= 25
    assert f"{60 - len(cards)} new alerts" in summary.shown_text
    assert "octo/payments" in summary.shown_text
    stage.github.close(leaked[-1], by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    [summary] = [m for m in stage.slack.channel_messages(CHANNEL) if "show_list" in m.action_ids]
    assert "1 closed" in summary.shown_text


async def test_an_alert_of_a_flood_that_is_raised_again_gets_its_own_card(stage: Stage) -> None:
    leaked = leak_many(stage, 40)
    await stage.work(within=90)
    before = len(stage.slack.cards(CHANNEL))
    stage.github.set_public_leak(leaked[-1])
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == before + 1


async def test_25_in_a_minute_are_no_flood(stage: Stage) -> None:
    leak_many(stage, 25)
    await stage.work(within=90)
    assert len(stage.slack.cards(CHANNEL)) == 25
