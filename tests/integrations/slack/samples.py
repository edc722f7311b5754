"""A person, a channel and messages for several tests."""

from integrations.slack.blocks import Content, Metadata, message, section
from integrations.slack.text import mrkdwn

SEC, DANA = "C0SEC", "U0DANA"
CARD = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 42})
EVENT = Metadata("stanch_event", {"key": "5f0c2b6e"})


def words(text: str) -> Content:
    return message(mrkdwn("{}", text), section(mrkdwn("*{}*", text)))
