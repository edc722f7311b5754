"""The set-up in the terminal alone: the same steps, with the App made by an address and a key file."""

import re
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import pytest
from dotenv import dotenv_values

from bot.cli.setup_terminal import ask_steps
from bot.errors import StartRefused
from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.files import SetupFiles
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from bot.flows.setup.progress import SetupProgress
from bot.flows.setup.step import Known, SetupContext
from bot.rules.github_app_manifest import EVENTS, PERMISSIONS
from integrations.sandbox.browser import Browser
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from integrations.sandbox.github.sign_in import COOKIE
from storage.clock import Clock
from tests.flows.setup.local_page import settings_of

PUBLIC_URL = "https://stanch.octo.example"
ACCOUNT_STEP = ("", "octo", PUBLIC_URL, "y", "n")
"""An organization, its login, our address, webhooks, no more options."""


class Person:
    """Types one answer after another; the input ends with them."""

    def __init__(self, answers: Iterable[str]) -> None:
        self._answers = iter(answers)
        self.secret: list[str] = []

    def __call__(self, prompt: str, secret: bool) -> str:
        answer = next(self._answers, None)
        if answer is None:
            raise StartRefused("no more input")
        if secret:
            self.secret.append(answer)
        return answer


async def answer(github: GitHubSandbox, folder: Path, *answers: str) -> Person:
    """One run in the terminal. Raises StartRefused where the answers end too early."""
    person = Person(answers)
    written = {name: value or "" for name, value in dotenv_values(folder / ".env").items()}
    async with aiohttp.ClientSession() as session:
        context = SetupContext(folder, session, Clock())
        known = Known({**settings_of(github, folder), **written})
        steps = (ACCOUNT, GITHUB_APP, INSTALLATION)
        await ask_steps(SetupProgress(context, SetupFiles(folder), steps, known), person)
    return person


async def test_all_steps_are_done_in_the_terminal(
    github: GitHubSandbox, owner: GitHubUser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StartRefused):
        await answer(github, tmp_path, *ACCOUNT_STEP)
    shown = capsys.readouterr().out
    [address] = re.findall(rf"{re.escape(github.url)}/organizations/octo/settings/apps/new\?\S+", shown)
    assert "secret=" not in address

    async with Browser(cookies={COOKIE: str(owner.id)}) as browser:
        await browser.open(address)
        await browser.send("Create GitHub App", webhook_secret="typed at GitHub")
        app = github.app
        assert set(app.events) == set(EVENTS) - {"security_and_analysis"}
        assert app.permissions == {one.name: one.access for one in PERMISSIONS if one.asked}
        assert (app.webhook_url, app.callback_urls) == (
            f"{PUBLIC_URL}/github/webhooks",
            [f"{PUBLIC_URL}/github/callback"],
        )
        await browser.send("Generate a private key")
        (tmp_path / "key.pem").write_bytes(browser.content)
        github.install(github.app_owner)

    by_hand = (str(app.id), "key.pem", "typed at GitHub", app.client_secret)
    person = await answer(github, tmp_path, *ACCOUNT_STEP, *by_hand)
    assert person.secret == ["typed at GitHub", app.client_secret]
    written = dotenv_values(tmp_path / ".env")
    assert written["GITHUB_APP_ID"] == str(app.id)
    assert written["GITHUB_APP_PRIVATE_KEY"] == "key.pem"
    assert written["GITHUB_WEBHOOK_SECRET"] == "typed at GitHub"
    assert written["GITHUB_APP_CLIENT_ID"] == app.client_id
    assert written["GITHUB_APP_CLIENT_SECRET"] == app.client_secret
    shown = capsys.readouterr().out
    for secret in (*person.secret, written["STANCH_AUDIT_KEY"], written["STANCH_ENCRYPTION_KEYS"]):
        assert secret
        assert secret not in shown


async def test_a_refusal_is_said_and_what_was_typed_is_proposed_again(
    github: GitHubSandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StartRefused):
        await answer(github, tmp_path, "", "octo", "http://stanch.octo.example", "", "", *ACCOUNT_STEP)
    shown = capsys.readouterr().out
    assert "! The address of Stanch must start with https://" in shown
    assert "GitHub App\n==========" in shown
    assert shown.count("Stanch acts on GitHub through") == 1


async def test_what_is_no_choice_or_missing_is_asked_again_and_rare_fields_after_a_yes(
    github: GitHubSandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_permissions = ["n" for one in PERMISSIONS if not one.asked]
    rare = ("y", "My Stanch", "labs", "", *no_permissions)
    with pytest.raises(StartRefused):
        await answer(github, tmp_path, "enterprise", "organization", "", "octo", "", "n", *rare)
    shown = capsys.readouterr().out
    assert dotenv_values(tmp_path / ".env")["GITHUB_ACCOUNTS"] == "octo,labs"
    assert f"{github.url}/organizations/octo/settings/apps/new?name=My+Stanch&" in shown


async def test_done_steps_are_listed_and_done_again_by_their_number(
    github: GitHubSandbox, tmp_path: Path, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key.pem").write_text(private_key)
    (tmp_path / ".env").write_text(f"GITHUB_APP_ID={github.app.id}\nGITHUB_APP_PRIVATE_KEY=key.pem\n")
    github.install(github.app_owner)
    await answer(github, tmp_path, "")
    assert re.search(r"^  1 done +GitHub account \(octo\)$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(StartRefused):
        await answer(github, tmp_path, "9", "1")
    assert "GitHub account\n==============" in capsys.readouterr().out
    assert f"GITHUB_APP_ID={github.app.id}" in (tmp_path / ".env").read_text()


async def test_while_github_is_down_the_step_can_be_tried_again(
    github: GitHubSandbox, tmp_path: Path, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key.pem").write_text(private_key)
    (tmp_path / ".env").write_text(f"GITHUB_APP_ID={github.app.id}\nGITHUB_APP_PRIVATE_KEY=key.pem\n")
    github.install(github.app_owner)
    github.faults.add(r"GET /app", status=503, times=1)
    await answer(github, tmp_path, "", "")
    assert "GitHub could not be asked" in capsys.readouterr().out
