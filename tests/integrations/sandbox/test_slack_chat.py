"""Posting, updating and deleting messages in the stand-in Slack."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox
from tests.integrations.sandbox.conftest import Time
from tests.integrations.sandbox.slack_drawings import CARD, QUIET, actions, button, section

KEY = {"event_type": "stanch_event", "event_payload": {"key": "5f0c"}}


async def refusal(call: Any) -> str:
    """The error that Slack answers a call with."""
    with pytest.raises(SlackApiError) as raised:
        await call
    return str(raised.value.response["error"])


async def test_a_post_gets_generated_ids(slack: SlackSandbox, api: AsyncWebClient) -> None:
    answer = await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=CARD, metadata=KEY, **QUIET)
    [message] = slack.channel_messages("C0SEC")
    assert (message.ts, message.text, message.metadata) == (answer["ts"], "Leak", KEY)
    assert message.action_ids == ["take", "close_as", "more"]
    assert all(block["block_id"] for block in message.blocks)
    assert slack.violations == slack.hygiene == slack.unexpected == []


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NONE", "channel_not_found"),
        ("C0OUT", "not_in_channel"),
        ("C0HID", "channel_not_found"),
        ("C0OLD", "is_archived"),
    ],
)
async def test_a_post_needs_the_bot_in_the_channel(
    slack: SlackSandbox, api: AsyncWebClient, channel: str, error: str
) -> None:
    slack.workspace.add_channel("C0OUT", bot_in=False)
    slack.workspace.add_channel("C0HID", bot_in=False, private=True)
    slack.workspace.add_channel("C0OLD", is_archived=True)
    assert await refusal(api.chat_postMessage(channel=channel, text="Leak", **QUIET)) == error


async def test_a_post_to_a_person_is_a_direct_message(slack: SlackSandbox, api: AsyncWebClient) -> None:
    answer = await api.chat_postMessage(channel="U0OLGA", text="Psst", **QUIET)
    assert answer["channel"].startswith("D")
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["Psst"]
    assert slack.private_messages("U0RENE") == []


async def test_text_is_required_and_limited(slack: SlackSandbox, api: AsyncWebClient) -> None:
    empty = {"channel": "C0SEC", "text": " "}
    assert await refusal(api.api_call("chat.postMessage", json=empty)) == "no_text"
    assert await refusal(api.chat_postMessage(channel="C0SEC", text="x" * 4001, **QUIET)) == "msg_too_long"
    assert len(slack.violations) == 2


async def test_a_faulty_block_is_refused_with_its_pointer(slack: SlackSandbox, api: AsyncWebClient) -> None:
    twice = [section(), actions("a", button("take"), button("take"))]
    with pytest.raises(SlackApiError) as raised:
        await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=twice, **QUIET)
    assert raised.value.response["error"] == "invalid_blocks"
    [detail] = raised.value.response["response_metadata"]["messages"]
    assert detail == "[ERROR] action_id 'take' is there twice [json-pointer:/blocks/1]"
    assert slack.channel_messages("C0SEC") == []
    assert "action_id 'take' is there twice" in slack.violations[0]


async def test_lapses_are_recorded(slack: SlackSandbox, api: AsyncWebClient) -> None:
    loose = [{"type": "section", "text": {"type": "mrkdwn", "text": "@here"}}]
    await api.api_call("chat.postMessage", json={"channel": "C0SEC", "blocks": loose, "client_msg_id": "1"})
    noted = "\n".join(slack.hygiene)
    for lapse in (
        "verbatim",
        "parse",
        "link_names",
        "unfurl_links",
        "unfurl_media",
        "without text",
        "client_msg_id",
    ):
        assert lapse in noted
    assert slack.violations == []


async def test_an_update_without_blocks_removes_them_and_keeps_the_metadata(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=CARD, metadata=KEY, **QUIET)
    await api.chat_update(channel="C0SEC", ts=posted["ts"], text="Closed", parse="none", link_names=False)
    [message] = slack.channel_messages("C0SEC")
    assert (message.text, message.blocks, message.metadata) == ("Closed", (), KEY)
    await api.chat_update(
        channel="C0SEC", ts=posted["ts"], text="Closed", metadata={}, parse="none", link_names=False
    )
    assert slack.channel_messages("C0SEC")[0].metadata is None


async def test_only_the_apps_own_messages_can_be_changed(slack: SlackSandbox, api: AsyncWebClient) -> None:
    theirs = slack.workspace.post_as_user("U0OLGA", "C0SEC", "Hello")
    quiet: dict[str, Any] = {"parse": "none", "link_names": False}
    assert (
        await refusal(api.chat_update(channel="C0SEC", ts=theirs.ts, text="x", **quiet))
        == "cant_update_message"
    )
    assert await refusal(api.chat_delete(channel="C0SEC", ts=theirs.ts)) == "cant_delete_message"
    assert await refusal(api.chat_update(channel="C0SEC", ts="1.1", text="x", **quiet)) == "message_not_found"


async def test_an_update_must_set_parse_and_link_names(slack: SlackSandbox, api: AsyncWebClient) -> None:
    """Slack's default for chat.update is `client`, which would turn names into mentions."""
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    await api.chat_update(channel="C0SEC", ts=posted["ts"], text="@here")
    assert slack.hygiene == ["chat.update: parse is not 'none'", "chat.update: link_names is not false"]


async def test_metadata_has_slacks_shape_and_size(slack: SlackSandbox, api: AsyncWebClient) -> None:
    async def post(metadata: dict[str, Any]) -> str:
        return await refusal(api.chat_postMessage(channel="C0SEC", text="Leak", metadata=metadata, **QUIET))

    assert await post({"event_type": "x"}) == "invalid_metadata_schema"
    assert (
        await post({"event_type": "x", "event_payload": {"a": {"b": {"c": 1}}}}) == "invalid_metadata_schema"
    )
    assert await post({"event_type": "x", "event_payload": {"a": "y" * 8000}}) == "metadata_too_large"


async def test_an_ephemeral_reaches_one_active_person_in_the_channel(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    async def whisper(user: str, **more: Any) -> None:
        await api.chat_postEphemeral(channel="C0SEC", user=user, text="Psst", **more)

    await whisper("U0OLGA")
    assert [m.ephemeral_to for m in slack.private_messages("U0OLGA")] == ["U0OLGA"]
    assert slack.private_messages("U0RENE") == slack.channel_messages("C0SEC") == []

    slack.workspace.change_user("U0RENE", presence="away")
    await whisper("U0RENE")
    await whisper("U0OLGA", thread_ts="1.1")
    assert slack.private_messages("U0RENE") == []
    assert len(slack.private_messages("U0OLGA")) == 1
    assert await refusal(whisper("U0XENA")) == "user_not_in_channel"


async def test_an_ephemeral_is_no_message_to_update(slack: SlackSandbox, api: AsyncWebClient) -> None:
    answer = await api.chat_postEphemeral(channel="C0SEC", user="U0OLGA", text="Psst")
    update = api.chat_update(
        channel="C0SEC", ts=answer["message_ts"], text="x", parse="none", link_names=False
    )
    assert await refusal(update) == "message_not_found"


async def test_replies_are_in_the_thread_and_have_a_permalink(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    parent = await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    reply = await api.chat_postMessage(channel="C0SEC", text="Taken", thread_ts=parent["ts"], **QUIET)
    assert [m.text for m in slack.channel_messages("C0SEC")] == ["Leak"]
    assert [m.text for m in slack.thread("C0SEC", parent["ts"])] == ["Taken"]
    link = await api.chat_getPermalink(channel="C0SEC", message_ts=reply["ts"])
    assert link["permalink"].endswith(f"?thread_ts={parent['ts']}&cid=C0SEC")
    assert slack.push_previews("U0OLGA") == ["Leak", "Taken"]


async def test_history_has_whole_metadata_only_on_request(slack: SlackSandbox, api: AsyncWebClient) -> None:
    await api.chat_postMessage(channel="C0SEC", text="Leak", metadata=KEY, **QUIET)
    [brief] = (await api.conversations_history(channel="C0SEC"))["messages"]
    [whole] = (await api.conversations_history(channel="C0SEC", include_all_metadata=True))["messages"]
    assert brief["metadata"] == {"event_type": "stanch_event"}
    assert whole["metadata"] == KEY


async def test_history_is_limited_by_time_and_paged_newest_first(
    slack: SlackSandbox, api: AsyncWebClient, time: Time
) -> None:
    for text in "abcd":
        await api.chat_postMessage(channel="C0SEC", text=text, **QUIET)
        time.advance(10)
    second = slack.channel_messages("C0SEC")[1].ts
    first = await api.conversations_history(channel="C0SEC", oldest=second, limit=1)
    assert [m["text"] for m in first["messages"]] == ["d"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = await api.conversations_history(channel="C0SEC", oldest=second, limit=5, cursor=cursor)
    assert [m["text"] for m in rest["messages"]] == ["c"]
    assert not rest["has_more"]
    inclusive = await api.conversations_history(channel="C0SEC", oldest=second, inclusive=True)
    assert [m["text"] for m in inclusive["messages"]] == ["d", "c", "b"]
    assert await refusal(api.conversations_history(channel="C0SEC", cursor="x")) == "invalid_cursor"
    assert (
        await refusal(api.conversations_history(channel="C0SEC", oldest="yesterday")) == "invalid_ts_oldest"
    )


async def test_replies_list_the_parent_first(slack: SlackSandbox, api: AsyncWebClient) -> None:
    parent = await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    await api.chat_postMessage(channel="C0SEC", text="Taken", thread_ts=parent["ts"], metadata=KEY, **QUIET)
    thread = await api.conversations_replies(channel="C0SEC", ts=parent["ts"], include_all_metadata=True)
    assert [m["text"] for m in thread["messages"]] == ["Leak", "Taken"]
    assert thread["messages"][0]["reply_count"] == 1
    assert thread["messages"][1]["metadata"] == KEY
    assert await refusal(api.conversations_replies(channel="C0SEC", ts="1.1")) == "thread_not_found"


async def test_a_deleted_message_with_replies_leaves_a_tombstone(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    parent = await api.chat_postMessage(channel="C0SEC", text="Leak", **QUIET)
    await api.chat_postMessage(channel="C0SEC", text="Taken", thread_ts=parent["ts"], **QUIET)
    slack.workspace.delete_message("C0SEC", parent["ts"])
    assert slack.channel_messages("C0SEC") == []
    [trace] = (await api.conversations_history(channel="C0SEC"))["messages"]
    assert trace["subtype"] == "tombstone"
    update = api.chat_update(channel="C0SEC", ts=parent["ts"], text="x", parse="none", link_names=False)
    assert await refusal(update) == "message_not_found"
