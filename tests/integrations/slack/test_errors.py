"""Each failure of a call to Slack has its error class, and no error quotes our texts."""

import logging
from typing import Literal

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox
from integrations.slack import errors
from integrations.slack.api import Slack
from integrations.slack.blocks import Block, Content
from integrations.slack.text import mrkdwn
from tests.integrations.slack.samples import CARD, DANA, SEC, words


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_post_with_a_lost_response_is_sent_once_and_uncertain(
    slack: Slack, sandbox: SlackSandbox, drop: Literal["before", "after"]
) -> None:
    sandbox.faults.add("chat.postMessage", drop=drop, times=1)
    with pytest.raises(errors.SlackUncertain, match=r"chat\.postMessage was no_answer"):
        await slack.post(SEC, words("open"), metadata=CARD)
    assert len(sandbox.calls("chat.postMessage")) == 1
    assert len(sandbox.cards(SEC)) == (1 if drop == "after" else 0)


JSON = {"Content-Type": "application/slack+json"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500, "body": {"ok": False, "error": "internal_error"}}, "internal_error"),
        ({"status": 200, "body": {"ok": False, "error": "fatal_error"}}, "fatal_error"),
        ({"status": 502, "body": "Bad gateway"}, "http_502"),
        ({"status": 503, "body": {}}, "http_503"),
        ({"status": 200, "body": "surprise"}, "unreadable_answer"),
        ({"status": 200, "body": {"ok": True}}, "unreadable_answer"),
        ({"status": 200, "body": "[" * 20_000, "headers": JSON}, "unreadable_answer"),
        ({"status": 200, "body": "9" * 5_000, "headers": JSON}, "unreadable_answer"),
        ({"garbage": True}, "http_200"),
    ],
)
async def test_a_post_with_an_unclear_response_is_uncertain(
    slack: Slack, sandbox: SlackSandbox, fault: dict[str, object], code: str
) -> None:
    sandbox.faults.add("chat.postMessage", times=1, **fault)  # type: ignore[arg-type] # A table of keywords.
    with pytest.raises(errors.SlackUncertain) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert caught.value.code == code
    assert len(sandbox.calls("chat.postMessage")) == 1


async def test_a_post_that_times_out_is_uncertain(sandbox: SlackSandbox) -> None:
    sandbox.faults.add("chat.postMessage", hang=True)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as hasty:
        slack = Slack(sandbox.bot_token, sandbox.api_url, hasty)
        with pytest.raises(errors.SlackUncertain, match="timeout"):
            await slack.post(SEC, words("open"), metadata=CARD)


async def test_a_server_that_is_down_is_uncertain_after_a_second_read(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    sandbox.faults.add("users.info", drop="before")
    with pytest.raises(errors.SlackUncertain):
        await slack.person(DANA)
    assert len(sandbox.calls("users.info")) == 2
    await sandbox.stop()
    with pytest.raises(errors.SlackUncertain):
        await slack.whoami()


async def test_a_read_is_repeated_after_a_lost_connection(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.faults.add("users.info", drop="before", times=1)
    assert (await slack.person(DANA)).id == DANA


async def test_a_rate_limit_has_the_time_to_wait(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.rate_limit("chat.postMessage", retry_after=7)
    with pytest.raises(errors.SlackRateLimited) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert caught.value.retry_after == 7.0
    sandbox.fail("chat.postMessage", "message_limit_exceeded")
    with pytest.raises(errors.SlackRateLimited) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert caught.value.retry_after == errors.DEFAULT_RETRY_AFTER
    assert sandbox.cards(SEC) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not_in_channel", errors.ChannelUnavailable),
        ("is_archived", errors.ChannelUnavailable),
        ("restricted_action_read_only_channel", errors.ChannelUnavailable),
        ("cannot_reply_to_message", errors.MessageGone),
        ("invalid_auth", errors.SlackUnauthorized),
        ("token_revoked", errors.SlackUnauthorized),
        ("a_word_of_tomorrow", errors.Rejected),
    ],
)
async def test_each_error_code_has_its_class(
    slack: Slack, sandbox: SlackSandbox, code: str, kind: type[errors.SlackError]
) -> None:
    sandbox.fail("chat.postMessage", code)
    with pytest.raises(kind) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert (caught.value.method, caught.value.code) == ("chat.postMessage", code)
    assert str(caught.value) == f"Slack's answer to chat.postMessage was {code}."


async def test_a_deleted_message_and_a_missing_channel_raise_different_errors(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    sandbox.workspace.delete_message(SEC, ts)
    with pytest.raises(errors.MessageGone):
        await slack.update(SEC, ts, words("closed"), metadata=CARD)
    with pytest.raises(errors.ChannelUnavailable):
        await slack.update("C0NONE", ts, words("closed"), metadata=CARD)


async def test_a_missing_scope_is_in_the_error(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.scopes.remove("users:read")
    with pytest.raises(errors.SlackUnauthorized, match="missing_scope \\(needed: users:read\\)"):
        await slack.person(DANA)


async def test_an_invalid_block_is_named_by_its_pointer_without_its_text(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    wrong = Content(mrkdwn("a"), (Block({"type": "section", "text": "planted words"}),))
    with pytest.raises(errors.Rejected) as caught:
        await slack.post(SEC, wrong, metadata=CARD)
    assert "/blocks/0" in str(caught.value)
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_wrong_token_is_unauthorized(sandbox: SlackSandbox, session: aiohttp.ClientSession) -> None:
    with pytest.raises(errors.SlackUnauthorized, match="invalid_auth"):
        await Slack("xoxb" + "-wrong", sandbox.api_url, session).whoami()


async def test_a_users_token_is_refused(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.faults.add("auth.test", status=200, body={"ok": True, "team_id": "T0", "user_id": "U0"})
    with pytest.raises(errors.SlackUnauthorized, match="not_a_bot_token"):
        await slack.whoami()


# response_url


async def test_a_click_is_answered_by_its_response_url(slack: Slack, sandbox: SlackSandbox) -> None:
    url = sandbox.response_urls.make("actions", DANA, SEC)
    await slack.respond(url, words("not you"))
    await slack.respond(url, words("you"), replace_original=True)
    assert [m.text for m in sandbox.private_messages(DANA)] == ["you"]
    assert sandbox.channel_messages(SEC) == []


async def test_a_response_url_is_used_up_after_five_answers(slack: Slack, sandbox: SlackSandbox) -> None:
    url = sandbox.response_urls.make("commands", DANA, SEC)
    for number in range(5):
        await slack.respond(url, words(str(number)))
    with pytest.raises(errors.ResponseUrlGone):
        await slack.respond(url, words("too late"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 404, "body": "no"}, errors.ResponseUrlGone),
        ({"status": 410, "body": "no"}, errors.ResponseUrlGone),
        ({"status": 200, "body": {"ok": False, "error": "expired_url"}}, errors.ResponseUrlGone),
        ({"status": 429, "headers": {"Retry-After": "3"}}, errors.SlackRateLimited),
        ({"status": 500}, errors.SlackUncertain),
        ({"drop": "before"}, errors.SlackUncertain),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}}, errors.Rejected),
        ({"status": 200, "body": {"ok": False, "error": "invalid_blocks"}}, errors.Rejected),
    ],
)
async def test_each_failure_of_a_response_url_has_its_class(
    slack: Slack, sandbox: SlackSandbox, fault: dict[str, object], kind: type[errors.SlackError]
) -> None:
    sandbox.faults.add("response_url", **fault)  # type: ignore[arg-type] # A table of keywords.
    with pytest.raises(kind):
        await slack.respond(sandbox.response_urls.make("actions", DANA, SEC), words("hello"))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/actions/1",
        "http://hooks.slack.com/actions/1",
        "https://hooks.slack.com.evil.test/actions/1",
        "https://hooks.slack.com@evil.test/actions/1",
        "https://hooks.slack.com:8443/actions/1",
        "https://127.0.0.1/actions/1",
        "file:///etc/passwd",
        "https://[broken",
        "",
    ],
)
async def test_an_address_that_is_not_slacks_is_refused(slack: Slack, url: str) -> None:
    with pytest.raises(ValueError, match="not Slack's"):
        await slack.respond(url, words("private"))


# Logs


async def test_no_body_reaches_a_log_even_at_debug(
    slack: Slack, sandbox: SlackSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await slack.post(SEC, words("planted words"), metadata=CARD)
    sandbox.fail("chat.postMessage", "internal_error")
    with pytest.raises(errors.SlackUncertain):
        await slack.post(SEC, words("planted words"), metadata=CARD)
    assert "planted" not in caplog.text
    assert sandbox.bot_token not in caplog.text


def test_bolts_client_has_no_retry_handlers(slack: Slack) -> None:
    assert isinstance(slack.client, AsyncWebClient)
    assert slack.client.retry_handlers == []
