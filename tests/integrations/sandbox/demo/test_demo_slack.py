"""The page's Slack: what each person sees, and that every gesture is a signed request to the bot."""

from typing import Any

from integrations.sandbox.slack import signature
from tests.integrations.sandbox.conftest import SmallApp
from tests.integrations.sandbox.demo.conftest import DemoServer

CARD: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Open*"}},
    {
        "type": "actions",
        "block_id": "alert:1/1:1",
        "elements": [
            {
                "type": "button",
                "action_id": "take",
                "value": "1/1",
                "text": {"type": "plain_text", "text": "Take"},
            },
            {
                "type": "static_select",
                "action_id": "close_as",
                "options": [{"value": "revoked", "text": {"type": "plain_text", "text": "Revoked"}}],
            },
        ],
    },
]


async def test_a_message_and_its_update_are_one_change_each(demo: DemoServer) -> None:
    workspace = demo.stage.slack.workspace
    async with demo.page("U0SAM") as (whole, reader):
        assert whole["messages"] == []
        card = workspace.post_as_app("C0PAYMENTS", "OPEN", CARD)
        [message] = await reader.until("messages")
        assert (message["text"], message["new"], message["private"]) == ("OPEN", True, False)
        assert message["state"]["alert:1/1:1"]["close_as"]["selected_option"] is None
        workspace.redraw(card, text="CLOSED")
        [message] = await reader.until("messages")
        assert (message["ts"], message["text"], message["new"]) == (card.ts, "CLOSED", False)
        workspace.delete_message("C0PAYMENTS", card.ts)
        assert await reader.until("gone") == [{"channel": "C0PAYMENTS", "ts": card.ts}]


async def test_a_first_direct_message_brings_its_channel(demo: DemoServer) -> None:
    workspace = demo.stage.slack.workspace
    async with demo.page("U0GRACE") as (whole, reader):
        assert not any(channel["direct"] for channel in whole["channels"])
        workspace.post_as_app(workspace.dm("U0GRACE").id, "You were linked.")
        channels = await reader.until("channels")
        assert [channel["name"] for channel in channels if channel["direct"]] == ["Stanch"]


async def test_private_messages_reach_only_their_person(demo: DemoServer) -> None:
    workspace = demo.stage.slack.workspace
    async with demo.page("U0SAM") as (_, sam), demo.page("U0RAVI") as (_, ravi):
        workspace.post_as_app("C0PAYMENTS", "You may not.", ephemeral_to="U0RAVI")
        workspace.post_as_app(workspace.dm("U0RAVI").id, "You were linked.")
        workspace.post_as_app("C0PAYMENTS", "For everybody")
        assert {m["text"] for m in await ravi.until("messages")} == {
            "You may not.",
            "You were linked.",
            "For everybody",
        }
        assert [m["text"] for m in await sam.until("messages")] == ["For everybody"]
    async with demo.page("U0SAM") as (whole, _):
        assert [m["text"] for m in whole["messages"]] == ["For everybody"]


async def test_an_outsider_sees_no_other_channels(demo: DemoServer) -> None:
    demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "OPEN", CARD)
    async with demo.page("U0THEO") as (whole, _):
        assert whole["messages"] == []


async def test_a_click_is_a_signed_request_to_the_bot(demo: DemoServer, small_app: SmallApp) -> None:
    card = demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "OPEN", CARD)
    where = {"channel": "C0PAYMENTS", "ts": card.ts}
    status, answer = await demo.post("/slack/click", person="U0ANA", action="take", value="1/1", **where)
    assert (status, answer) == (200, {"error": None, "view_errors": {}})
    headers, body = small_app.received[-1]
    expected = signature(demo.stage.slack.signing_secret, headers["X-Slack-Request-Timestamp"], body)
    assert headers["X-Slack-Signature"] == expected
    assert small_app.payload["user"]["id"] == "U0ANA"
    assert small_app.payload["actions"][0]["action_id"] == "take"


async def test_choosing_an_option_again_sends_nothing(demo: DemoServer, small_app: SmallApp) -> None:
    card = demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "OPEN", CARD)
    chosen = {"channel": "C0PAYMENTS", "ts": card.ts, "action": "close_as", "value": "revoked"}
    assert (await demo.post("/slack/select", **chosen))[1]["error"] is None
    assert "unchanged" in (await demo.post("/slack/select", **chosen))[1]
    assert len(small_app.received) == 1


async def test_a_dead_bot_is_slacks_dispatch_failed(demo: DemoServer) -> None:
    demo.stage.slack.events_url = "http://127.0.0.1:1/slack/events"
    card = demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "OPEN", CARD)
    _, answer = await demo.post("/slack/click", channel="C0PAYMENTS", ts=card.ts, action="take")
    assert answer["error"] == "dispatch_failed"
    _, answer = await demo.post("/slack/command", channel="C0PAYMENTS", text="help")
    assert answer["error"] == "dispatch_failed"


async def test_a_modal_opens_for_its_person_and_keeps_its_errors(
    demo: DemoServer, small_app: SmallApp
) -> None:
    view = {
        "type": "modal",
        "callback_id": "close_alert",
        "title": {"type": "plain_text", "text": "Close alert"},
        "submit": {"type": "plain_text", "text": "Close"},
        "blocks": [
            {
                "type": "input",
                "block_id": "comment",
                "label": {"type": "plain_text", "text": "Comment"},
                "element": {"type": "plain_text_input", "action_id": "comment", "max_length": 10},
            }
        ],
    }
    async with demo.page("U0SAM") as (_, reader):
        opened = demo.stage.slack.world.modals.open("U0SAM", view)
        [shown] = await reader.until("views")
        assert (shown["id"], shown["title"]["text"]) == (opened.id, "Close alert")
        for typed in (None, "much too long for it"):
            values = {"comment": {"comment": typed}}
            _, answer = await demo.post("/slack/submit", view=opened.id, values=values)
            assert "comment" in answer["view_errors"]
            assert "comment" in (await reader.until("views"))[0]["errors"]
        assert small_app.received == [], "Slack's client checks these itself"
        small_app.answer = {"response_action": "errors", "errors": {"comment": "No secrets, please."}}
        _, answer = await demo.post("/slack/submit", view=opened.id, values={"comment": {"comment": "ghp"}})
        assert answer["view_errors"] == {"comment": "No secrets, please."}
        await demo.post("/slack/close", view=opened.id)
        while (await reader.until("views")) != []:
            pass
    _, answer = await demo.post("/slack/submit", view=opened.id, values={})
    assert "impossible" in answer, "the modal is closed"


async def test_an_outsider_has_no_command(demo: DemoServer, small_app: SmallApp) -> None:
    _, answer = await demo.post("/slack/command", person="U0THEO", channel="C0PARTNERS", text="list")
    assert "impossible" in answer
    assert small_app.received == []


async def test_messages_of_people_are_not_sent_to_the_bot(demo: DemoServer, small_app: SmallApp) -> None:
    await demo.post("/slack/say", person="U0ANA", channel="C0PAYMENTS", text="  On it  ")
    [message] = demo.stage.slack.channel_messages("C0PAYMENTS")
    assert (message.user, message.text) == ("U0ANA", "On it")
    await demo.post("/slack/say", channel="C0PAYMENTS", text="Thanks", thread=message.ts)
    await demo.post("/slack/say", channel="C0PAYMENTS", text="   ")
    assert [reply.text for reply in demo.stage.slack.thread("C0PAYMENTS", message.ts)] == ["Thanks"]
    assert len(demo.stage.slack.channel_messages("C0PAYMENTS")) == 1
    assert small_app.received == []


async def test_malformed_gestures_are_refused_with_a_sentence(demo: DemoServer) -> None:
    for path, fields in (
        ("/slack/dance", {}),
        ("/slack/click", {}),
        ("/slack/submit", {"view": "V1", "values": "all"}),
        ("/slack/say", {"channel": "C0SECRET", "text": "hello"}),
        ("/slack/say", {"person": "U0GRACE", "channel": "C0ALERTS", "text": "hello"}),
    ):
        status, answer = await demo.post(path, **fields)
        assert status == 400, path
        assert answer["problem"].endswith(".")
    status, answer = await demo.post("/slack/click", channel="C0PAYMENTS", ts="1.0", action="take")
    assert (status, list(answer)) == (200, ["impossible"])
