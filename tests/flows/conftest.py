"""A stage for every flow test, on both databases."""

from collections.abc import AsyncIterator

import pytest

from integrations.sandbox.github import generate_private_key
from storage.clock import Clock
from tests.flows.signed_in import sign_in
from tests.flows.stage import ADMIN, Stage, open_stage


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """The product between the stand-ins; at the end nothing may have been sent that the real ones refuse."""
    async with open_stage(database_url, clock, private_key) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def signed_in(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """A stage on which the repository's admin has signed in."""
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        yield stage
        stage.check()
