"""The doctor: each planted fault is found, nothing else is, and nothing is found on a healthy installation."""

import os
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.database import SLACK_TEAM
from bot.flows.doctor.examine import examine
from bot.flows.doctor.examined import Examined, examined_server
from bot.flows.doctor.repository_checks import check_repositories
from bot.options import DirectoryOptions, GitHubOptions, Options
from bot.rules.check_results import GROUPS as CHECK_GROUPS
from bot.rules.check_results import CheckResult, Level
from bot.settings import UNREADABLE_FILE
from bot.views.doctor import WORDS, remedy, report_lines, sentence
from integrations.github.accounts import GitHubAccount
from integrations.github.errors import Unreachable
from integrations.github.facts import RepositoryFacts
from integrations.sandbox.github import generate_private_key
from storage.clock import Clock
from storage.db import Database
from storage.engines import open_engines
from storage.move import MOVING_FROM
from storage.records import MessageState
from tests.flows import planted_faults as plants
from tests.flows.planted_faults import Plant, healthy
from tests.flows.stage import ADMIN, CHANNEL, OWNER, UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database
AUDIT_KEY = "a long key of the audit log, for tests"
PUBLIC = "https://stanch.invalid"
BY_DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",)))
SECRET = SecretStr("0" * 32)
Faults = Mapping[tuple[str, str], Plant]

SETTINGS: Faults = {
    ("settings.malformed", ""): plants.seen_as(
        faults=("SLACK_BOT_TOKEN is not set: take it from the page.",)
    ),
    ("settings.questionable", "STANCH_DEFAULT_CHANEL"): plants.seen_as(
        questionable=(("STANCH_DEFAULT_CHANEL", "no such setting: did you mean STANCH_DEFAULT_CHANNEL?"),)
    ),
    ("settings.only_in_file", "HTTPS_PROXY"): plants.seen_as(only_in_file=frozenset({"HTTPS_PROXY"})),
    ("settings.no_certificates", "SSL_CERT_FILE"): plants.seen_as(variables={"SSL_CERT_FILE": __file__}),
    ("settings.no_default_channel", "STANCH_DEFAULT_CHANNEL"): plants.with_settings(
        stanch_default_channel=None
    ),
    ("settings.no_audit_key", "STANCH_AUDIT_KEY"): plants.with_settings(stanch_audit_key=None),
    ("settings.old_secret", "GITHUB_WEBHOOK_SECRET_OLD"): plants.with_settings(
        github_webhook_secret_old=SECRET
    ),
    ("settings.old_secret_used", "SLACK_SIGNING_SECRET_OLD"): plants.saved(
        "signed_with:SLACK_SIGNING_SECRET_OLD", 1.8e9, None, slack_signing_secret_old=SECRET
    ),
    ("settings.same_secret", "SLACK_SIGNING_SECRET_OLD"): plants.with_settings(
        slack_signing_secret=SECRET, slack_signing_secret_old=SECRET
    ),
}
QUEUE_AND_PEOPLE: Faults = {
    ("database.move_unfinished", "DATABASE"): plants.saved(MOVING_FROM, "sqlite+aiosqlite:///old.db", None),
    ("queue.parked", ""): plants.parked_job,
    ("queue.waiting", ""): plants.job_that_nobody_works,
    ("queue.blocked", ""): plants.message_with("stuck", state=MessageState.BLOCKED, problem="is_archived"),
    ("queue.uncertain", ""): plants.message_with("lost", state=MessageState.DROPPED, problem="uncertain: x"),
    ("people.nobody_linked", ""): plants.nobody_linked,
    ("people.contested", ""): plants.identity_with(UNLINKED, suspension="sources_disagree"),
    ("people.unreadable_tokens", ""): plants.unreadable_tokens,
    ("people.operator_not_linked", UNLINKED): plants.with_settings(
        stanch_operators=frozenset({UNLINKED, OWNER})
    ),
    ("people.operator_unknown", "U0GHOST"): plants.with_settings(stanch_operators=frozenset({"U0GHOST"})),
}
SLACK: Faults = {
    ("slack.no_answer", "SLACK"): plants.on_slack("auth.test", "internal_error"),
    ("slack.certificate", "https://localhost"): plants.untrusted("slack_api_url", "/api/"),
    ("slack.token_refused", "SLACK_BOT_TOKEN"): plants.with_settings(
        slack_bot_token=SecretStr("xoxb-1-wrong")
    ),
    ("slack.scope_missing", "im:write"): plants.without_scope("im:write"),
    ("slack.scope_missing", "groups:history"): plants.without_scope("groups:history"),
    ("slack.scope_missing", "users:read.email"): plants.without_scope("users:read.email", BY_DIRECTORY),
    ("slack.other_workspace", "T0STANCH"): plants.saved(SLACK_TEAM, "T0OTHER", "T0STANCH"),
    ("slack.odd_signing_secret", "SLACK_SIGNING_SECRET"): plants.with_settings(
        slack_signing_secret=SecretStr("not of Slack")
    ),
    ("slack.other_app", "SLACK_APP_TOKEN"): plants.with_settings(
        slack_app_token=SecretStr("xapp-1-A0OTHER-0-wrong")
    ),
    ("slack.app_token_refused", "SLACK_APP_TOKEN"): plants.with_settings(
        slack_app_token=SecretStr("xapp-1-wrong")
    ),
    ("channels.archived", CHANNEL): plants.channel_with(is_archived=True),
    ("channels.shared", CHANNEL): plants.channel_with(is_ext_shared=True),
    ("channels.bot_not_in", CHANNEL): plants.channel_with(members=frozenset({ADMIN})),
    ("channels.not_found", CHANNEL): plants.channel_with(members=frozenset({ADMIN}), private=True),
    ("channels.not_found", "C0GONE"): plants.subscription_with("C0GONE"),
    ("channels.paused", CHANNEL): plants.subscription_with(lost_at=1.0, paused_at=2.0),
    ("channels.author_lost", CHANNEL): plants.subscription_with(lost_at=1.0),
}
SCAN = "GET /repos/octo/payments/secret-scanning/scan-history"
GITHUB: Faults = {
    ("github.no_answer", "GITHUB"): plants.on_github("GET /app", status=503, body={"message": "down"}),
    ("github.certificate", "https://localhost"): plants.untrusted("github_api_url"),
    ("github.clock_off", ""): plants.clock_set_back,
    ("github.key_refused", "GITHUB"): plants.with_settings(
        github_app_private_key=SecretStr(generate_private_key())
    ),
    ("github.old_server", "GITHUB"): plants.changed(
        lambda stage: stage.github, "installed_version", "3.17.1"
    ),
    ("github.other_client_id", "GITHUB_APP_CLIENT_ID"): plants.with_settings(
        github_app_client_id="Iv23other"
    ),
    ("github.client_secret_refused", "GITHUB_APP_CLIENT_SECRET"): plants.wrong_client_secret,
    ("github.not_installed", "octo"): plants.no_installation,
    ("github.not_installed", "octo-labs"): plants.with_settings(
        github_accounts=frozenset({"octo", "octo-labs"})
    ),
    ("github.suspended", "octo"): plants.changed(plants.installation, "suspended_at", 1.8e9),
    ("github.account_changed", ""): plants.account_in_new_hands,
    ("github.permission_not_accepted", "octo"): plants.without_permission("organization_custom_roles"),
    ("github.permission_not_asked", "octo"): plants.without_permission(
        "organization_custom_org_roles", asked=False
    ),
    ("repositories.scanning_off", "octo"): plants.changed(
        lambda stage: stage.repository, "secret_scanning", False
    ),
    ("repositories.never_scanned", "octo"): plants.changed(lambda stage: stage.repository, "scanned", False),
    ("repositories.refused", "octo"): plants.on_github(SCAN, status=403, body={"message": "IP not allowed"}),
    ("repositories.not_listed", "octo"): plants.on_github(
        "GET /installation/repositories", status=500, body={"message": "oops"}
    ),
}
WEBHOOKS: Faults = {
    ("webhooks.no_secret", "GITHUB_WEBHOOK_SECRET"): plants.with_settings(github_webhook_secret=None),
    ("webhooks.no_way", "STANCH_SYNC_INTERVAL"): plants.hook_at(None, github_webhook_secret=None),
    ("webhooks.no_address", "GITHUB_WEBHOOK_SECRET"): plants.hook_at(None),
    ("webhooks.other_path", "https://octo.example/hooks"): plants.hook_at("https://octo.example/hooks"),
    ("webhooks.not_encrypted", "http://octo.example/github/webhooks"): plants.hook_at(
        "http://octo.example/github/webhooks"
    ),
    ("webhooks.certificate_not_verified", "WEBHOOK"): plants.changed(
        lambda stage: stage.github, "webhook_insecure", True
    ),
    ("webhooks.event_missing", "member"): plants.changed(
        lambda stage: stage.github, "app_events", plants.FEW_EVENTS
    ),
    ("webhooks.signature_refused", "GITHUB_WEBHOOK_SECRET"): plants.another_secret_at_github,
    ("webhooks.failing", "WEBHOOK"): plants.nobody_at_the_address,
    ("webhooks.some_failed", "WEBHOOK"): plants.one_delivery_failed,
    ("address.other_server", "http://localhost"): plants.somebody_else_s_page,
    ("address.not_found", PUBLIC): plants.with_settings(stanch_public_url=PUBLIC),
    ("address.no_answer", "http://localhost"): plants.proxy_without_server,
    ("address.no_answer", "http://127.0.0.1:9"): plants.with_settings(stanch_public_url="http://127.0.0.1:9"),
    ("address.certificate", "https://localhost"): plants.untrusted("stanch_public_url"),
}
GROUPS = {
    "settings": SETTINGS,
    "queue and people": QUEUE_AND_PEOPLE,
    "slack": SLACK,
    "github": GITHUB,
    "webhooks": WEBHOOKS,
}


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, stanch_audit_key=AUDIT_KEY) as stage:
        yield stage
        stage.check()


async def findings(examined: Examined) -> list[CheckResult]:
    return [result for result in await examine(examined) if result.is_finding]


@pytest.mark.parametrize("socket_mode", [True, False])
async def test_nothing_is_found_on_a_healthy_installation(
    database_url: str, clock: Clock, private_key: str, socket_mode: bool
) -> None:
    stage_is_open = open_stage(
        database_url, clock, private_key, socket_mode=socket_mode, sign_in=True, stanch_audit_key=AUDIT_KEY
    )
    async with stage_is_open as stage:
        await stage.leak()
        settings = stage.settings.model_copy(update={"stanch_public_url": stage.address("")})
        examined = replace(examined_server(stage.context), settings=settings)
        results = await examine(examined)
        assert [result for result in results if result.is_finding] == []
        assert list(report_lines(results))[-1] == "Nothing to do."
        keyless = replace(examined, settings=settings.model_copy(update={"stanch_encryption_keys": None}))
        assert [result.code for result in await findings(keyless)] == ["settings.no_encryption_keys"]
        by_app = Options(github=GitHubOptions(act_as="app"))
        assert await findings(replace(keyless, options=by_app)) == []
        stage.check()


@pytest.mark.parametrize("group", GROUPS)
async def test_each_planted_fault_is_found_and_nothing_else(stage: Stage, group: str) -> None:
    await stage.leak()
    addresses = {
        "SLACK": stage.slack.api_url,
        "DATABASE": stage.context.db.name,
        "GITHUB": stage.github.api_url,
        "WEBHOOK": stage.github.webhook_url or "",
    }
    for (code, subject), plant in GROUPS[group].items():
        async with plant(stage) as examined:
            found = await findings(examined)
        assert [result.code for result in found] == [code], code
        where = addresses.get(subject, subject)
        # The port of a server is another one each time.
        assert re.sub(r"(//localhost):.*", r"\1", found[0].subject) == where, code
        assert sentence(found[0]).endswith((".", "?")), code
        assert remedy(found[0]), code
    assert await findings(healthy(stage)) == []


@pytest.fixture
async def examined_file(sqlite_template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[Examined]:
    """An installation of which nothing but a migrated SQLite file is known."""
    path = tmp_path / "stanch.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0o600)
    async with aiohttp.ClientSession() as session:
        yield examined_database(f"sqlite+aiosqlite:///{path}", clock, session)


def examined_database(url: str, clock: Clock, session: aiohttp.ClientSession) -> Examined:
    db = Database(url, clock=clock, engines=open_engines(url, makes_private=False))
    nothing = {"settings": None, "slack": None, "app_token": None, "github": None, "ours": None}
    return Examined(clock=clock, session=session, options=Options(), db=db, **nothing)  # type: ignore[arg-type]  # None.


async def found_in(examined: Examined) -> list[tuple[str, Level]]:
    """Codes and levels of what was said about the database, which is left as it was."""
    assert examined.db is not None
    assert examined.db.path is not None
    path = examined.db.path
    before = (path.stat().st_mode, path.read_bytes()) if path.exists() else None
    found = [result for result in await examine(examined) if result.group == "database"]
    await examined.db.close()
    assert ((path.stat().st_mode, path.read_bytes()) if path.exists() else None) == before
    assert all(sentence(result) for result in found)
    return [(result.code, result.level) for result in found]


async def test_a_database_that_is_as_it_should_be(examined_file: Examined) -> None:
    assert await found_in(examined_file) == [("database.ok", Level.OK)]


async def test_a_database_that_others_can_read_keeps_its_mode_and_is_named(examined_file: Examined) -> None:
    assert examined_file.db is not None
    assert examined_file.db.path is not None
    examined_file.db.path.chmod(0o644)
    assert await found_in(examined_file) == [("database.open_file", Level.WARNING)]


async def test_a_database_on_a_file_system_of_another_machine(
    examined_file: Examined, tmp_path: Path
) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path} nfs4 rw 0 0\n"
    there = replace(examined_file, mounts=mounts)
    assert await found_in(there) == [("database.on_network", Level.WARNING)]


async def test_a_database_that_does_not_exist_yet_is_not_created(tmp_path: Path, clock: Clock) -> None:
    async with aiohttp.ClientSession() as session:
        examined = examined_database(f"sqlite+aiosqlite:///{tmp_path}/none.db", clock, session)
        assert await found_in(examined) == [("database.empty", Level.NOTE)]
        assert os.listdir(tmp_path) == []
        examined = examined_database(f"sqlite+aiosqlite:///{tmp_path}/no/none.db", clock, session)
        assert await found_in(examined) == [("database.no_folder", Level.FAULT)]


async def test_a_file_that_is_no_database(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "text.db").write_text("no database" * 500)
    (tmp_path / "text.db").chmod(0o600)
    async with aiohttp.ClientSession() as session:
        examined = examined_database(f"sqlite+aiosqlite:///{tmp_path}/text.db", clock, session)
        assert await found_in(examined) == [("database.unreachable", Level.FAULT)]


async def test_a_file_that_can_not_even_be_looked_for_is_a_finding(tmp_path: Path, clock: Clock) -> None:
    """As below a folder that this user may not enter."""
    async with aiohttp.ClientSession() as session:
        examined = examined_database(f"sqlite+aiosqlite:///{tmp_path / ('a' * 300)}", clock, session)
        found = [result for result in await examine(examined) if result.group == "database"]
        assert [(result.code, result.level) for result in found] == [("database.not_writable", Level.FAULT)]


@pytest.mark.parametrize(("revision", "code"), [("0001", "not_migrated"), ("9999", "newer")])
async def test_the_schema_of_another_version_is_named_and_not_migrated(
    examined_file: Examined, revision: str, code: str
) -> None:
    assert examined_file.db is not None
    with sqlite3.connect(str(examined_file.db.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    assert await found_in(examined_file) == [(f"database.{code}", Level.FAULT)]


async def test_another_audit_key_is_noticed(stage: Stage) -> None:
    await stage.leak()
    await stage.click(ADMIN, "take")
    url = stage.settings.database_url
    other = Database(url, clock=stage.clock, audit_key=b"another key", engines=open_engines(url))
    examined = healthy(stage, stanch_operators=frozenset({UNLINKED}))
    found = await findings(replace(examined, db=other))
    await other.close()
    assert [result.code for result in found] == ["database.other_audit_key", "people.operator_not_linked"]


async def test_secrets_in_files_that_others_can_read_are_named(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".env", "app.pem"):
        os.close(os.open(name, os.O_CREAT, 0o640))
    found = await findings(replace(healthy(stage), variables={"GITHUB_APP_PRIVATE_KEY": "app.pem"}))
    assert [(result.code, result.subject) for result in found] == [
        ("settings.open_file", ".env"),
        ("settings.open_file", "app.pem"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user")
async def test_a_file_that_its_owner_lets_our_group_read_is_as_it_should_be(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Kubernetes mounts a secret: for us `chmod 600` would make it unreadable."""
    monkeypatch.chdir(tmp_path)
    for name, mode in (("app.pem", 0o440), (".env", 0o444)):
        os.close(os.open(name, os.O_CREAT, mode))
        os.chown(name, 4711, -1)
    found = await findings(replace(healthy(stage), variables={"GITHUB_APP_PRIVATE_KEY": "app.pem"}))
    assert [(result.code, result.subject) for result in found] == [("settings.open_file", ".env")]


async def test_a_key_file_in_the_home_of_nobody_leaves_the_other_checks(stage: Stage) -> None:
    """It is a fault of the settings, which is found where they are read."""
    variables = {"GITHUB_APP_PRIVATE_KEY": "~nobody-of-that-name/app.pem"}
    assert await findings(replace(healthy(stage), variables=variables)) == []


async def test_a_file_of_settings_that_became_unreadable_is_a_finding_of_the_server_too(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"\xff")
    found = await findings(examined_server(stage.context))
    assert [one.facts["sentence"] for one in found if one.code == "settings.malformed"] == [UNREADABLE_FILE]


class SilentGitHub:
    """Lists repositories, and then answers no more."""

    def __init__(self) -> None:
        self.asked = 0

    def of(self, _: int) -> "SilentGitHub":
        return self

    async def repositories(self) -> AsyncIterator[RepositoryFacts]:
        for number in range(300):
            yield RepositoryFacts(
                number, f"octo/{number}", GitHubAccount(1, "octo"), "Organization", "private", ""
            )

    async def was_scanned(self, _: str) -> bool:
        self.asked += 1
        raise Unreachable("GET /repos", "no answer in time", maybe_done=False)


async def test_repositories_are_not_asked_about_one_by_one_while_github_is_silent(stage: Stage) -> None:
    """Each of them takes ten seconds."""
    silent: Any = SilentGitHub()
    [octo] = [one async for one in stage.context.github.installations()]
    examined = replace(healthy(stage), github=silent)
    [found] = await check_repositories(examined, [octo])
    assert (found.code, found.facts["number"]) == ("repositories.not_asked", "300")
    assert silent.asked < 20


async def test_no_password_of_the_webhook_s_address_is_shown(stage: Stage) -> None:
    secret_parts = "https://ana:pa55w0rd@stanch.octo.example/elsewhere?key=pa55w0rd"
    async with plants.hook_at(secret_parts)(stage) as examined:
        found = await examine(examined)
    [result] = [one for one in found if one.code == "webhooks.other_path"]
    assert result.subject == "https://stanch.octo.example/elsewhere"
    assert "pa55w0rd" not in "\n".join(report_lines(found))


NOT_PLANTED = {
    "settings.stream_not_writable",  # The same.
    "database.not_writable",  # Tests may run as root, who can write everywhere.
    "database.little_space",
    "slack.app_token_scope",  # Below, with Socket Mode.
    "slack.no_socket_mode",
    "people.operator_left",
}


async def test_socket_mode_that_can_t_be_opened(database_url: str, clock: Clock, private_key: str) -> None:
    async with open_stage(
        database_url, clock, private_key, socket_mode=True, stanch_audit_key=AUDIT_KEY
    ) as stage:
        tickets, scopes = stage.slack.world.tickets, stage.slack.world.app.app_token_scopes
        scopes.clear()
        assert [one.code for one in await findings(healthy(stage))] == ["slack.app_token_scope"]
        scopes.add("connections:write")
        tickets.on = False
        assert [one.code for one in await findings(healthy(stage))] == ["slack.no_socket_mode"]
        tickets.on = True
        stage.slack.workspace.change_user(OWNER, deleted=True)
        examined = healthy(stage, stanch_operators=frozenset({OWNER}))
        assert [one.code for one in await findings(examined)] == ["people.operator_left"]


def test_each_finding_is_planted() -> None:
    planted = {code for group in GROUPS.values() for code, _ in group}
    source = Path(__file__).read_text()
    named = {code for code in WORDS if f'"{code}"' in source or f'"{code.partition(".")[2]}"' in source}
    assert {code for code, (_, advice) in WORDS.items() if advice} - planted - NOT_PLANTED <= named
    codes = {
        found
        for path in (Path(__file__).parents[2] / "bot/flows/doctor").glob("*.py")
        for found in re.findall(rf'"((?:{"|".join(CHECK_GROUPS)})\.[a-z_]+)"', path.read_text())
    }
    assert codes == set(WORDS)


@pytest.mark.parametrize("user", [OWNER, UNLINKED])
async def test_an_operator_gets_the_counts_alone_linked_or_not(
    database_url: str, clock: Clock, private_key: str, user: str
) -> None:
    operators = frozenset({OWNER, UNLINKED})
    async with open_stage(
        database_url, clock, private_key, stanch_audit_key=AUDIT_KEY, stanch_operators=operators
    ) as stage:
        stage.repository.secret_scanning = False
        said = await stage.type(user, "doctor")
        assert "The doctor found 2 warnings." in said
        assert "People: 1 warning" in said
        assert "payments" not in said
        assert UNLINKED not in said
        stage.check()


async def test_nobody_else_may_ask_the_doctor(stage: Stage) -> None:
    before = len(stage.github.requests)
    assert "Only operators may ask the doctor." in await stage.type(OWNER, "doctor")
    assert len(stage.github.requests) == before
