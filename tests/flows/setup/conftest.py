"""The stand-in GitHub, and the person who sets Stanch up."""

from collections.abc import AsyncIterator

import pytest

from integrations.sandbox.github import GitHubSandbox, GitHubUser, Organization, generate_private_key


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
