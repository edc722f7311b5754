"""Where private answers to clicks appear: in the channel or the thread that was clicked, else as a direct message."""

import pytest

from integrations.sandbox.slack import SlackMessage
from tests.flows.stage import ADMIN, CHANNEL, OWNER, UNLINKED, Stage

pytestmark = pytest.mark.either_database

SHORTCUT = "show_alert"


def last_told(stage: Stage, user: str) -> SlackMessage:
    """The last thing that a user was told privately."""
    return stage.slack.private_messages(user)[-1]


async def checklist(stage: Stage) -> SlackMessage:
    """The checklist in the thread of the only card."""
    await stage.click(ADMIN, "check_validity")
    return next(m for m in stage.slack.thread(CHANNEL, stage.card().ts) if "token_uses" in m.action_ids)


async def test_a_click_on_a_card_is_answered_in_the_channel(stage: Stage) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "check_validity")
    said = last_told(stage, UNLINKED)
    assert (said.channel, said.thread_ts, said.ephemeral_to) == (CHANNEL, None, UNLINKED)
    assert stage.slack.calls("response_url") == []


async def test_a_click_on_a_card_with_a_thread_is_answered_in_the_channel(stage: Stage) -> None:
    await stage.leak()
    await checklist(stage)
    await stage.click(UNLINKED, "check_validity")
    assert last_told(stage, UNLINKED).thread_ts is None


async def test_a_click_in_a_thread_is_answered_in_it(stage: Stage) -> None:
    await stage.leak()
    shown = await checklist(stage)
    for user in (OWNER, UNLINKED):
        await stage.slack.click(user, CHANNEL, shown.ts, "token_uses")
        await stage.work(within=3)
        said = last_told(stage, user)
        assert (said.channel, said.thread_ts, said.ephemeral_to) == (CHANNEL, stage.card().ts, user)
    assert stage.slack.calls("response_url") == []


async def test_what_was_opened_in_a_thread_is_answered_in_it(stage: Stage) -> None:
    """The shortcut on a message in the thread, a control of the card that it shows, and the form behind that."""
    await stage.leak()
    shown, ts = await checklist(stage), stage.card().ts
    await stage.slack.message_shortcut(ADMIN, CHANNEL, shown.ts, SHORTCUT)
    await stage.work(within=3)
    private = last_told(stage, ADMIN)
    assert private.thread_ts == ts
    await stage.slack.select(ADMIN, CHANNEL, private.ts, "close_as", "wont_fix")
    await stage.work(within=3)
    await stage.submit(ADMIN)
    assert "Closed as won't fix." in last_told(stage, ADMIN).shown_text
    assert last_told(stage, ADMIN).thread_ts == ts
    assert stage.slack.calls("response_url") == []


async def test_somebody_who_is_not_in_the_channel_is_answered_directly(stage: Stage) -> None:
    await stage.leak()
    members = stage.slack.workspace.channels[CHANNEL].members
    stage.slack.workspace.change_channel(CHANNEL, members=members - {ADMIN})
    await stage.pick(ADMIN, "more", "history")
    said = last_told(stage, ADMIN)
    assert stage.slack.workspace.channels[said.channel].dm_user == ADMIN
    assert stage.slack.calls("response_url") == []


async def test_a_list_is_answered_where_it_stands_and_replaced_by_its_next_page(stage: Stage) -> None:
    for _ in range(12):
        await stage.leak(secret_type="stripe_api_key")
    await stage.type(OWNER, "list")
    shown = last_told(stage, OWNER)
    by_command = len(stage.slack.calls("response_url"))
    row = next(b["accessory"] for b in shown.blocks if "accessory" in b)
    await stage.slack.click(OWNER, CHANNEL, shown.ts, "show_alert", value=row["value"])
    await stage.work(within=3)
    assert last_told(stage, OWNER).ts != shown.ts
    assert len(stage.slack.calls("response_url")) == by_command
    if "page" in shown.action_ids:
        await stage.slack.click(OWNER, CHANNEL, shown.ts, "page")
        await stage.work(within=3)
        assert len(stage.slack.calls("response_url")) == by_command + 1
