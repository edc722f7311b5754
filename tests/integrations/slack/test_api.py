"""What the bot asks of Slack arrives once and as it was meant, and every fault has its class."""

import logging
from collections.abc import AsyncIterator
from typing import Literal

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox
from integrations.slack import api, errors
from integrations.slack.api import Slack
from integrations.slack.blocks import Block, Content, Metadata, View, input_block, message, modal, section
from integrations.slack.elements import text_input
from integrations.slack.text import mrkdwn

SEC, DANA = "C0SEC", "U0DANA"
CARD = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 42})
EVENT = Metadata("stanch_event", {"key": "5f0c2b6e"})


@pytest.fixture
async def sandbox() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as running:
        running.workspace.add_user(DANA, name="dana")
        running.workspace.add_channel(SEC, name="security", members=[DANA])
        yield running
        assert running.hygiene == running.unexpected == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as opened:
        yield opened


@pytest.fixture
def slack(sandbox: SlackSandbox, session: aiohttp.ClientSession) -> Slack:
    return Slack.build(sandbox.bot_token, sandbox.api_url, session)


def words(text: str) -> Content:
    return message(mrkdwn("{}", text), section(mrkdwn("*{}*", text)))


def form(title: str) -> View:
    field = input_block("Comment", text_input(action_id="comment"), block_id="comment")
    return modal(callback_id="close_alert", title=title, submit="Close", blocks=[field])


# Messages


async def test_a_message_is_posted_and_redrawn_in_place(slack: Slack, sandbox: SlackSandbox) -> None:
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    [posted] = sandbox.cards(SEC)
    assert (posted.ts, posted.text, posted.metadata) == (
        ts,
        "open",
        {"event_type": "stanch_alert", "event_payload": {"repository_id": 90001, "alert_number": 42}},
    )
    await slack.update(SEC, ts, words("closed"), metadata=CARD)
    [redrawn] = sandbox.cards(SEC)
    assert (redrawn.ts, redrawn.text, redrawn.shown_text) == (ts, "closed", "*closed*")
    assert sandbox.violations == []


async def test_nothing_in_a_text_is_parsed_or_unfurled(slack: Slack, sandbox: SlackSandbox) -> None:
    await slack.post(SEC, words("see https://evil.test @here"), metadata=CARD)
    [call] = sandbox.calls("chat.postMessage")
    quiet = {"parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
    assert quiet.items() <= call.arguments.items()


async def test_a_reply_goes_into_the_thread(slack: Slack, sandbox: SlackSandbox) -> None:
    card = await slack.post(SEC, words("open"), metadata=CARD)
    reply = await slack.post(SEC, words("taken"), metadata=EVENT, thread_ts=card)
    assert [m.ts for m in sandbox.thread(SEC, card)] == [reply]
    assert (await slack.permalink(SEC, reply)).startswith("https://")


async def test_private_words_reach_one_person(slack: Slack, sandbox: SlackSandbox) -> None:
    await slack.ephemeral(SEC, DANA, words("only you"))
    channel, ts = await slack.direct_message(DANA, words("to you"), metadata=EVENT)
    await slack.direct_message(DANA, message(mrkdwn("text alone")))
    assert [m.text for m in sandbox.private_messages(DANA)] == ["only you", "to you", "text alone"]
    assert sandbox.message(channel, ts) is not None
    assert sandbox.channel_messages(SEC) == []


# Looking for a message that may have been posted


async def test_a_message_is_found_by_its_metadata(slack: Slack) -> None:
    other = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 43})
    await slack.post(SEC, words("other"), metadata=other)
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    await slack.post(SEC, words("event"), metadata=EVENT)
    assert await slack.find_post(SEC, CARD, since=float(ts)) == ts
    assert await slack.find_post(SEC, Metadata("stanch_alert", {}), since=float(ts)) is None
    assert await slack.find_post(SEC, CARD, since=float(ts) + 3600) is None


async def test_a_reply_is_looked_for_in_its_thread(slack: Slack) -> None:
    card = await slack.post(SEC, words("open"), metadata=CARD)
    reply = await slack.post(SEC, words("taken"), metadata=EVENT, thread_ts=card)
    assert await slack.find_post(SEC, EVENT, since=float(card), thread_ts=card) == reply
    assert await slack.find_post(SEC, EVENT, since=float(card)) is None
    with pytest.raises(errors.MessageGone):
        await slack.find_post(SEC, EVENT, since=0, thread_ts="1700000000.000001")


async def test_another_bots_message_is_never_ours(slack: Slack, sandbox: SlackSandbox) -> None:
    """Any app of the workspace can read our metadata and post the same."""
    forged = {"event_type": "stanch_alert", "event_payload": dict(CARD.payload)}
    copied = sandbox.workspace.post_as_user(DANA, SEC, "open")
    sandbox.workspace.redraw(copied, text="open", blocks=(), metadata=forged)
    assert await slack.find_post(SEC, CARD, since=float(copied.ts)) is None


async def test_a_message_is_found_behind_a_page_of_newer_ones(slack: Slack, sandbox: SlackSandbox) -> None:
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    for number in range(api.PAGE + 5):
        sandbox.workspace.post_as_user(DANA, SEC, f"chat {number}")
    assert await slack.find_post(SEC, CARD, since=float(ts)) == ts
    assert len(sandbox.calls("conversations.history")) == 2


async def test_too_many_messages_to_read_is_no_proof_of_absence(slack: Slack, sandbox: SlackSandbox) -> None:
    for number in range(api.PAGE * api.PAGES + 1):
        sandbox.workspace.post_as_user(DANA, SEC, f"chat {number}")
    with pytest.raises(errors.Uncertain, match="too_many_messages"):
        await slack.find_post(SEC, CARD, since=0)


# Forms


async def test_a_form_opens_once_and_is_redrawn_while_it_is_the_same(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    trigger = sandbox.world.triggers.make(DANA)
    opened = await slack.open_view(trigger, form("Loading"))
    redrawn = await slack.update_view(opened.id, form("Close alert"), hash=opened.hash)
    shown = sandbox.view(DANA)
    assert shown is not None
    assert (shown.id, shown.title, shown.hash) == (redrawn.id, "Close alert", redrawn.hash)
    with pytest.raises(errors.ViewGone, match="hash_conflict"):
        await slack.update_view(opened.id, form("Late"), hash=opened.hash)
    with pytest.raises(errors.ViewGone, match="exchanged_trigger_id"):
        await slack.open_view(trigger, form("Again"))
    with pytest.raises(errors.ViewGone, match="not_found"):
        await slack.update_view("V0GONE", form("Gone"))


# Facts


async def test_the_bot_knows_itself(slack: Slack, sandbox: SlackSandbox) -> None:
    bot = await slack.whoami()
    assert (bot.team_id, bot.bot_id, bot.user_id) == (sandbox.team_id, sandbox.bot_id, sandbox.bot_user_id)
    assert bot.enterprise_id is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ""),
        ({"deleted": True}, "is_deleted"),
        ({"is_bot": True}, "is_bot"),
        ({"is_workflow_bot": True}, "is_bot"),
        ({"is_connector_bot": True}, "is_bot"),
        ({"is_restricted": True}, "is_guest"),
        ({"is_ultra_restricted": True}, "is_guest"),
        ({"is_invited_user": True}, "is_invited"),
        ({"is_stranger": True}, "is_stranger"),
    ],
)
async def test_a_persons_facts_tell_who_is_not_one_of_us(
    slack: Slack, sandbox: SlackSandbox, fields: dict[str, bool], told: str
) -> None:
    sandbox.workspace.change_user(DANA, **fields)
    person = await slack.person(DANA)
    flags = ("is_deleted", "is_bot", "is_guest", "is_invited", "is_stranger")
    assert [flag for flag in flags if getattr(person, flag)] == ([told] if told else [])
    assert (person.id, person.team_id, person.enterprise_id) == (DANA, sandbox.team_id, None)


async def test_on_enterprise_grid_a_person_belongs_to_an_organization(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    grid = {"enterprise_id": "E0OCTO", "teams": ["E0OCTO", sandbox.team_id]}
    sandbox.workspace.change_user(DANA, enterprise_user=grid)
    person = await slack.person(DANA)
    assert person.enterprise_id == "E0OCTO"
    assert person.enterprise_team_ids == ("E0OCTO", sandbox.team_id)


async def test_nobody_is_nobody(slack: Slack) -> None:
    with pytest.raises(errors.PersonUnavailable):
        await slack.person("U0NOBODY")
    with pytest.raises(errors.PersonUnavailable):
        await slack.ephemeral(SEC, "U0NOBODY", words("hello"))


@pytest.mark.parametrize(
    ("fields", "outside"),
    [
        ({}, False),
        ({"is_org_shared": True}, False),
        ({"is_ext_shared": True}, True),
        ({"is_pending_ext_shared": True}, True),
        ({"pending_connected_team_ids": ("T0OTHER",)}, True),
        ({"connected_team_ids": ("T0OTHER",)}, True),
    ],
)
async def test_a_channel_is_outside_as_soon_as_a_share_is_offered(
    slack: Slack, sandbox: SlackSandbox, fields: dict[str, object], outside: bool
) -> None:
    sandbox.workspace.add_team("T0OTHER")
    sandbox.workspace.change_channel(SEC, **fields)
    facts = await slack.channel(SEC)
    assert facts.is_shared_outside is outside
    assert (facts.id, facts.name, facts.is_archived, facts.is_member, facts.is_private) == (
        SEC,
        "security",
        False,
        True,
        False,
    )


# Faults


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_post_whose_answer_is_lost_is_sent_once_and_uncertain(
    slack: Slack, sandbox: SlackSandbox, drop: Literal["before", "after"]
) -> None:
    sandbox.faults.add("chat.postMessage", drop=drop, times=1)
    with pytest.raises(errors.Uncertain, match=r"chat\.postMessage was no_answer"):
        await slack.post(SEC, words("open"), metadata=CARD)
    assert len(sandbox.calls("chat.postMessage")) == 1
    assert len(sandbox.cards(SEC)) == (1 if drop == "after" else 0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500, "body": {"ok": False, "error": "internal_error"}}, "internal_error"),
        ({"status": 200, "body": {"ok": False, "error": "fatal_error"}}, "fatal_error"),
        ({"status": 502, "body": "Bad gateway"}, "http_502"),
        ({"status": 503, "body": {}}, "http_503"),
        ({"status": 200, "body": "surprise"}, "unreadable_answer"),
        ({"status": 200, "body": ["surprise"]}, "unreadable_answer"),
        ({"status": 200, "body": {"ok": True}}, "unreadable_answer"),
        ({"garbage": True}, "http_200"),
    ],
)
async def test_an_answer_that_says_nothing_leaves_a_post_uncertain(
    slack: Slack, sandbox: SlackSandbox, fault: dict[str, object], code: str
) -> None:
    sandbox.faults.add("chat.postMessage", times=1, **fault)  # type: ignore[arg-type] # A table of keywords.
    with pytest.raises(errors.Uncertain) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert caught.value.code == code
    assert len(sandbox.calls("chat.postMessage")) == 1


async def test_a_post_without_an_answer_in_time_is_uncertain(sandbox: SlackSandbox) -> None:
    sandbox.faults.add("chat.postMessage", hang=True)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as hasty:
        slack = Slack.build(sandbox.bot_token, sandbox.api_url, hasty)
        with pytest.raises(errors.Uncertain, match="timeout"):
            await slack.post(SEC, words("open"), metadata=CARD)


async def test_a_server_that_is_down_is_uncertain_and_a_read_was_tried_twice(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    sandbox.faults.add("users.info", drop="before")
    with pytest.raises(errors.Uncertain):
        await slack.person(DANA)
    assert len(sandbox.calls("users.info")) == 2
    await sandbox.stop()
    with pytest.raises(errors.Uncertain):
        await slack.whoami()


async def test_a_read_survives_one_lost_connection(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.faults.add("users.info", drop="before", times=1)
    assert (await slack.person(DANA)).id == DANA


async def test_too_many_calls_are_told_with_the_time_to_wait(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.rate_limit("chat.postMessage", retry_after=7)
    with pytest.raises(errors.RateLimited) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert caught.value.retry_after == 7.0
    sandbox.fail("chat.postMessage", "message_limit_exceeded")
    with pytest.raises(errors.RateLimited) as caught:
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
        ("invalid_auth", errors.Unauthorized),
        ("token_revoked", errors.Unauthorized),
        ("a_word_of_tomorrow", errors.Rejected),
    ],
)
async def test_each_refusal_has_the_class_of_what_to_do_about_it(
    slack: Slack, sandbox: SlackSandbox, code: str, kind: type[errors.SlackError]
) -> None:
    sandbox.fail("chat.postMessage", code)
    with pytest.raises(kind) as caught:
        await slack.post(SEC, words("open"), metadata=CARD)
    assert (caught.value.method, caught.value.code) == ("chat.postMessage", code)
    assert str(caught.value) == f"Slack's answer to chat.postMessage was {code}."


async def test_a_deleted_message_and_a_channel_left_are_told_apart(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    sandbox.workspace.delete_message(SEC, ts)
    with pytest.raises(errors.MessageGone):
        await slack.update(SEC, ts, words("closed"), metadata=CARD)
    with pytest.raises(errors.ChannelUnavailable):
        await slack.update("C0NONE", ts, words("closed"), metadata=CARD)


async def test_a_missing_scope_is_named(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.scopes.remove("users:read")
    with pytest.raises(errors.Unauthorized, match="missing_scope \\(needed: users:read\\)"):
        await slack.person(DANA)


async def test_a_refused_block_is_named_by_its_place_and_not_by_its_words(
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
    with pytest.raises(errors.Unauthorized, match="invalid_auth"):
        await Slack.build("xoxb" + "-wrong", sandbox.api_url, session).whoami()


async def test_a_users_token_is_refused(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.faults.add("auth.test", status=200, body={"ok": True, "team_id": "T0", "user_id": "U0"})
    with pytest.raises(errors.Unauthorized, match="not_a_bot_token"):
        await slack.whoami()


# Answers by response_url


async def test_a_click_is_answered_privately_by_its_response_url(slack: Slack, sandbox: SlackSandbox) -> None:
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
        ({"status": 429, "headers": {"Retry-After": "3"}}, errors.RateLimited),
        ({"status": 500}, errors.Uncertain),
        ({"drop": "before"}, errors.Uncertain),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}}, errors.Rejected),
        ({"status": 200, "body": {"ok": False, "error": "invalid_blocks"}}, errors.Rejected),
    ],
)
async def test_a_failed_answer_has_its_class_too(
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
async def test_private_words_go_to_slack_alone(slack: Slack, url: str) -> None:
    with pytest.raises(ValueError, match="not Slack's"):
        await slack.respond(url, words("private"))


# Logs


async def test_no_body_reaches_a_log_even_at_debug(
    slack: Slack, sandbox: SlackSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await slack.post(SEC, words("planted words"), metadata=CARD)
    sandbox.fail("chat.postMessage", "internal_error")
    with pytest.raises(errors.Uncertain):
        await slack.post(SEC, words("planted words"), metadata=CARD)
    assert "planted" not in caplog.text
    assert sandbox.bot_token not in caplog.text


def test_bolt_gets_a_client_that_sends_nothing_again(slack: Slack) -> None:
    assert isinstance(slack.client, AsyncWebClient)
    assert slack.client.retry_handlers == []
