"""The fixtures of the tests with real processes, on both databases."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integrations.sandbox.github import generate_private_key
from tests.processes.scene import Scene, open_scene

# A job in the background of a shell ignores SIGINT, and so would the processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def scene(database_url: str, tmp_path: Path, private_key: str) -> AsyncIterator[Scene]:
    """Both stand-ins; the test starts the bot. At the end the stand-ins must have refused nothing that was sent."""
    async with open_scene(database_url, tmp_path, private_key) as scene:
        yield scene
        scene.check()
