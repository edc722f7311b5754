"""The stand-in GitHub, and the person who sets Stanch up."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.flows.setup.step import Known
from integrations.sandbox.github import GitHubSandbox, GitHubUser, Organization, generate_private_key
from integrations.sandbox.slack import SlackSandbox
from tests.flows.setup.steps_run import CHANNEL, FILE, PERSON, SetupRun, progress, start


@pytest.fixture(scope="session")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def github(private_key: str) -> AsyncIterator[GitHubSandbox]:
    """At the end nothing may have been sent that GitHub refuses."""
    async with GitHubSandbox(private_key=private_key) as github:
        yield github
        assert github.complaints == []


@pytest.fixture
def owner(github: GitHubSandbox) -> GitHubUser:
    """An owner of the organization octo, who is signed in to GitHub in the browser."""
    octo = github.organization("octo")
    assert isinstance(octo, Organization)
    person = github.add_user("olga")
    github.add_member(octo, person, role="admin")
    return person


@pytest.fixture
async def run(tmp_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SetupRun]:
    """The stand-ins with an installed App, an installed app, and a private channel with its bot and three people."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(private_key)
    async with (
        GitHubSandbox(private_key=private_key) as github,
        SlackSandbox() as slack,
        aiohttp.ClientSession() as session,
    ):
        github.add_user("olga")
        github.install(github.app_owner)
        slack.use_socket_mode()
        slack.workspace.add_user(PERSON, name="olga")
        slack.workspace.add_user("U0OTHER", name="otto")
        slack.workspace.add_user("U0GUEST", name="gast", is_restricted=True)
        people = [PERSON, "U0OTHER", "U0GUEST"]
        slack.workspace.add_channel(CHANNEL, name="security", members=people, private=True)
        known = Known(start(slack, github))
        yield SetupRun(slack, github, session, tmp_path, progress(session, tmp_path, known))
        assert slack.complaints == github.complaints == []
