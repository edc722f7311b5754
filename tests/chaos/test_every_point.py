"""The short form of `make chaos`: a story with a fault at every call, and with a death after every commit."""

import pytest

from integrations.sandbox.github import generate_private_key
from tests.chaos.databases import fresh_databases
from tests.chaos.every_point import play
from tests.chaos.faults import Fault, Mode
from tests.chaos.stories import STORIES


@pytest.fixture(scope="module")
def private_key() -> str:
    return generate_private_key()


async def test_a_new_alert_gets_its_card_whatever_fails(private_key: str) -> None:
    story = STORIES["new-alert"]
    with fresh_databases("sqlite") as fresh:
        clean = await play(story, fresh(0), private_key)
        assert clean.broken == []
        faults = [
            Fault(mode, k)
            for mode in Mode
            if mode is not Mode.HANG
            for k in range(1, 1 + (clean.commits if mode is Mode.KILL_AFTER_COMMIT else len(clean.calls)))
        ]
        assert len(faults) >= 15
        for fault in faults:
            played = await play(story, fresh(0), private_key, (fault,))
            assert (str(fault), played.broken, played.has_met_all) == (str(fault), [], True)
