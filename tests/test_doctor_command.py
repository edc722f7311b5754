"""`stanch doctor` as a command: what it prints, its exit status, and what it leaves alone."""

import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings import Settings
from integrations.proxies import _proxy_for
from integrations.sandbox.github import GitHubSandbox, generate_private_key
from integrations.sandbox.slack import SlackSandbox
from tests.environment import bot_environment
from tests.test_cli import Operator, Result

pytestmark = pytest.mark.either_database
SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_WEBHOOK_SECRET",
    "STANCH_AUDIT_KEY",
)


class Installed(Operator):
    """Runs commands in an installation that is set up, beside both stand-ins."""

    def __init__(self, github: GitHubSandbox, slack: SlackSandbox) -> None:
        super().__init__(github)
        self.slack = slack

    async def doctor(self, *options: str) -> Result:
        """Run `stanch doctor`; nothing may be printed on standard error."""
        result = await self("doctor", *options)
        assert result.errors == ""
        return result


@pytest.fixture(scope="module")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def stanch(
    database_url: str, tmp_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Installed]:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    async with GitHubSandbox(private_key=private_key) as github, SlackSandbox() as slack:
        github.add_user("ana")
        github.add_repository(github.app_owner, "payments")
        github.install(github.app_owner)
        github.webhook_url = "https://stanch.octo.example/github/webhooks"
        slack.workspace.add_channel("C0ALERTS")
        environment = bot_environment(slack, github, database_url)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STANCH_DEFAULT_CHANNEL", "C0ALERTS")
        installed = Installed(github, slack)
        await installed.done("identities", "add", "U0ANA", "ana", "--team", slack.team_id)
        yield installed
        assert github.complaints == slack.complaints == []
        assert not [name for name in SECRETS if environment[name] in installed.seen]
        assert os.listdir(tmp_path) == []


async def test_a_healthy_installation_ends_with_status_0(stanch: Installed) -> None:
    result = await stanch.doctor()
    assert (result.status, result.lines[-1]) == (0, "Nothing to do.")
    assert "GitHub: the App's key works; installed on octo" in result.lines


async def test_the_report_as_json(stanch: Installed) -> None:
    stanch.slack.scopes.discard("im:write")
    result = await stanch.doctor("--json")
    report = json.loads(result.output)
    assert (result.status, report["healthy"], report["counts"]["fault"]) == (1, False, 1)
    [lacking] = [one for one in report["results"] if one["level"] == "fault"]
    assert (lacking["code"], lacking["subject"]) == ("slack.scope_missing", "im:write")
    page = f"{stanch.slack.origin}/apps/{stanch.slack.app_id}/oauth"
    assert lacking["remedy"].endswith(f"then Reinstall to Workspace: {page}")


async def test_faulty_settings_are_findings_and_the_other_checks_go_on(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKN", os.environ["SLACK_BOT_TOKEN"])
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.setenv("STANCH_SYNC_INTERVAL", "often")
    result = await stanch.doctor()
    assert result.status == 1
    said = result.output
    assert "FAULT: SLACK_BOT_TOKEN is not set" in said
    assert "FAULT: STANCH_SYNC_INTERVAL must be a whole number" in said
    assert "WARNING: SLACK_BOT_TOKN: no such setting: did you mean SLACK_BOT_TOKEN?" in said
    assert "GitHub: the App's key works" in said
    assert "with the schema of version" in said


async def test_two_outages_are_two_findings_and_the_database_is_still_checked(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    result = await stanch.doctor("--json")
    found = [one for one in json.loads(result.output)["results"] if one["level"] in ("fault", "warning")]
    assert [one["code"] for one in found] == ["slack.no_answer", "github.no_answer"]
    assert [one["subject"] for one in found] == ["http://127.0.0.1:9/api/", "http://127.0.0.1:9"]
    assert '"database.ok"' in result.output


async def test_a_malformed_proxy_is_a_finding_and_nothing_is_asked_without_it(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stanch.github.requests.clear()
    monkeypatch.setenv("https_proxy", "socks5://proxy.octo.example:1080")
    monkeypatch.setenv("no_proxy", "")
    result = await stanch.doctor()
    assert "FAULT: HTTPS_PROXY must be the address of an HTTP proxy" in result.output
    assert stanch.github.requests == []


async def test_the_network_list_is_not_given_through_a_malformed_proxy(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy.octo.example:1080")
    monkeypatch.setenv("no_proxy", "")
    sentence = await stanch.fails("doctor", "--network")
    assert sentence.startswith("HTTPS_PROXY must be the address of an HTTP proxy")


async def test_a_malformed_database_address_is_a_finding_and_the_other_checks_go_on(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://stanch@db.octo.example/stanch")
    result = await stanch.doctor()
    assert result.status == 1
    assert "FAULT: DATABASE_URL must start with " in result.output
    assert "Slack: the bot token works" in result.output


async def test_proxies_in_the_file_alone_have_no_effect_and_are_named(
    stanch: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("HTTPS_PROXY=http://somebody:word@proxy.octo.example:3128\n")
    (tmp_path / ".env").chmod(0o600)
    result = await stanch.doctor()
    assert "FAULT: HTTPS_PROXY is set in .env alone, where it has no effect." in result.output
    assert "somebody" not in result.output
    (tmp_path / ".env").unlink()


async def test_before_the_first_start_nothing_is_created(
    stanch: Installed, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    result = await stanch.doctor()
    assert (result.status, result.lines[-1]) == (0, "Nothing to do.")
    assert "has no tables yet; the first start creates them." in result.output
    assert not is_file(empty_database_url.partition("///")[2])


async def test_the_database_keeps_its_mode(
    stanch: Installed, sqlite_template: Path, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sqlite_template, sqlite_path)
    os.chmod(sqlite_path, 0o644)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{sqlite_path}")
    result = await stanch.doctor()
    assert f"WARNING: {sqlite_path} can be read by others (mode 0644)." in result.output
    assert mode_of(sqlite_path) == 0o644


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def is_file(path: str) -> bool:
    return os.path.isfile(path)


def needs(output: str) -> set[str]:
    """Direction, protocol and address of every line."""
    return {" ".join(line.split("\t")[:3]) for line in output.splitlines()}


async def test_the_network_list_needs_no_setting(stanch: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    stanch.github.requests.clear()
    result = await stanch.doctor("--network")
    assert result.status == 0
    assert needs(result.output) == {
        "out https slack.com:443",
        "out wss *.slack.com:443",
        "out https hooks.slack.com:443",
        "out https api.github.com:443",
        "in http 127.0.0.1:3000",
    }
    assert stanch.github.requests == []


async def test_the_network_list_follows_the_settings(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SLACK_API_URL": "https://slack.com/api/",
        "GITHUB_URL": "https://github.octo.example",
        "GITHUB_API_URL": "https://github.octo.example/api/v3",
        "DATABASE_URL": "postgresql+asyncpg://stanch:pass-word@db.octo.example/stanch",
        "STANCH_PUBLIC_URL": "https://stanch.octo.example",
        "GITHUB_APP_CLIENT_ID": "Iv23sandbox",
        "HOST": "10.0.0.5",
        "PORT": "8000",
    }.items():
        monkeypatch.setenv(name, value)
    result = await stanch.doctor("--network", "--json")
    listed = json.loads(result.output)
    assert all(set(one) == {"direction", "protocol", "host", "port", "purpose", "proxy"} for one in listed)
    assert {f"{one['direction']} {one['protocol']} {one['host']}:{one['port']}" for one in listed} == {
        "out https slack.com:443",
        "out https hooks.slack.com:443",
        "out https github.octo.example:443",
        "out postgresql db.octo.example:5432",
        "in http 10.0.0.5:8000",
        "in https stanch.octo.example:443",
    }
    assert not re.search(r"pass-word|stanch:", result.output)


async def test_the_network_list_names_the_proxy_without_its_user(
    stanch: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _proxy_for.cache_clear()
    monkeypatch.setenv("https_proxy", "http://somebody:word@proxy.octo.example:3128")
    monkeypatch.setenv("no_proxy", "api.github.com")
    for name in ("SLACK_API_URL", "GITHUB_API_URL"):
        monkeypatch.delenv(name)
    result = await stanch.doctor("--network", "--json")
    proxies = {one["host"]: one["proxy"] for one in json.loads(result.output) if one["direction"] == "out"}
    through = "http://proxy.octo.example:3128"
    assert proxies == {"slack.com": through, "hooks.slack.com": through, "api.github.com": None}
    assert through in (await stanch.doctor("--network")).output
    assert "somebody" not in stanch.seen
    _proxy_for.cache_clear()
