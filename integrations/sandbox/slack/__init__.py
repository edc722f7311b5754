"""Slack in miniature, strict, over real HTTP: what the tests and the demo use in Slack's place.

    async with SlackSandbox(now=clock.now) as slack:
        slack.workspace.add_user("U0OWNER", name="olga")
        slack.workspace.add_channel("C0SEC", name="security", members=["U0OWNER"])
        # Start the app with slack.api_url, slack.bot_token and slack.signing_secret, then:
        slack.events_url = "http://127.0.0.1:3000/slack/events"
        [card] = slack.cards("C0SEC")
        result = await slack.click("U0OWNER", "C0SEC", card.ts, "take")
        assert result.status == 200 and result.error is None
        assert slack.violations == slack.hygiene == slack.unexpected == []

People act with `click`, `select`, `tick`, `command`, `submit` and their kin, and see what `channel_messages`,
`thread`, `private_messages`, `view` and `home` return. `requests` holds every call of the app; `violations`
what Slack refuses; `hygiene` what Slack takes and this product promises not to send; `unexpected` unknown
methods.
After `use_socket_mode()` gestures go over the connections that the app has opened with `app_token`; `socket`
drops, freezes and ends them.
`faults`, `rate_limit` and `fail` make Slack misbehave. A gesture that Slack's client would not offer raises
`ImpossibleGesture`, unless it is forced.
"""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import RecordedCall
from integrations.sandbox.slack.feed import FeedSubscription, SlackChange
from integrations.sandbox.slack.gestures import ImpossibleGesture
from integrations.sandbox.slack.methods import DEFAULT_SCOPES
from integrations.sandbox.slack.records import Channel, SlackMessage, SlackTeam, SlackUser, UserGroup, View
from integrations.sandbox.slack.sandbox import SlackSandbox
from integrations.sandbox.slack.transport import DeliveryResult, SignedRequest, signature
from integrations.sandbox.slack.workspace import SlackWorkspace

__all__ = [
    "DEFAULT_SCOPES",
    "Channel",
    "DeliveryResult",
    "FeedSubscription",
    "ImpossibleGesture",
    "Json",
    "RecordedCall",
    "SignedRequest",
    "SlackChange",
    "SlackMessage",
    "SlackSandbox",
    "SlackTeam",
    "SlackUser",
    "SlackWorkspace",
    "UserGroup",
    "View",
    "signature",
]
