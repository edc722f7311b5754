"""A secret leaks: what is stored, and what Slack shows."""

from tests.flows.stage import CHANNEL, Stage


async def test_a_leak_becomes_one_card_with_what_a_responder_needs(stage: Stage) -> None:
    await stage.leak(path="config/deploy.env")
    card = stage.card()
    assert "Open: not known whether it works" in card.shown_text
    assert "octo/payments" in card.shown_text
    assert "config/deploy.env" in card.shown_text
    assert card.text.startswith(
        "OPEN: not known whether it works: GitHub Personal Access Token in octo/payments"
    )
    assert card.metadata == {
        "event_type": "stanch_alert",
        "event_payload": {"repository_id": stage.repository.id, "alert_number": 1},
    }
    assert len(stage.slack.channel_messages(CHANNEL)) == 1
