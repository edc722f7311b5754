"""Many alerts at once get one summary instead of cards, and each can still be opened."""

from typing import Any

import pytest

from bot.flows.messages.message_jobs import FIRST_SUMMARY, SUMMARY_PACE
from integrations.sandbox.github import GitHubAlert
from integrations.sandbox.slack import SlackMessage
from tests.flows.stage import CHANNEL, OWNER, Stage, plain
from tests.flows.test_sync import forget_syncs, sync

pytestmark = pytest.mark.either_database


def leak_many(stage: Stage, count: int, **more: Any) -> list[GitHubAlert]:
    """Create so many alerts at the same moment."""
    return [
        stage.github.leak(stage.repository, secret_type="stripe_api_key", path=f"src/{number}.py", **more)
        for number in range(count)
    ]


def summary_of(stage: Stage) -> SlackMessage:
    """The only summary of the channel."""
    [summary] = [
        message for message in stage.slack.channel_messages(CHANNEL) if "show_list" in message.action_ids
    ]
    return summary


def names(alert: GitHubAlert) -> str:
    return f"{alert.repository.full_name}#{alert.number}"


def alone(stage: Stage, alerts: list[GitHubAlert]) -> list[GitHubAlert]:
    """The alerts with a card of their own."""
    shown = {(card.metadata or {})["event_payload"]["alert_number"] for card in stage.slack.cards(CHANNEL)}
    return [alert for alert in alerts if alert.number in shown]


def last_folded(stage: Stage, leaked: list[GitHubAlert]) -> GitHubAlert:
    """The last alert in the summary; any alert of a flood may be the first that is worked, and have a card."""
    return next(alert for alert in reversed(leaked) if not alone(stage, [alert]))


async def test_an_urgent_alert_of_a_flood_has_a_card_of_its_own(stage: Stage) -> None:
    leak_many(stage, 50)
    await stage.work(within=55)
    before = len(stage.slack.cards(CHANNEL))
    leaked = stage.github.leak(
        stage.repository, secret_type="stripe_api_key", path="urgent.py", bypassed_by=stage.leaker
    )
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == before + 1
    assert alone(stage, [leaked]) == [leaked]
    assert f"{50 - before} new alerts" in plain(summary_of(stage).shown_text)


async def test_ten_of_many_urgent_alerts_get_cards_and_20_are_named_first(stage: Stage) -> None:
    leak_many(stage, 30)
    await stage.work(within=5)
    urgent = leak_many(stage, 45, validity="active")
    await stage.work(within=20)
    assert len(alone(stage, urgent)) == 10
    shown = plain(summary_of(stage).shown_text)
    folded = [alert for alert in urgent if alert not in alone(stage, urgent)]
    assert sum(f"{names(alert)}\n" in f"{shown}\n" for alert in folded) == 20
    assert "and 15 more" in shown
    assert shown.index("High: ") < shown.index("Most in")


async def test_urgent_alerts_added_to_a_summary_get_a_reply_once_a_minute(
    stage: Stage,
) -> None:
    leak_many(stage, 30)
    await stage.work(within=35)
    leak_many(stage, 12, validity="active")
    await stage.work(within=12)
    summary = summary_of(stage)
    [told] = replies = stage.slack.thread(CHANNEL, summary.ts)
    assert told.reply_broadcast
    assert "2 critical or high alerts in this summary have no card of their own" in plain(told.shown_text)
    leak_many(stage, 3, validity="active")
    await stage.work(within=10)
    assert len(stage.slack.thread(CHANNEL, summary.ts)) <= len(replies) + 1
    await stage.work(within=60)
    said = stage.slack.thread(CHANNEL, summary.ts)
    assert len(said) == 2
    assert "5 critical or high alerts" in plain(said[-1].shown_text)


async def test_an_urgent_alert_that_is_closed_at_once_gets_no_reply(stage: Stage) -> None:
    leak_many(stage, 26)
    leak_many(stage, 10, validity="active")
    await stage.work(within=40)
    [eleventh] = leak_many(stage, 1, validity="active")
    await stage.work()
    assert alone(stage, [eleventh]) == []
    stage.github.close(eleventh, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=90)
    assert alone(stage, [eleventh]) == []
    assert stage.slack.thread(CHANNEL, summary_of(stage).ts) == []


async def test_a_critical_alert_takes_the_place_of_an_unposted_high_one(stage: Stage) -> None:
    leak_many(stage, 30)
    high = leak_many(stage, 14, validity="active")
    critical = leak_many(stage, 2, validity="active", publicly_leaked=True)
    await stage.work(within=30)
    assert alone(stage, critical) == critical
    assert len(alone(stage, high)) <= 10


async def test_more_than_25_urgent_alerts_are_a_flood_too(stage: Stage) -> None:
    urgent = leak_many(stage, 40, validity="active")
    await stage.work(within=90)
    # Those that were posted before the flood began count among the ten.
    assert 10 <= len(stage.slack.cards(CHANNEL)) <= 14
    shown = plain(summary_of(stage).shown_text)
    assert len(alone(stage, urgent)) + int(shown.split(" new alerts")[0].split()[-1]) == 40
    assert "High: " in shown


async def test_an_alert_that_becomes_urgent_leaves_its_summary(stage: Stage) -> None:
    leaked = leak_many(stage, 40)
    await stage.work(within=90)
    folded = last_folded(stage, leaked)
    stage.github.set_validity(folded, "active")
    await stage.work(within=10)
    assert alone(stage, [folded]) == [folded]


async def test_an_alert_that_becomes_urgent_without_being_raised_leaves_its_summary(stage: Stage) -> None:
    leaked = leak_many(stage, 40)
    await stage.work(within=90)
    folded = last_folded(stage, leaked)
    folded.multi_repo = True
    stage.github.assign(folded, stage.people[OWNER])
    await stage.work(within=10)
    assert alone(stage, [folded]) == [folded]
    assert not any(message.reply_broadcast for message in stage.slack.channel_messages(CHANNEL))


async def test_alerts_of_a_sync_whose_webhooks_follow_are_a_flood_too(stage: Stage) -> None:
    """The first sync has folded them into its summary, which waits for its channel."""
    stage.github.deliver = "hold"
    leaked = leak_many(stage, 30)
    await forget_syncs(stage)
    stage.slack.rate_limit("chat.postMessage", retry_after=40)
    await sync(stage)
    assert stage.slack.channel_messages(CHANNEL) == []
    for delivery in stage.github.held:
        await stage.github.send(delivery)
    await stage.work(within=120)
    assert alone(stage, leaked) == []
    [flood] = stage.slack.channel_messages(CHANNEL)
    assert "30 new alerts" in plain(flood.shown_text)


async def test_more_than_25_at_once_get_one_summary_that_is_updated(stage: Stage) -> None:
    leaked = leak_many(stage, 60)
    await stage.work(within=90)
    cards, messages = stage.slack.cards(CHANNEL), stage.slack.channel_messages(CHANNEL)
    [summary] = [message for message in messages if "show_list" in message.action_ids]
    assert len(messages) == len(cards) + 1
    assert len(cards) <= 25
    assert f"{60 - len(cards)} new alerts" in summary.shown_text
    assert "octo/payments" in summary.shown_text
    stage.github.close(last_folded(stage, leaked), by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    [summary] = [m for m in stage.slack.channel_messages(CHANNEL) if "show_list" in m.action_ids]
    assert "1 closed" in summary.shown_text


async def test_a_change_just_after_the_first_draw_of_a_summary_is_drawn_too(stage: Stage) -> None:
    # A summary is drawn at most once in each of these spans of time, but for its first draw.
    stage.clock.advance(SUMMARY_PACE - stage.clock.now() % SUMMARY_PACE)
    leaked = leak_many(stage, 27)
    while not any("show_list" in message.action_ids for message in stage.slack.channel_messages(CHANNEL)):
        await stage.work(within=FIRST_SUMMARY)
    stage.github.close(last_folded(stage, leaked), by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    assert "1 closed" in summary_of(stage).shown_text


async def test_a_folded_alert_that_is_raised_again_gets_its_own_card(stage: Stage) -> None:
    leaked = leak_many(stage, 40)
    await stage.work(within=90)
    before = len(stage.slack.cards(CHANNEL))
    stage.github.set_public_leak(last_folded(stage, leaked))
    await stage.work(within=10)
    assert len(stage.slack.cards(CHANNEL)) == before + 1


async def test_a_folded_alert_that_is_reopened_gets_its_own_card(stage: Stage) -> None:
    """It is raised again, but not urgent."""
    leaked = leak_many(stage, 40)
    await stage.work(within=90)
    folded = last_folded(stage, leaked)
    stage.github.close(folded, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=10)
    assert alone(stage, [folded]) == []
    stage.clock.advance(60)
    stage.github.reopen(folded, by=stage.people[OWNER])
    await stage.work(within=10)
    assert alone(stage, [folded]) == [folded]


async def test_25_in_a_minute_are_no_flood(stage: Stage) -> None:
    leak_many(stage, 25)
    await stage.work(within=90)
    assert len(stage.slack.cards(CHANNEL)) == 25


async def test_an_alert_elsewhere_does_not_wait_for_a_flood(stage: Stage) -> None:
    elsewhere = stage.github.add_repository(stage.github.app_owner, "elsewhere")
    leak_many(stage, 60)
    stage.github.leak(elsewhere, secret_type="stripe_api_key")
    await stage.work(within=5)
    paths = [one.path for one in stage.github.requests if "/secret-scanning/alerts" in one.path]
    place = paths.index(f"/repos/{elsewhere.full_name}/secret-scanning/alerts/1")
    # The first ones of the flood come before it, and as many of the others as run beside them.
    assert place < 12


async def test_at_most_ten_urgent_cards_are_sent_in_a_minute_however_late_they_are(stage: Stage) -> None:
    leak_many(stage, 30)
    await stage.work(within=5)
    stage.slack.rate_limit("chat.postMessage", retry_after=40)
    urgent = leak_many(stage, 12, validity="active")
    await stage.work(within=56)
    stage.clock.advance(15)
    # The first cards were planned more than a minute ago, and sent less than a minute ago.
    leak_many(stage, 30)
    await stage.work(within=5)
    urgent += leak_many(stage, 12, validity="active")
    await stage.work(within=60)
    numbers = {alert.number for alert in urgent}
    sent = [
        call.at
        for call in stage.slack.calls("chat.postMessage")
        if call.carried_out
        and (call.arguments.get("metadata") or {}).get("event_payload", {}).get("alert_number") in numbers
    ]
    assert max(sum(at <= other < at + 60 for other in sent) for at in sent) <= 10
    assert len(sent) >= 10
