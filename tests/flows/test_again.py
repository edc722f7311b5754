"""What makes an alert news again, and what happens to cards when repositories change."""

import pytest
from structlog.testing import capture_logs

from tests.flows.stage import ADMIN, CHANNEL, OWNER, Stage, key_of, plain

pytestmark = pytest.mark.either_database

DAY = 86400


def broadcast(stage: Stage) -> list[str]:
    """The replies that the channel itself shows."""
    return [m.shown_text for m in stage.slack.thread(CHANNEL, stage.card().ts) if m.reply_broadcast]


async def test_a_secret_that_becomes_active_or_public_is_raised_again(stage: Stage) -> None:
    alert = await stage.leak(secret_type="stripe_api_key")
    stage.github.set_validity(alert, "active")
    stage.github.set_public_leak(alert)
    await stage.work(within=5)
    said = broadcast(stage)
    assert any("to active" in words for words in said)
    assert any("in public" in words for words in said)
    assert "leaked" in stage.card().shown_text.lower()


async def test_reopening_is_raised_again_and_closing_is_not(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=5)
    assert broadcast(stage) == []
    stage.github.reopen(alert, by=stage.people[OWNER], comment="Not yet.")
    await stage.work(within=5)
    assert any("Reopened by" in words and "Not yet." in words for words in broadcast(stage))


async def test_a_new_place_of_a_closed_alerts_secret_is_raised_again(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.close(alert, by=stage.people[OWNER], resolution="revoked")
    await stage.work(within=5)
    stage.github.add_location(alert, path="src/again.py", start_line=2, end_line=2)
    await stage.work(within=5)
    assert any("one more location" in words for words in broadcast(stage))


async def test_closed_as_revoked_is_looked_at_again_after_a_day(stage: Stage) -> None:
    await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    stage.clock.advance(DAY)
    await stage.work(within=5)
    assert any("still works" in words for words in broadcast(stage))
    assert "Closed as revoked, but it still works" in stage.card().shown_text


async def test_a_recheck_that_github_refuses_leaves_a_log_line(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    stage.github.delete_repository(stage.repository)
    await stage.work(within=5)
    stage.clock.advance(DAY)
    with capture_logs() as lines:
        await stage.work(within=5)
    [line] = [line for line in lines if line["event"] == "not_asked_again"]
    assert line["alert"] == str(key_of(alert))
    assert broadcast(stage) == []


async def test_a_truly_revoked_token_stays_quiet_after_a_day(stage: Stage) -> None:
    alert = await stage.leak()
    token = stage.github.token_of(alert)
    assert token is not None
    stage.github.revoke_token(token)
    await stage.close_as(ADMIN, "revoked")
    stage.clock.advance(DAY)
    await stage.work(within=5)
    assert broadcast(stage) == []


async def test_a_renamed_repository_is_told_on_its_cards(stage: Stage) -> None:
    await stage.leak()
    stage.github.rename_repository(stage.repository, "billing")
    await stage.work(within=5)
    assert "octo/billing" in stage.card().shown_text


async def test_a_repository_made_public_is_asked_about_and_loses_the_report(stage: Stage) -> None:
    await stage.leak()
    assert "report_leak" in stage.card().action_ids
    stage.github.set_visibility(stage.repository, "public")
    await stage.work(within=5)
    assert "public repository" in stage.card().shown_text
    assert "report_leak" not in stage.card().action_ids


async def test_a_deleted_repository_and_a_removed_installation_take_the_controls_away(stage: Stage) -> None:
    await stage.leak()
    stage.github.delete_repository(stage.repository)
    await stage.work(within=5)
    assert "out of reach, the repository was deleted" in stage.card().shown_text
    assert stage.card().action_ids == ["more"]


async def test_a_suspended_installation_is_told_and_comes_back(stage: Stage) -> None:
    await stage.leak()
    [installation] = stage.github.installations.values()
    stage.github.suspend(installation)
    await stage.work(within=5)
    assert "access to the repository was removed" in stage.card().shown_text
    stage.github.unsuspend(installation)
    await stage.work(within=5)
    assert "Normal: not known whether it works" in stage.card().shown_text


async def test_forty_new_places_of_a_closed_alert_are_one_message_that_counts(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix")
    await stage.work(within=10)
    before = stage.slack.channel_messages(CHANNEL)
    for number in range(40):
        stage.github.add_location(alert, path=f"src/{number}.py", start_line=2, end_line=2)
    await stage.work(within=90)
    [told] = [message for message in stage.slack.channel_messages(CHANNEL) if message not in before][-1:]
    assert len(stage.slack.channel_messages(CHANNEL)) == len(before) + 1
    assert "found at 40 more locations" in plain(told.shown_text)
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work(within=10)
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix")
    await stage.work(within=10)
    between = len(stage.slack.channel_messages(CHANNEL))
    stage.github.add_location(alert, path="src/again.py", start_line=2, end_line=2)
    await stage.work(within=10)
    assert len(stage.slack.channel_messages(CHANNEL)) == between + 1, "closed anew, it is news anew"
