"""Deliveries of the stand-in Slack to the app, and how the app's answers are handled."""

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import ImpossibleGesture, SlackMessage, SlackSandbox, signature
from tests.integrations.sandbox.conftest import SmallApp, Time
from tests.integrations.sandbox.slack_drawings import CARD, QUIET, STEPS, actions, button, section


async def card(slack: SlackSandbox, api: AsyncWebClient, channel: str = "C0SEC") -> SlackMessage:
    metadata = {"event_type": "stanch_alert", "event_payload": {"repository_id": 90001, "alert_number": 42}}
    await api.chat_postMessage(channel=channel, text="Leak", blocks=CARD, metadata=metadata, **QUIET)
    return slack.cards(channel)[-1]


def test_the_signature_is_slacks() -> None:
    """The values are from Slack's page on verifying requests."""
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    made = signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.encode())
    assert made == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


async def test_deliveries_carry_a_signature_of_the_raw_body(
    slack: SlackSandbox, small_app: SmallApp, time: Time
) -> None:
    await slack.command("U0OLGA", "C0SEC", "list is:open & more")
    headers, body = small_app.received[-1]
    assert headers["X-Slack-Request-Timestamp"] == str(int(time()))
    made = SignatureVerifier(slack.signing_secret).generate_signature(timestamp=str(int(time())), body=body)
    assert headers["X-Slack-Signature"] == made


async def test_a_click_has_slacks_payload(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    shown = await card(slack, api)
    result = await slack.click("U0OLGA", "C0SEC", shown.ts, "take")
    payload = small_app.payload
    assert (result.status, result.error, result.payload) == (200, None, payload)
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": "U0OLGA", "username": "olga", "name": "olga", "team_id": slack.team_id}
    assert payload["team"]["id"] == slack.team_id
    assert payload["container"] == {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": "C0SEC",
        "is_ephemeral": False,
    }
    assert payload["message"]["metadata"]["event_payload"] == {"repository_id": 90001, "alert_number": 42}
    [action] = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == (
        "take",
        "alert:90001/42:1",
        "90001/42",
    )
    assert payload["state"]["values"]["alert:90001/42:1"]["close_as"] == {
        "type": "static_select",
        "selected_option": None,
    }
    assert payload["response_url"].startswith(slack.origin + "/actions/")


async def test_a_menu_sends_an_option_only_once(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    """Slack's client keeps a menu's choice under its block_id and sends nothing if it is chosen again."""
    shown = await card(slack, api)
    await slack.select("U0OLGA", "C0SEC", shown.ts, "close_as", "revoked")
    assert small_app.payload["actions"][0]["selected_option"] == shown.blocks[1]["elements"][1]["options"][0]
    with pytest.raises(ImpossibleGesture, match="already"):
        await slack.select("U0OLGA", "C0SEC", shown.ts, "close_as", "revoked")
    await slack.select("U0RENE", "C0SEC", shown.ts, "close_as", "revoked")
    await slack.select("U0OLGA", "C0SEC", shown.ts, "more", "history")
    await slack.select("U0OLGA", "C0SEC", shown.ts, "more", "history")


async def test_a_control_that_is_not_drawn_can_only_be_forged(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    shown = await card(slack, api)
    with pytest.raises(ImpossibleGesture):
        await slack.click("U0OLGA", "C0SEC", shown.ts, "reopen")
    with pytest.raises(ImpossibleGesture):
        await slack.select("U0OLGA", "C0SEC", shown.ts, "close_as", "because")
    with pytest.raises(ImpossibleGesture):
        await slack.click("U0OLGA", "C0SEC", "1.1", "take")
    with pytest.raises(ImpossibleGesture):
        await slack.click("U0XENA", "C0SEC", shown.ts, "take")
    assert small_app.received == []
    await slack.click("U0OLGA", "C0SEC", shown.ts, "reopen", value="1/1", force=True)
    assert small_app.payload["actions"][0]["value"] == "1/1"
    await slack.click("U0OLGA", "C0SEC", shown.ts, "take", value="1/1", force=True)
    [action] = small_app.payload["actions"]
    assert (action["block_id"], action["value"]) == ("alert:90001/42:1", "1/1")
    await slack.select("U0OLGA", "C0SEC", shown.ts, "close_as", "because", force=True)
    assert small_app.payload["actions"][0]["selected_option"]["value"] == "because"


async def test_each_persons_client_has_its_own_ticks(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    await api.chat_postMessage(channel="C0SEC", text="Steps", blocks=STEPS, **QUIET)
    [message] = slack.channel_messages("C0SEC")

    async def tick(user: str, value: str) -> list[str]:
        await slack.tick(user, "C0SEC", message.ts, "next_steps", value)
        return [option["value"] for option in small_app.payload["actions"][0]["selected_options"]]

    assert await tick("U0OLGA", "services") == ["services"]
    assert await tick("U0OLGA", "rotated") == ["rotated", "services"]
    assert await tick("U0RENE", "rotated") == ["rotated"]
    assert await tick("U0OLGA", "services") == ["rotated"]


async def test_a_new_block_id_starts_from_the_drawn_options(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    posted = await api.chat_postMessage(channel="C0SEC", text="Steps", blocks=STEPS, **QUIET)
    await slack.tick("U0OLGA", "C0SEC", posted["ts"], "next_steps", "rotated")
    [boxes] = STEPS[0]["elements"]
    redrawn = [actions("alert:90001/42:steps-2", {**boxes, "initial_options": boxes["options"][1:]})]
    older = slack.channel_messages("C0SEC")[0]
    await api.chat_update(
        channel="C0SEC", ts=posted["ts"], text="Steps", blocks=redrawn, parse="none", link_names=False
    )
    await slack.tick("U0OLGA", "C0SEC", posted["ts"], "next_steps", "rotated")
    chosen = small_app.payload["actions"][0]["selected_options"]
    assert [option["value"] for option in chosen] == ["rotated", "services"]
    await slack.tick("U0OLGA", "C0SEC", posted["ts"], "next_steps", "services", shown=older)
    assert small_app.payload["actions"][0]["block_id"] == "alert:90001/42:steps"


async def test_a_click_from_another_organization_has_both_teams(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    shown = await card(slack, api, "C0PART")
    await slack.click("U0XENA", "C0PART", shown.ts, "take")
    assert small_app.payload["user"]["team_id"] == "T0OTHER"
    assert small_app.payload["team"]["id"] == slack.team_id
    with pytest.raises(ImpossibleGesture, match="another organization"):
        await slack.command("U0XENA", "C0PART", "list")
    with pytest.raises(ImpossibleGesture, match="another organization"):
        await slack.message_shortcut("U0XENA", "C0PART", shown.ts, "show")


async def test_a_click_on_an_ephemeral_comes_without_the_message(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    blocks = [section(), actions("page:1", button("page", "2"))]
    answer = await api.chat_postEphemeral(channel="C0SEC", user="U0OLGA", text="List", blocks=blocks)
    await slack.click("U0OLGA", "C0SEC", answer["message_ts"], "page")
    assert small_app.payload["container"]["is_ephemeral"]
    assert "message" not in small_app.payload
    with pytest.raises(ImpossibleGesture):
        await slack.click("U0RENE", "C0SEC", answer["message_ts"], "page")


async def test_a_command_is_a_flat_form_with_a_private_answer(
    slack: SlackSandbox, small_app: SmallApp
) -> None:
    small_app.answer = {"response_type": "ephemeral", "text": "No alerts", "blocks": [section("*No alerts*")]}
    result = await slack.command("U0OLGA", "C0SEC", "list")
    form = small_app.payload
    assert (form["command"], form["text"], form["user_id"], form["team_id"]) == (
        "/leaks",
        "list",
        "U0OLGA",
        slack.team_id,
    )
    assert form["is_enterprise_install"] == "false"
    assert result.response_url.startswith(slack.origin + "/commands/")
    assert [m.shown_text for m in slack.private_messages("U0OLGA")] == ["*No alerts*"]
    small_app.answer = "Plain words"
    await slack.command("U0OLGA", "C0SEC", "help")
    assert slack.private_messages("U0OLGA")[-1].text == "Plain words"
    assert slack.channel_messages("C0SEC") == []


async def test_a_faulty_answer_to_a_command_is_a_violation(slack: SlackSandbox, small_app: SmallApp) -> None:
    small_app.answer = {"text": "List", "blocks": [{"type": "alert"}]}
    await slack.command("U0OLGA", "C0SEC", "list")
    assert slack.private_messages("U0OLGA") == []
    assert slack.violations[0].startswith("command: invalid_blocks")


async def test_a_person_sees_an_error_when_the_app_fails(slack: SlackSandbox, small_app: SmallApp) -> None:
    small_app.status = 500
    failed = await slack.command("U0OLGA", "C0SEC", "list")
    assert (failed.status, failed.error) == (500, "dispatch_failed")
    small_app.silent = True
    assert (await slack.command("U0OLGA", "C0SEC", "list")).error == "dispatch_failed"


async def test_a_late_answer_is_a_timeout(small_app: SmallApp, time: Time) -> None:
    async with SlackSandbox(now=time, events_url=small_app.url, answer_timeout=0.05) as slack:
        small_app.late = 0.2
        slack.workspace.add_user("U0OLGA")
        slack.workspace.add_channel("C0SEC", members=["U0OLGA"])
        result = await slack.command("U0OLGA", "C0SEC", "list")
        assert (result.status, result.error) == (None, "operation_timeout")


async def test_response_urls_are_valid_for_half_an_hour_and_five_uses(
    slack: SlackSandbox, time: Time, small_app: SmallApp
) -> None:
    url = (await slack.command("U0OLGA", "C0SEC", "list")).response_url

    async def answer(url: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={"text": "Done"}) as response,
        ):
            return response.status, await response.text()

    time.advance(30 * 60)
    assert [await answer(url) for _ in range(5)] == [(200, "ok")] * 5
    assert await answer(url) == (404, "used_url")
    other = (await slack.command("U0OLGA", "C0SEC", "list")).response_url
    time.advance(30 * 60 + 1)
    assert await answer(other) == (404, "expired_url")
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["Done"] * 5
    assert [call.error for call in slack.calls("response_url")][-2:] == ["used_url", "expired_url"]


async def test_a_response_url_answers_privately_in_public_or_in_place(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    shown = await card(slack, api)
    url = (await slack.click("U0OLGA", "C0SEC", shown.ts, "take")).response_url

    async def answer(**payload: object) -> int:
        async with aiohttp.ClientSession() as session, session.post(url, json=payload) as response:
            return response.status

    await answer(text="For you")
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["For you"]
    await answer(text="For all", response_type="in_channel")
    await answer(text="Not a reply", response_type="in_channel", thread_ts=shown.ts)
    await answer(text="Reply", response_type="in_channel", replace_original=False, thread_ts=shown.ts)
    assert [m.text for m in slack.channel_messages("C0SEC")] == ["Leak", "For all", "Not a reply"]
    assert [m.text for m in slack.thread("C0SEC", shown.ts)] == ["Reply"]
    assert await answer(delete_original=True, text="Gone") == 400
    assert len(slack.violations) == 1


async def test_a_response_url_can_update_or_delete_the_clicked_message(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    blocks = [section(), actions("page:1", button("page", "2"))]
    posted = await api.chat_postEphemeral(channel="C0SEC", user="U0OLGA", text="List", blocks=blocks)
    url = (await slack.click("U0OLGA", "C0SEC", posted["message_ts"], "page")).response_url
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json={"text": "Page 2", "replace_original": True}):
            assert [m.text for m in slack.private_messages("U0OLGA")] == ["Page 2"]
        async with session.post(url, json={"delete_original": True}):
            assert slack.private_messages("U0OLGA") == []


async def test_events_are_json_and_retries_are_marked(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    await slack.share_channel("C0SEC", "T0OTHER")
    payload = small_app.payload
    assert payload["type"] == "event_callback"
    assert payload["event"]["type"] == "channel_shared"
    assert payload["is_ext_shared_channel"]
    assert payload["authorizations"][0]["user_id"] == slack.bot_user_id
    await slack.event(payload["event"], event_id=payload["event_id"], retry=(1, "http_timeout"))
    headers, _ = small_app.received[-1]
    assert (headers["X-Slack-Retry-Num"], headers["X-Slack-Retry-Reason"]) == ("1", "http_timeout")
    assert small_app.payload["event_id"] == payload["event_id"]
    await slack.open_home("U0OLGA")
    assert small_app.payload["event"]["tab"] == "home"
    await slack.verify_url()
    assert small_app.payload["type"] == "url_verification"


async def test_requests_can_be_replayed_or_forged(slack: SlackSandbox, small_app: SmallApp) -> None:
    result = await slack.command("U0OLGA", "C0SEC", "list")
    assert result.request is not None
    await slack.resend(result.request)
    assert small_app.received[0][1] == small_app.received[1][1]
    assert small_app.received[0][0]["X-Slack-Signature"] == small_app.received[1][0]["X-Slack-Signature"]
    await slack.deliver(b"{not json", timestamp="yesterday", signature="")
    headers, body = small_app.received[-1]
    assert (headers["X-Slack-Request-Timestamp"], body) == ("yesterday", b"{not json")
    assert "X-Slack-Signature" not in headers
