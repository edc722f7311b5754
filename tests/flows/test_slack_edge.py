"""Slack's requests over HTTP: which are refused, how unknown ones are answered, and that repeated ones run once."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from integrations.sandbox.slack import DeliveryResult
from integrations.sandbox.slack.transport import signature
from storage.clock import Clock
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage, key_of, open_stage

pytestmark = pytest.mark.either_database

FORM = "application/x-www-form-urlencoded"
NOT_THEIRS = "There is no such alert, or it is not yours to see."
NO_VIEW = "GitHub doesn't let octo-admin see the alerts of octo/vault."


def form(payload: object) -> bytes:
    """An interaction as Slack encodes it."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def a_click(**more: Any) -> dict[str, Any]:
    """The smallest valid click."""
    return {
        "type": "block_actions",
        "user": {"id": ADMIN, "team_id": "T0STANCH"},
        "channel": {"id": CHANNEL},
        "actions": [{"type": "button", "action_id": "check_validity", "value": "1/1", "block_id": "b"}],
        **more,
    }


async def deliver(stage: Stage, body: bytes, **more: Any) -> DeliveryResult:
    return await stage.slack.deliver(body, content_type=more.pop("content_type", FORM), **more)


async def test_a_bad_or_missing_signature_is_401(stage: Stage) -> None:
    for bad in ("", "v0=", "v0=" + "0" * 64, "v1=x", "nonsense", "v0=" + "é" * 64, "0" * 5000):
        result = await deliver(stage, form(a_click()), signature=bad)
        assert (result.status, result.body) == (401, ""), bad


async def test_a_missing_or_malformed_timestamp_is_401(stage: Stage) -> None:
    body = form(a_click())
    for bad in ("", "now", "-1", "1e9", "٣٣", "9" * 40, "1700000000.5", " "):
        sealed = signature(stage.slack.signing_secret, bad, body)
        assert (await deliver(stage, body, timestamp=bad, signature=sealed)).status == 401, bad


async def test_a_signature_is_valid_for_five_minutes(stage: Stage) -> None:
    body = form(a_click())
    for age, status in ((290, 200), (310, 401), (-290, 200), (-310, 401)):
        at = str(int(stage.clock.now()) - age)
        sealed = signature(stage.slack.signing_secret, at, body)
        assert (await deliver(stage, body, timestamp=at, signature=sealed)).status == status, age


async def test_a_signature_of_another_body_is_401(stage: Stage) -> None:
    at, body = str(int(stage.clock.now())), form(a_click())
    sealed = signature(stage.slack.signing_secret, at, body)
    assert (await deliver(stage, body + b"&", timestamp=at, signature=sealed)).status == 401


WRONG_SHAPES: list[object] = [
    [],
    7,
    None,
    "text",
    {},
    {"type": 7},
    {"type": "block_actions"},
    a_click(actions=[]),
    a_click(actions={}),
    a_click(actions=["x", 7]),
    a_click(actions=[{"type": "button"}]),
    a_click(actions=[{"action_id": ["check_validity"]}]),
    a_click(user=None),
    a_click(user=[]),
    a_click(user={"id": 7}),
    a_click(team=7),
    a_click(enterprise=7),
    a_click(authorizations=7),
    {"type": "view_submission"},
    {"type": "view_submission", "user": {"id": ADMIN}, "view": []},
    {
        "type": "view_submission",
        "user": {"id": ADMIN},
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "close_alert",
            "state": {"values": {"comment": 7}},
        },
    },
    {"type": "view_submission", "user": {"id": ADMIN}, "view": {"id": "V1", "callback_id": "close_alert"}},
    {"type": "event_callback", "event": []},
    {"type": "message_action", "user": {"id": ADMIN}},
]


async def test_a_signed_body_of_the_wrong_shape_is_400(stage: Stage) -> None:
    """The last one is a command for Bolt, and an event for us."""
    event = {"type": "event_callback", "event": {"type": "emoji_changed"}, "command": "/leaks"}
    for payload in (*WRONG_SHAPES, event):
        assert (await deliver(stage, form(payload))).status == 400, payload


UNREADABLE = [
    (b"", FORM),
    (b"payload", FORM),
    (b"payload=%7B", FORM),
    (b"payload=" + b"[" * 50_000, FORM),
    (b"\xff\xfe\x80", FORM),
    (b"payload=%ff%fe", FORM),
    (b"user_id=U1", FORM),
    (b"{", "application/json"),
    (b"[]", "application/json"),
    (b"\xff\xfe", "application/json"),
    (b'{"type": "block_actions"}', "application/json"),
]


async def test_a_signed_body_that_cannot_be_decoded_is_400(stage: Stage) -> None:
    for body, content_type in UNREADABLE:
        assert (await deliver(stage, body, content_type=content_type)).status == 400, body[:80]


async def test_slacks_url_verification_is_answered(stage: Stage) -> None:
    result = await stage.slack.verify_url()
    assert result.status == 200
    assert "challenge" in result.payload
    assert str(result.payload["challenge"]) in result.body


async def test_an_unused_event_is_200(stage: Stage) -> None:
    assert (await stage.slack.event({"type": "emoji_changed"})).status == 200


async def test_a_command_that_the_operator_renamed_is_answered(stage: Stage) -> None:
    fields = {
        "command": "/leaks-test",
        "text": "help",
        "user_id": ADMIN,
        "team_id": "T0STANCH",
        "channel_id": CHANNEL,
        "response_url": "https://hooks.slack.com/commands/1",
    }
    result = await deliver(stage, urlencode(fields).encode())
    assert result.status == 200
    assert "/leaks help" in result.body


async def test_a_closed_form_and_an_unknown_shortcut_are_200(stage: Stage) -> None:
    by = {"user": {"id": ADMIN, "team_id": "T0STANCH"}}
    for payload in (
        {**by, "type": "view_closed", "view": {"id": "V1", "callback_id": "close_alert"}},
        {**by, "type": "shortcut", "callback_id": "retired"},
        {**by, "type": "message_action", "callback_id": "retired", "message": {"ts": "1.2"}},
    ):
        assert (await deliver(stage, form(payload))).status == 200, payload
    await stage.work(within=3)
    assert stage.slack.private_messages(ADMIN) == []


async def test_in_socket_mode_the_http_route_is_404(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Even for a signed request, and with a signing secret set."""
    async with open_stage(database_url, clock, private_key, socket_mode=True) as stage:
        secret = stage.slack.signing_secret
        assert (await deliver(stage, form(a_click()))).status == 404
    async with open_stage(
        database_url, clock, private_key, socket_mode=True, slack_signing_secret=secret
    ) as stage:
        assert (await deliver(stage, form(a_click()))).status == 404
        stage.slack.events_url = stage.address("/slack/events/")
        assert (await deliver(stage, form(a_click()))).status == 404


async def test_a_repeated_click_is_handled_once(stage: Stage) -> None:
    """The second one is acknowledged, and causes no call to GitHub."""
    await stage.leak()
    result = await stage.click(ADMIN, "check_validity")
    assert result.request is not None
    asked = len(stage.github.requests)
    stage.clock.advance(200)
    again = await stage.slack.resend(result.request, {"X-Slack-Retry-Num": "1"})
    assert again.status == 200
    await stage.work(within=3)
    assert len(stage.github.requests) == asked


async def test_a_repeated_submit_closes_once(stage: Stage) -> None:
    alert = await stage.leak()
    submitted = await stage.close_as(ADMIN, "revoked")
    stage.github.reopen(alert, by=stage.people[OWNER])
    await stage.work()
    assert submitted.request is not None
    assert (await stage.slack.resend(submitted.request)).status == 200
    await stage.work(within=3)
    assert alert.state == "open"


async def test_a_repeated_command_is_answered_once(stage: Stage) -> None:
    result = await stage.slack.command(ADMIN, CHANNEL, "whoami")
    assert result.request is not None
    await stage.slack.resend(result.request)
    await stage.work(within=3)
    assert len(stage.slack.private_messages(ADMIN)) == 1


async def test_an_unknown_control_is_answered_as_outdated(stage: Stage) -> None:
    value = str(key_of(await stage.leak()))
    for count, action in enumerate(("take_over_the_world", "snooze", "tell_owner_v1", "résumé"), 1):
        await stage.click(ADMIN, action, value=value, force=True)
        assert len(stage.slack.private_messages(ADMIN)) == count
        assert "This control does nothing any more." in stage.answer_to(ADMIN)


async def test_an_unknown_menu_line_is_answered_as_outdated(stage: Stage) -> None:
    await stage.leak()
    await stage.slack.select(ADMIN, CHANNEL, stage.card().ts, "more", "ask_the_oracle", force=True)
    await stage.work(within=3)
    assert "This control does nothing any more." in stage.answer_to(ADMIN)


async def test_a_control_without_an_alert_is_answered_as_outdated(stage: Stage) -> None:
    await stage.leak()
    for count, value in enumerate(("x", "1", "1/2/3", "-1/1", "1/" + "9" * 30, "null", "٣/٣"), 1):
        control = "report_leak" if count % 2 else "check_validity"
        await stage.click(ADMIN, control, value=value, block_id="made:up", force=True)
        assert len(stage.slack.private_messages(ADMIN)) == count
        assert "This control does nothing any more." in stage.answer_to(ADMIN)
    assert stage.slack.view(ADMIN) is None
    assert stage.github.calls("GET", "/user") == []


async def test_an_unknown_alert_gets_the_same_refusal_as_one_that_is_hidden(stage: Stage) -> None:
    """In a channel that has no card of it; a card is no secret to those who see it."""
    alert = await stage.leak()
    stage.slack.workspace.add_channel("C0OTHER", name="other", members=[ADMIN, READER])
    ts = stage.slack.workspace.post_as_app("C0OTHER", "Hello.", []).ts

    async def answer(user: str, value: str) -> str:
        await stage.slack.click(user, "C0OTHER", ts, "check_validity", value=value, force=True)
        await stage.work(within=3)
        return stage.answer_to(user)

    not_yours = await answer(READER, str(key_of(alert)))
    assert NOT_THEIRS in not_yours
    for value in (f"{alert.repository.id}/999", "999999/1"):
        assert await answer(ADMIN, value) == not_yours
    assert ("refused", "unknown_alert") in await stage.audited("check_validity")


async def test_a_forged_value_is_checked_against_the_alert_that_it_names(stage: Stage) -> None:
    """An admin of one repository sends another repository's alert key from the card of their own."""
    await stage.leak()
    vault = stage.github.add_repository(stage.github.app_owner, "vault")
    other = stage.github.leak(vault)
    await stage.work(within=10)
    [card, _] = stage.slack.cards(CHANNEL)
    forged = str(key_of(other))
    await stage.slack.click(ADMIN, CHANNEL, card.ts, "check_validity", value=forged, force=True)
    await stage.work(within=3)
    assert NO_VIEW in stage.answer_to(ADMIN)
    await stage.slack.click(ADMIN, CHANNEL, card.ts, "report_leak", value=forged, force=True)
    await stage.work(within=3)
    assert NO_VIEW in stage.form(ADMIN).shown_text
    assert stage.form(ADMIN).action_ids == []
    literals = [r for r in stage.github.requests if "secret-scanning" in r.path and not r.query]
    assert literals == []


async def test_a_submit_of_an_unknown_form_is_answered_as_outdated(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    view = stage.form(ADMIN)
    for change in ({"callback_id": "bulk_close_v0"}, {"private_metadata": "{}"}, {"private_metadata": "["}):
        payload = {
            "type": "view_submission",
            "user": {"id": ADMIN, "team_id": "T0STANCH"},
            "view": {**view.content, "id": view.id, "state": {"values": {}}, **change},
        }
        result = await deliver(stage, form(payload))
        assert result.status == 200
        answer = result.json()
        assert answer["response_action"] == "update"
        assert "does nothing any more" in json.dumps(answer["view"])


async def test_what_is_not_stored_is_not_acknowledged(stage: Stage) -> None:
    """Then Slack shows the person that the request failed, and they can try again."""
    alert = await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.context.batch_writer.stop()
    assert (await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})).status == 503
    for action in ("check_validity", "report_leak"):
        assert (await stage.slack.click(ADMIN, CHANNEL, stage.card().ts, action)).status == 503
    assert (await stage.slack.command(ADMIN, CHANNEL, "whoami")).status == 503
    await stage.context.batch_writer.start()
    await stage.work(within=3)
    assert alert.state == "open"
    await stage.submit(ADMIN)
    assert alert.state == "resolved"
