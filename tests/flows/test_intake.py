"""Deliveries about alerts: what is stored, and what Slack shows."""

import asyncio

import pytest
import sqlalchemy as sa

from integrations.sandbox.github import WebhookDelivery
from storage import alerts, deliveries, jobs
from storage.records import EventKind, JobState
from storage.tables import delivery as delivery_table
from tests.flows.stage import CHANNEL, OWNER, READER, Stage, key_of


async def outcome_of(stage: Stage, guid: str) -> str | None:
    """The outcome of a delivery."""
    async with stage.context.db.read() as tx:
        delivery = await deliveries.load(tx, guid)
    assert delivery is not None
    return delivery.outcome


def hold(stage: Stage) -> list[WebhookDelivery]:
    """Collect deliveries from now on, for the test to send."""
    stage.github.deliver = "hold"
    return stage.github.held


@pytest.mark.either_database
async def test_a_new_alert_gets_one_card_with_what_a_responder_needs(stage: Stage) -> None:
    await stage.leak(path="config/deploy.env")
    card = stage.card()
    assert "Normal: not known whether it works" in card.shown_text
    assert "octo/payments" in card.shown_text
    assert "config/deploy.env" in card.shown_text
    assert card.text.startswith(
        "NORMAL, not known whether it works: GitHub Personal Access Token in octo/payments"
    )
    assert card.metadata == {
        "event_type": "stanch_alert",
        "event_payload": {"repository_id": stage.repository.id, "alert_number": 1},
    }
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


@pytest.mark.either_database
async def test_every_change_on_github_updates_the_same_card(stage: Stage) -> None:
    alert, github = await stage.leak(), stage.github
    github.assign(alert, stage.leaker)
    await stage.work()
    assert "On it: leaky-dev" in stage.read()
    github.unassign(alert)
    await stage.work()
    assert "nobody yet" in stage.read()
    github.set_validity(alert, "active")
    await stage.work()
    assert "live token" in stage.read()
    github.set_public_leak(alert)
    await stage.work()
    assert "leaked publicly" in stage.read()
    github.add_metadata(alert, {"owner_name": "leaky-dev", "owner_id": str(stage.leaker.id)})
    await stage.work()
    assert "Token of: leaky-dev" in stage.read()
    github.remove_metadata(alert, "owner_name")
    github.close(alert, by=stage.people[OWNER], resolution="revoked", comment="Rotated.")
    await stage.work()
    assert "Closed as revoked" in stage.read()
    assert "octo-owner on GitHub" in stage.read()
    assert "“Rotated.”" in stage.read()
    github.reopen(alert, by=stage.people[OWNER])
    await stage.work()
    assert stage.read().startswith(":rotating_light: Critical")


@pytest.mark.either_database
async def test_a_delivery_with_an_unknown_action_updates_the_alert(stage: Stage) -> None:
    held = hold(stage)
    alert = stage.github.leak(stage.repository)
    odd = held[0].copy()
    odd.action = odd.payload["action"] = "escalated_by_committee"
    assert await stage.github.send(odd) == 202
    await stage.work(within=10)
    assert await outcome_of(stage, odd.guid) == "stored"
    assert stage.card().metadata is not None
    assert await stage.stored(alert) is not None


@pytest.mark.either_database
@pytest.mark.parametrize("event", ["secret_scanning_scan", "star", "a_word_of_next_year"])
async def test_other_events_are_stored_and_ignored(stage: Stage, event: str) -> None:
    held = hold(stage)
    stage.github.leak(stage.repository)
    other = held[0].copy("another-guid")
    other.event = event
    assert await stage.github.send(other) == 202
    await stage.work(within=10)
    assert await outcome_of(stage, "another-guid") == "event_not_used"
    assert stage.slack.channel_messages(CHANNEL) == []


async def test_a_repeated_delivery_changes_nothing(stage: Stage) -> None:
    await stage.leak()
    created = stage.github.deliveries[-1]
    before, asked = stage.card(), len(stage.github.requests)
    assert await stage.github.send(created) == 202
    await stage.work(within=10)
    assert stage.card() == before
    assert len(stage.github.requests) == asked


async def test_simultaneous_deliveries_of_one_alert_make_one_card(stage: Stage) -> None:
    held = hold(stage)
    alert = stage.github.leak(stage.repository, validity="unknown")
    stage.github.set_validity(alert, "active")
    stage.github.add_location(alert, path="second.py")
    copies = [held[0].copy(f"copy-{number}") for number in range(4)]
    answers = await asyncio.gather(*(stage.github.send(one) for one in [*held, *copies]))
    assert answers == [202] * 7
    await stage.work(within=10)
    assert "live token" in stage.read()
    assert "and more locations" in stage.read()
    assert len(stage.slack.channel_messages(CHANNEL)) == 1


async def test_older_facts_never_overwrite_newer_ones(stage: Stage) -> None:
    """The webhooks come in the wrong order while GitHub can't be asked."""
    held = hold(stage)
    alert = stage.github.leak(stage.repository)
    stage.clock.advance(5)
    stage.github.set_validity(alert, "active")
    stage.clock.advance(5)
    stage.github.close(alert, by=stage.people[OWNER], resolution="wont_fix")
    stage.clock.advance(5)
    stage.github.reopen(alert, by=stage.people[OWNER])
    stage.github.faults.add("GET /repos/.*", status=503)
    for delivery in reversed(held):
        assert await stage.github.send(delivery) == 202
        await stage.work(within=10)
    stored = await stage.stored(alert)
    assert stored is not None
    assert (stored.state, stored.validity) == ("open", "active")
    assert "live token" in stage.read()


@pytest.mark.either_database
async def test_the_few_fields_of_old_servers_are_enough(stage: Stage) -> None:
    held = hold(stage)
    stage.github.leak(stage.repository, validity="active")
    assert await stage.github.send(held[0].sparse()) == 202
    await stage.work(within=10)
    assert "live token" in stage.read()


@pytest.mark.either_database
async def test_the_few_fields_of_old_servers_make_a_card_while_github_is_down(stage: Stage) -> None:
    held = hold(stage)
    alert = stage.github.leak(stage.repository, validity="active")
    stage.github.faults.add("GET /repos/.*", status=503)
    await stage.github.send(held[0].sparse())
    await stage.work(within=10)
    assert "Normal: not known whether it works" in stage.read()
    assert "GitHub has not sent the details yet" in stage.read()
    assert stage.github.alert_url(alert) in str(stage.card().blocks)


@pytest.mark.either_database
async def test_details_are_fetched_after_an_outage_of_any_length(stage: Stage) -> None:
    held = hold(stage)
    stage.github.leak(stage.repository, validity="active")
    outage = stage.github.faults.add(".*", status=503)
    await stage.github.send(held[0].sparse())
    await stage.work(within=3 * 3600)
    assert "GitHub has not sent the details yet" in stage.read()
    stage.github.faults.remove(outage)
    await stage.work(within=400)
    assert "GitHub has not sent the details yet" not in stage.read()
    assert "live token" in stage.read()


@pytest.mark.either_database
async def test_unknown_words_are_shown_as_they_are(stage: Stage) -> None:
    held = hold(stage)
    alert = stage.github.leak(stage.repository)
    odd = held[0].copy()
    body = odd.payload["alert"]
    assert isinstance(body, dict)
    body["validity"], body["secret_type"] = "maybe", "quantum_key"
    body["secret_type_display_name"] = "Quantum Key"
    stage.github.faults.add("GET /repos/.*", status=503)
    await stage.github.send(odd)
    await stage.work(within=10)
    assert "Normal: not known whether it works" in stage.read()
    assert "Works: GitHub calls it maybe" in stage.read()
    assert "Quantum Key" in stage.read()
    stage.github.faults.clear()
    stage.github.close(alert, by=None, resolution="pattern_deleted")
    alert.resolution = "hidden_by_config"
    closed = held[-1].payload["alert"]
    assert isinstance(closed, dict)
    closed["resolution"] = "hidden_by_config"
    stage.github.faults.add("GET /repos/.*", status=503)
    await stage.github.send(held[-1])
    await stage.work(within=10)
    assert "Closed as hidden by config" in stage.read()


@pytest.mark.either_database
async def test_a_location_of_an_unknown_kind_is_shown_by_its_word(stage: Stage) -> None:
    held = hold(stage)
    alert = stage.github.leak(stage.repository, locations=[])
    stage.github.add_location(alert, "issue_body", number=7)
    odd = held[-1].copy()
    odd.payload["location"] = {"type": "hologram_frame", "details": {"frame": 7}}
    for delivery in (held[0], odd):
        assert await stage.github.send(delivery) == 202
        await stage.work(within=10)
    assert await outcome_of(stage, odd.guid) == "stored"
    assert "Normal: not known whether it works" in stage.read()


@pytest.mark.either_database
async def test_a_delivery_without_installation_finds_it_by_the_repository(stage: Stage) -> None:
    held = hold(stage)
    stage.github.leak(stage.repository)
    del held[0].payload["installation"]
    assert await stage.github.send(held[0]) == 202
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")
    assert len(stage.github.calls("GET", "/repos/octo/payments/installation")) == 1


@pytest.mark.either_database
async def test_an_alert_first_stored_as_resolved_gets_its_card_when_it_is_reopened(stage: Stage) -> None:
    alert = stage.github.leak(stage.repository, resolved="revoked", author=stage.leaker)
    await stage.work(within=10)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.resolution == "revoked"
    assert stage.slack.channel_messages(CHANNEL) == []
    stage.clock.advance(60)
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work(within=10)
    assert stage.read().startswith(":large_orange_circle: Normal")


@pytest.mark.either_database
async def test_names_and_comments_from_github_neither_mention_nor_format(stage: Stage) -> None:
    alert = await stage.leak(
        bypassed_by=stage.people[READER], bypass_comment="<!channel> *now* <https://evil.example|GitHub>"
    )
    shown = str(stage.card().blocks)
    assert "<!channel>" not in shown
    assert "<https://evil.example" not in shown
    assert "Push protection: bypassed by octo-reader" in stage.read()
    assert key_of(alert).number == 1


async def test_a_location_that_is_announced_twice_is_news_once(stage: Stage) -> None:
    alert = await stage.leak()
    added = stage.github.add_location(alert, path="second.py")
    stage.github.announce_location(alert, added)
    await stage.work(within=10)
    async with stage.context.db.read() as tx:
        found = await alerts.events_of_kind(tx, key_of(alert), EventKind.PLACE_ADDED)
    assert [event.details for event in found] == [{"path": "second.py"}]


@pytest.mark.either_database
async def test_a_stored_delivery_that_this_version_does_not_use_ends_its_job(stage: Stage) -> None:
    held = hold(stage)
    stage.github.leak(stage.repository)
    assert await stage.github.send(held[0]) == 202
    async with stage.context.db.begin() as tx:
        await tx.conn.execute(sa.update(delivery_table).values(event="star"))
    await stage.work(within=10)
    assert await outcome_of(stage, held[0].guid) == "event_not_used"
    assert stage.slack.channel_messages(CHANNEL) == []
    async with stage.context.db.read() as tx:
        assert [job.kind for job in await jobs.list_jobs(tx, states=[JobState.READY, JobState.PARKED])] == []
