"""Pages of a list: next and previous, after a restart, and while the list changes."""

from dataclasses import replace

import pytest

from bot import app
from bot.options import Options
from storage import alerts
from storage.records import Alert, AlertState
from tests.flows.shelf import shelve
from tests.flows.stage import CHANNEL, OWNER, READER, Stage

pytestmark = pytest.mark.either_database

MANY = 24
"""Alerts stored by `shelve`; with the one from a webhook there are 25."""


async def turn(stage: Stage, onward: bool = True, user: str = OWNER) -> str:
    """Click the next or the previous page of the last private answer, and return its new text."""
    shown = stage.slack.private_messages(user)[-1]
    side = "after" if onward else "before"
    [value] = [value for value in page_values(shown.blocks) if value.startswith(side)]
    await stage.slack.click(user, CHANNEL, shown.ts, "page", value=value)
    await stage.work(within=3)
    return stage.answer_to(user)


def page_values(blocks: object) -> list[str]:
    """The values of a message's paging buttons."""
    if isinstance(blocks, dict):
        if blocks.get("action_id") == "page":
            return [str(blocks["value"])]
        return [value for one in blocks.values() for value in page_values(one)]
    if isinstance(blocks, list | tuple):
        return [value for one in blocks for value in page_values(one)]
    return []


async def close(stage: Stage, *gone: Alert) -> None:
    """Close alerts in the store alone."""
    async with stage.context.db.begin() as tx:
        for one in gone:
            await alerts.save(tx, replace(one, state=AlertState.RESOLVED, resolution="revoked"))


async def test_pages_go_through_the_whole_list_and_back(stage: Stage) -> None:
    stored = await shelve(stage, ["web", "api"], MANY // 2)
    first = await stage.type(OWNER, "list")
    count = len(stage.slack.private_messages(OWNER))
    assert "25 open alerts, 1 to 10" in first
    second = await turn(stage)
    assert "25 open alerts, 11 to 20" in second
    third = await turn(stage)
    assert "25 open alerts, 21 to 25" in third
    assert "Next page" not in third
    seen = "\n".join((first, second, third))
    for one in stored:
        home = "octo/web" if one in stored[: MANY // 2] else "octo/api"
        assert seen.count(f"{home} #{one.key.number},") == 1
    assert await turn(stage, onward=False) == second
    back = await turn(stage, onward=False)
    assert "25 open alerts, 1 to 10" in back
    assert "Previous page" not in back
    assert len(stage.slack.private_messages(OWNER)) == count, "a page takes the place of the one before"


async def test_new_alerts_do_not_shift_the_next_page(stage: Stage) -> None:
    await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list")
    await stage.leak()
    assert "26 open alerts, 12 to 21" in await turn(stage)
    assert "26 open alerts, 22 to 26" in await turn(stage)


async def test_a_page_that_is_gone_becomes_the_last_one_and_says_so(stage: Stage) -> None:
    stored = await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list")
    await close(stage, *stored[:-5])
    answer = await turn(stage)
    assert "6 open alerts" in answer
    assert "that page no longer exists: this is the last page" in answer
    assert f"octo/web #{stored[-1].key.number}," in answer


async def test_an_emptied_list_suggests_other_filters(stage: Stage) -> None:
    stored = await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list repo:octo/web")
    await close(stage, *stored)
    answer = await turn(stage)
    assert "No open alerts for repo:octo/web that you may see." in answer
    assert "/leaks list is:closed,open repo:octo/web" in answer


async def test_going_back_ends_at_a_full_first_page(stage: Stage) -> None:
    stored = await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list")
    await turn(stage)
    await close(stage, *stored[-4:])
    assert "21 open alerts, 1 to 10" in await turn(stage, onward=False)


async def test_a_button_works_in_a_process_that_did_not_draw_it(stage: Stage) -> None:
    """As after a restart: the value holds all that the page needs."""
    await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list sort:created-asc -repo:octo/payments")
    [value] = page_values(stage.slack.private_messages(OWNER)[-1].blocks)
    assert value.endswith(" is:open -repo:octo/payments sort:created-asc")
    before = stage.running
    async with app.run(stage.settings, Options(), clock=stage.clock, runs_jobs=False) as stage.running:
        stage.slack.events_url = stage.address("/slack/events")
        answer = await turn(stage)
    stage.running = before
    assert "24 open alerts for -repo:octo/payments sort:created-asc, 11 to 20" in answer


@pytest.mark.parametrize(
    "value", ["", "after", "after 1.0 1/1 nonsense:x", "after x 1/1 is:open", "show me all"]
)
async def test_a_foreign_button_value_is_refused(stage: Stage, value: str) -> None:
    await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list")
    shown = stage.slack.private_messages(OWNER)[-1]
    await stage.slack.click(OWNER, CHANNEL, shown.ts, "page", value=value, force=True)
    await stage.work(within=3)
    assert "This control does nothing any more." in stage.answer_to(OWNER)
    assert "25 open alerts" in stage.slack.private_messages(OWNER)[-2].shown_text


async def test_the_button_of_a_row_shows_its_alert_and_keeps_the_list(stage: Stage) -> None:
    [one] = await shelve(stage, ["web"])
    await stage.type(OWNER, "list repo:octo/web")
    shown = stage.slack.private_messages(OWNER)[-1]
    await stage.slack.click(OWNER, CHANNEL, shown.ts, "show_alert", value=str(one.key))
    await stage.work(within=3)
    assert "Normal: not known whether it works" in stage.answer_to(OWNER)
    assert "1 open alert" in stage.slack.private_messages(OWNER)[-2].shown_text
    await stage.slack.click(READER, CHANNEL, shown.ts, "show_alert", value=str(one.key), force=True)
    await stage.work(within=3)
    assert "There is no such alert, or it is not yours to see." in stage.answer_to(READER)


async def test_a_page_never_replaces_a_message_that_others_see(stage: Stage) -> None:
    await shelve(stage, ["web"], MANY)
    await stage.type(OWNER, "list")
    [value] = page_values(stage.slack.private_messages(OWNER)[-1].blocks)
    card = stage.card()
    await stage.slack.click(OWNER, CHANNEL, card.ts, "page", value=value, force=True)
    await stage.work(within=3)
    assert "11 to 20" in stage.answer_to(OWNER)
    assert stage.card().blocks == card.blocks
