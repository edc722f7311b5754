"""After `stanch migrate --to-new` the product goes on where it was, on the new database."""

import pytest

from bot.cli.subscriptions import add_subscription
from storage.clock import Clock
from storage.db import Database
from storage.move import move
from tests.flows.signed_in import sign_in
from tests.flows.stage import ADMIN, CHANNEL, OWNER, open_stage
from tests.flows.test_restored import started_again

PAY = "C0PAY"


@pytest.mark.parametrize(
    ("database_url", "empty_database_url"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite")],
    indirect=True,
)
async def test_cards_jobs_subscriptions_links_and_sign_ins_go_on(
    database_url: str, empty_database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        await stage.leak()
        await stage.click(OWNER, "take")
        stage.slack.workspace.add_channel(PAY, name="payments", members=[OWNER])
        await add_subscription(stage.context.db, PAY, ["repo:octo/payments"])
        await stage.work(within=60)
        first = stage.card()
        before = len(stage.slack.cards(PAY))
        # A delivery that is stored, and whose job waits.
        stage.github.leak(stage.repository, token=stage.live_token())
        await stage.github.settle()
        new = Database(empty_database_url, clock=clock, audit_key=b"a key for tests")
        assert (await move(stage.context.db, new)).audit.ok
        await new.close()
        async with started_again(stage, empty_database_url) as again:
            await again.work(within=60)
            assert len(stage.slack.cards(CHANNEL)) == 1
            assert len(stage.slack.cards(PAY)) == before + 1
            # The sign-in's token is decrypted, and the card from before is drawn in place.
            await again.close_as(ADMIN, "revoked")
            assert stage.github.calls("PATCH")[-1].user_id == stage.people[ADMIN].id
            assert stage.card().ts == first.ts
            assert "Closed as revoked" in again.read()
        stage.check()
