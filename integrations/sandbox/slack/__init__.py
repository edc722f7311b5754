"""A strict stand-in for Slack, over real HTTP, for tests and the demo.

    async with SlackSandbox(now=clock.now) as slack:
        slack.workspace.add_user("U0OWNER", name="olga")
        slack.workspace.add_channel("C0SEC", name="security", members=["U0OWNER"])
        # Start the app with slack.api_url, slack.bot_token and slack.signing_secret, then:
        slack.events_url = "http://127.0.0.1:3000/slack/events"
        [card] = slack.cards("C0SEC")
        result = await slack.click("U0OWNER", "C0SEC", card.ts, "take")
        assert result.status == 200 and result.error is None
        assert slack.complaints == []

People act by `click`, `select`, `tick`, `command`, `submit` and similar gestures; `channel_messages`, `thread`,
`private_messages`, `view` and `home` return what they see. A gesture that Slack's client would not offer raises
`ImpossibleGesture`, except with `force=True`.
An app is created in a browser (`integrations.sandbox.browser`): `/apps?new_app=1&manifest_json=…`, then below
`/apps/ID`: `general` (signing secret, app-level token), `install-on-team`, `oauth` (bot token). It replaces the
former app. `invite(channel)`, or `/invite @Stanch` on the page `/archives/CHANNEL`, brings its bot into a channel.
`add_app_elsewhere()` is another app in another workspace.
`requests` holds every call of the app. `complaints` are three lists in one: `violations` has what Slack refuses,
`hygiene` what Slack accepts but this product must not send (see `hygiene.py`), `unexpected` unknown methods
and paths.
After `use_socket_mode()` deliveries go over the connections that the app opened with `app_token`; `socket` drops,
freezes and closes them. `faults`, `rate_limit` and `fail` make calls fail.
"""

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import RecordedCall
from integrations.sandbox.slack.feed import FeedSubscription, SlackChange
from integrations.sandbox.slack.gestures import ImpossibleGesture, NothingChanged
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
    "NothingChanged",
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
