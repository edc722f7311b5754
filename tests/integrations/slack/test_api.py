"""The bot's calls to Slack: messages, forms, people and channels."""

import pytest

from integrations.sandbox.slack import SlackSandbox
from integrations.slack import api, errors
from integrations.slack.api import Slack
from integrations.slack.blocks import Metadata, View, input_block, message, modal
from integrations.slack.elements import text_input
from integrations.slack.text import mrkdwn
from tests.integrations.slack.samples import CARD, DANA, EVENT, SEC, words


def form(title: str) -> View:
    field = input_block("Comment", text_input(action_id="comment"), block_id="comment")
    return modal(callback_id="close_alert", title=title, submit="Close", blocks=[field])


# Messages


async def test_a_message_is_posted_and_updated(slack: Slack, sandbox: SlackSandbox) -> None:
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


async def test_a_reply_is_posted_in_the_thread(slack: Slack, sandbox: SlackSandbox) -> None:
    card = await slack.post(SEC, words("open"), metadata=CARD)
    reply = await slack.post(SEC, words("taken"), metadata=EVENT, thread_ts=card)
    assert [m.ts for m in sandbox.thread(SEC, card)] == [reply]


async def test_ephemeral_and_direct_messages_reach_one_person(slack: Slack, sandbox: SlackSandbox) -> None:
    await slack.ephemeral(SEC, DANA, words("only you"))
    channel, ts = await slack.direct_message(DANA, words("to you"))
    await slack.direct_message(DANA, message(mrkdwn("text alone")))
    assert [m.text for m in sandbox.private_messages(DANA)] == ["only you", "to you", "text alone"]
    assert sandbox.message(channel, ts) is not None
    assert sandbox.channel_messages(SEC) == []


# Finding a message that may have been posted


async def test_a_message_is_found_by_its_metadata(slack: Slack) -> None:
    other = Metadata("stanch_alert", {"repository_id": 90001, "alert_number": 43})
    await slack.post(SEC, words("other"), metadata=other)
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    await slack.post(SEC, words("event"), metadata=EVENT)
    assert await slack.find_post(SEC, CARD, since=float(ts)) == ts
    assert await slack.find_post(SEC, Metadata("stanch_alert", {}), since=float(ts)) is None
    assert await slack.find_post(SEC, CARD, since=float(ts) + 3600) is None


async def test_a_reply_is_found_only_in_its_thread(slack: Slack) -> None:
    card = await slack.post(SEC, words("open"), metadata=CARD)
    reply = await slack.post(SEC, words("taken"), metadata=EVENT, thread_ts=card)
    assert await slack.find_post(SEC, EVENT, since=float(card), thread_ts=card) == reply
    assert await slack.find_post(SEC, EVENT, since=float(card)) is None
    with pytest.raises(errors.MessageGone):
        await slack.find_post(SEC, EVENT, since=0, thread_ts="1700000000.000001")


async def test_another_bots_message_with_our_metadata_is_not_found(
    slack: Slack, sandbox: SlackSandbox
) -> None:
    """Any app of the workspace can read our metadata and post the same."""
    forged = {"event_type": "stanch_alert", "event_payload": dict(CARD.payload)}
    copied = sandbox.workspace.post_as_user(DANA, SEC, "open")
    sandbox.workspace.redraw(copied, text="open", blocks=(), metadata=forged)
    assert await slack.find_post(SEC, CARD, since=float(copied.ts)) is None


async def test_a_message_is_found_on_the_second_page(slack: Slack, sandbox: SlackSandbox) -> None:
    ts = await slack.post(SEC, words("open"), metadata=CARD)
    for number in range(api.PAGE + 5):
        sandbox.workspace.post_as_user(DANA, SEC, f"chat {number}")
    assert await slack.find_post(SEC, CARD, since=float(ts)) == ts
    assert len(sandbox.calls("conversations.history")) == 2


async def test_what_is_no_message_in_the_list_is_passed_over(slack: Slack, sandbox: SlackSandbox) -> None:
    metadata = {"event_type": CARD.event_type, "event_payload": dict(CARD.payload)}
    ours = {"ts": "1795488000.000100", "bot_id": sandbox.bot_id, "metadata": metadata}
    body = {"ok": True, "messages": [None, "odd", ours]}
    sandbox.faults.add("conversations.history", status=200, body=body)
    assert await slack.find_post(SEC, CARD, since=0) == "1795488000.000100"


async def test_an_answer_that_is_no_json_raises_uncertain(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.faults.add("auth.test", status=200, headers={"Content-Type": "application/gzip"}, body="odd")
    with pytest.raises(errors.SlackUncertain, match="unreadable_answer"):
        await slack.whoami()


async def test_more_messages_than_are_read_raise_uncertain(slack: Slack, sandbox: SlackSandbox) -> None:
    for number in range(api.PAGE * api.PAGES + 1):
        sandbox.workspace.post_as_user(DANA, SEC, f"chat {number}")
    with pytest.raises(errors.SlackUncertain, match="too_many_messages"):
        await slack.find_post(SEC, CARD, since=0)


# Forms


async def test_a_form_opens_once_and_is_updated_by_its_hash(slack: Slack, sandbox: SlackSandbox) -> None:
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


async def test_whoami_returns_the_bots_ids(slack: Slack, sandbox: SlackSandbox) -> None:
    bot = await slack.whoami()
    assert (bot.team_id, bot.bot_id, bot.user_id) == (sandbox.team_id, sandbox.bot_id, sandbox.bot_user_id)
    assert bot.enterprise_id is None


async def test_slackbot_is_a_bot(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.workspace.add_user("USLACKBOT", name="slackbot")
    assert (await slack.person("USLACKBOT")).is_bot


@pytest.mark.parametrize(
    ("fields", "flag_set"),
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
async def test_each_flag_of_a_person_is_read(
    slack: Slack, sandbox: SlackSandbox, fields: dict[str, bool], flag_set: str
) -> None:
    sandbox.workspace.change_user(DANA, **fields)
    person = await slack.person(DANA)
    flags = ("is_deleted", "is_bot", "is_guest", "is_invited", "is_stranger")
    assert [flag for flag in flags if getattr(person, flag)] == ([flag_set] if flag_set else [])
    assert (person.id, person.team_id, person.enterprise_id) == (DANA, sandbox.team_id, None)


async def test_a_persons_enterprise_is_read(slack: Slack, sandbox: SlackSandbox) -> None:
    grid = {"enterprise_id": "E0OCTO", "teams": ["E0OCTO", sandbox.team_id]}
    sandbox.workspace.change_user(DANA, enterprise_user=grid)
    person = await slack.person(DANA)
    assert person.enterprise_id == "E0OCTO"


async def test_an_unknown_person_raises_person_unavailable(slack: Slack) -> None:
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
async def test_a_channel_with_a_pending_share_counts_as_shared(
    slack: Slack, sandbox: SlackSandbox, fields: dict[str, object], outside: bool
) -> None:
    sandbox.workspace.add_team("T0OTHER")
    sandbox.workspace.change_channel(SEC, **fields)
    facts = await slack.channel(SEC)
    assert facts.is_shared_outside is outside
    assert (facts.id, facts.name, facts.is_archived) == (SEC, "security", False)


async def test_people_are_listed_with_their_addresses(slack: Slack, sandbox: SlackSandbox) -> None:
    sandbox.scopes.add("users:read.email")
    sandbox.workspace.add_user("U0ANA", email="ana@octo.example", is_email_confirmed=True)
    sandbox.workspace.add_user("U0BO", email="bo@octo.example", is_email_confirmed=False, deleted=True)
    sandbox.workspace.add_user("U0CY", email="cy@octo.example", is_restricted=True)
    people, cursor = await slack.people("")
    found = {person.facts.id: person for person in people}
    assert cursor == ""
    assert (found["U0ANA"].address, found["U0ANA"].is_confirmed) == ("ana@octo.example", True)
    assert (found["U0BO"].is_confirmed, found["U0BO"].facts.is_deleted) == (False, True)
    # Slack says nothing about this address.
    assert (found["U0CY"].is_confirmed, found["U0CY"].facts.is_guest) == (False, True)
    assert found["USLACKBOT"].facts.is_bot
    assert "ana@octo.example" not in repr(found["U0ANA"])


async def test_a_missing_scope_for_addresses_is_an_error(slack: Slack, sandbox: SlackSandbox) -> None:
    """Slack answers without them, as if nobody had one."""
    sandbox.workspace.add_user("U0ANA", email="ana@octo.example", is_email_confirmed=True)
    with pytest.raises(errors.SlackUnauthorized, match=r"missing_scope.*users:read\.email"):
        await slack.people("")
