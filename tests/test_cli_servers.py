"""Commands that ask GitHub and Slack: what they print, and how they end where one of them says no or nothing."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.settings import Settings
from integrations.sandbox.github import GitHubSandbox, Organization, generate_private_key
from integrations.sandbox.slack import SlackSandbox
from storage import subscriptions
from storage.db import Database
from storage.records import ChannelId, Subscription
from tests.environment import bot_environment
from tests.storage.test_audit import tamper
from tests.test_cli import TEAM, Operator

pytestmark = pytest.mark.either_database
NOT_INSTALLED = "The GitHub App is not installed on any account that Stanch serves; "
DIRECTORY = '[directory]\nsource = "saml"\ndomains = ["octo.example"]\n'


class Beside(Operator):
    """Runs commands beside both stand-ins, before the first start of a server."""

    def __init__(self, github: GitHubSandbox, slack: SlackSandbox) -> None:
        super().__init__(github)
        self.slack = slack


@pytest.fixture(scope="module")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def stanch(
    database_url: str, tmp_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Beside]:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    async with GitHubSandbox(private_key=private_key) as github, SlackSandbox() as slack:
        github.add_user("ana")
        github.leak(github.add_repository(github.app_owner, "payments"))
        github.install(github.app_owner)
        for name, value in bot_environment(slack, github, database_url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STANCH_DEFAULT_CHANNEL", "C0ALERTS")
        yield Beside(github, slack)
        assert github.complaints == slack.complaints == []


async def test_a_sync_prints_how_many_alerts_each_account_has(stanch: Beside) -> None:
    assert await stanch.done("sync") == ["octo: 1 seen, 1 new, 0 changed."]
    assert await stanch.done("sync") == ["octo: 1 seen, 0 new, 0 changed."]


async def test_without_an_installation_nothing_is_synced_and_nobody_linked(stanch: Beside) -> None:
    [installation] = stanch.github.installations.values()
    stanch.github.uninstall(installation)
    add = ("identities", "add", "U0ANA", "ana", "--team", TEAM)
    assert await stanch.fails("sync") == f"{NOT_INSTALLED}see GITHUB_ACCOUNTS."
    assert await stanch.fails(*add) == f"{NOT_INSTALLED}install it, or see GITHUB_ACCOUNTS."


async def test_a_sync_ends_while_github_does_not_say_whose_app_it_is(stanch: Beside) -> None:
    stanch.github.faults.add("GET /app", status=503)
    sentence = await stanch.fails("sync")
    assert sentence == "The sync failed: GitHub has not said yet which accounts are ours."


async def test_a_reading_of_the_directory_prints_each_person_and_how_many(
    stanch: Beside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stanch.toml").write_text(DIRECTORY)
    octo, ana = stanch.github.app_owner, stanch.github.user("ana")
    assert isinstance(octo, Organization)
    assert ana is not None
    stanch.github.add_member(octo, ana)
    stanch.github.add_identity(octo, ana, "ana@octo.example")
    stanch.slack.scopes.add("users:read.email")
    stanch.slack.workspace.add_user("U0ANA", name="ana", email="ana@octo.example", is_email_confirmed=True)
    *people, counted = await stanch.done("identities", "sync")
    assert f"matched\tU0ANA\tana\t{ana.id}" in people
    assert counted.startswith("1 matched, ")


async def test_before_the_first_start_a_link_is_removed_only_with_its_workspace(stanch: Beside) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    assert await stanch.fails("identities", "remove", "U0ANA") == (
        "The workspace is not known yet: start stanch serve once, or name it with --team T012AB3CD."
    )
    assert len(await stanch.done("identities", "list")) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_import_that_stops_at_its_first_row_says_that_nobody_was_linked(
    stanch: Beside, db: Database, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("slack_user,github_login\nU0ANA,ana\n")
    fails = "CREATE TRIGGER fails BEFORE INSERT ON identity BEGIN SELECT json('{'); END"
    async with db.begin() as tx:
        await tx.conn.execute(sa.text(fails))
    sentence = await stanch.fails("identities", "import", "people.csv", "--team", TEAM)
    assert "malformed JSON" in sentence
    assert sentence.endswith(" Nobody was linked.")


async def test_a_paused_subscription_is_listed_with_the_reason(stanch: Beside, db: Database) -> None:
    async with db.begin() as tx:
        paused = Subscription(ChannelId("C0PAY"), "org:octo", paused_at=tx.now)
        await subscriptions.add(tx, paused)
    assert await stanch.done("subscriptions", "list") == [
        "C0PAY\torg:octo\tpaused, because its author has lost the right to it"
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_move_says_that_the_audit_log_did_not_verify_before_it(
    stanch: Beside, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await tamper(db, "UPDATE audit SET action = 'another'")
    monkeypatch.setenv("DATABASE_URL_NEW", f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    moved = await stanch("migrate", "--to-new")
    assert moved.status == 0
    assert moved.errors.startswith("The audit log does not verify, there as here: ")
    assert "verifies" not in moved.output
    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_URL_NEW"])
    assert len(await stanch.done("identities", "list")) == 1
