"""The page of the set-up in several tabs, and GitHub's answers that come late or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from bot.inbound.setup_routes import MOST_STATES
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from tests.flows.setup.local_page import SetupRun, open_setup, settings_of
from tests.flows.setup.test_setup_github import redirect
from tests.flows.setup.test_setup_page import session_of


@pytest.fixture
async def run(github: GitHubSandbox, owner: GitHubUser, tmp_path: Path) -> AsyncIterator[SetupRun]:
    """A run whose next step is the GitHub App on octo."""
    steps = (ACCOUNT, GITHUB_APP, INSTALLATION)
    async with open_setup(tmp_path, steps, settings_of(github, tmp_path), owner) as run:
        await run.enter_code()
        await run.browser.send("Continue", account="octo")
        yield run


async def test_an_app_that_is_made_after_another_one_was_entered_is_not_taken_over(
    run: SetupRun, github: GitHubSandbox, private_key: str
) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    first = str(github.app.id)
    address = await redirect(run)
    await run.enter_code()
    await run.browser.send("Use this App", app_id=first, key_file="mine.pem")
    await run.browser.open(address)
    assert "An App is set already" in run.fault
    assert run.written()["GITHUB_APP_ID"] == first
    assert github.calls("POST", "/app-manifests/.*") == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"drop": "before"}, "the connection was lost"),
        ({"status": 201, "body": {"id": 7}}, "the answer is not what GitHub describes"),
    ],
)
async def test_an_app_that_github_does_not_hand_over_is_told_with_the_reason(
    run: SetupRun, github: GitHubSandbox, fault: dict[str, Any], reason: str
) -> None:
    address = await redirect(run)
    github.faults.add("POST /app-manifests/.*", **fault)
    await run.browser.open(address)
    assert "GitHub did not hand the new App over: " in run.fault
    assert reason in run.fault
    assert run.title == "GitHub App"
    assert "GITHUB_APP_ID" not in run.written()


async def test_of_the_tabs_that_wait_for_github_the_latest_ones_are_known(
    run: SetupRun, github: GitHubSandbox
) -> None:
    oldest = await redirect(run)
    await run.enter_code()
    form = {"do": "show", "session": session_of(run.browser.text)}
    async with aiohttp.ClientSession(headers={"Origin": run.page}) as session:
        for _ in range(MOST_STATES):
            await session.post(run.page, data=form)
    await run.enter_code()
    latest = run.browser.forms
    await run.browser.open(oldest)
    assert run.browser.status == 403
    run.browser.forms, run.browser.address = latest, run.page
    await run.browser.send("Create the App on")
    await run.browser.send("Create GitHub App for octo", name="stanch-octo-2")
    assert run.title == "Installation"
