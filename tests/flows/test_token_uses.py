"""The search for a token's uses is shown to an organization owner, and not stored."""

import pytest

from tests.flows.outputs import collect_outputs
from tests.flows.stage import CHANNEL, OWNER, Stage

pytestmark = pytest.mark.either_database


async def test_the_hash_of_a_token_is_not_stored(stage: Stage) -> None:
    await stage.leak()
    await stage.click(OWNER, "take")
    thread = next(m for m in stage.slack.thread(CHANNEL, stage.card().ts) if "token_uses" in m.action_ids)
    await stage.slack.click(OWNER, CHANNEL, thread.ts, "token_uses")
    await stage.work(within=3)
    assert 'hashed_token:"' in stage.answer_markup(OWNER)
    outputs = await collect_outputs(stage)
    told = {name for name, content in outputs.items() if b"hashed_token" in content}
    assert told == {"calls of Slack", "what people were told"}
    assert await stage.audited("token_uses") == [("intended", None), ("done", None)]


async def test_what_is_no_whole_token_is_not_searched_for(stage: Stage) -> None:
    await stage.leak(secret_type="github_personal_access_token", literal="ghp_" + "cut")
    await stage.click(OWNER, "take")
    thread = next(m for m in stage.slack.thread(CHANNEL, stage.card().ts) if "token_uses" in m.action_ids)
    await stage.slack.click(OWNER, CHANNEL, thread.ts, "token_uses")
    await stage.work(within=3)
    assert "not a GitHub token in full" in stage.answer_to(OWNER)
    assert await stage.audited("token_uses") == [("intended", None), ("refused", "not_a_token")]
