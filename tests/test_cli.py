"""The command line: what each command does, and its exit status (0 done, 1 failed with a sentence, 2 wrong usage)."""

import asyncio
import base64
import contextlib
import csv
import io
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.script import ScriptDirectory

from bot.cli.github_accounts import open_accounts
from bot.cli.identity_file import Row
from bot.cli.identity_import import import_rows
from bot.cli.main import main
from bot.errors import StartRefused
from bot.flows.people.sealed_tokens import TokenOwner, seal, unseal
from bot.flows.people.settle_identity import settle
from bot.settings import IdentitySettings, load_settings
from integrations.github.oauth import UserTokens
from integrations.literal import Literal
from integrations.sandbox.github import GitHubSandbox, GitHubUser, generate_private_key
from integrations.sandbox.slack import SlackSandbox
from storage import directory_pairs, identities, job_queue, jobs, sign_ins
from storage.clock import Clock
from storage.db import Database
from storage.encryption import Keyring
from storage.migrations import VERSIONS
from storage.migrations.upgrade import config
from storage.records import (
    Account,
    DirectoryPair,
    GitHubId,
    Identity,
    Job,
    JobState,
    NewJob,
    Parked,
    SignIn,
    SlackTeamId,
    SlackUserId,
    StoredTokens,
    Suspension,
)
from tests.processes.bot import ENVIRONMENT
from tests.storage.test_audit import tamper

pytestmark = pytest.mark.either_database

STANCH = Path(sys.executable).with_name("stanch")
"""The command as pip installs it."""
TEAM = "T0STANCH"
AUDIT_KEY = "a key for tests"
COLUMNS = [
    *("seq", "at", "slack_team", "slack_user", "github_login", "github_id", "action", "repository_id"),
    *("repository", "alert_number", "outcome", "reason", "previous", "hash"),
]


@dataclass(frozen=True, slots=True)
class Result:
    """The exit status and the output of a command."""

    status: int
    output: str
    errors: str

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()


class Operator:
    """Runs commands and collects all that they print."""

    def __init__(self, github: GitHubSandbox) -> None:
        self.github = github
        self.seen = ""

    async def __call__(self, *words: str) -> Result:
        """Run `stanch WORDS` in a thread of this process."""
        result = await asyncio.to_thread(_run, words)
        self.seen += result.output + result.errors
        return result

    async def done(self, *words: str) -> list[str]:
        """The lines of a command that must succeed."""
        result = await self(*words)
        assert (result.status, result.errors) == (0, "")
        return result.lines

    async def empty(self, *words: str) -> str:
        """The remark of a command that must succeed with nothing to print."""
        result = await self(*words)
        assert (result.status, result.output) == (0, "")
        [remark] = result.errors.splitlines()
        assert remark.endswith(".")
        return remark

    async def faults(self, *words: str) -> list[str]:
        """The sentences of a command that must fail."""
        result = await self(*words)
        assert (result.status, result.output) == (1, "")
        sentences = result.errors.splitlines()
        assert all(sentence.endswith(".") for sentence in sentences)
        return sentences

    async def fails(self, *words: str) -> str:
        """The one sentence of a command that must fail."""
        [sentence] = await self.faults(*words)
        return sentence


def _run(words: tuple[str, ...]) -> Result:
    output, errors = io.StringIO(), io.StringIO()
    with _logging_left_alone(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            main(words)
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return Result(status, output.getvalue(), errors.getvalue())


@contextlib.contextmanager
def _logging_left_alone() -> Iterator[None]:
    """Restore the tests' logging, which a command sets up for its process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture(scope="module")
def private_key() -> str:
    return generate_private_key()


@pytest.fixture
async def stanch(
    database_url: str, tmp_path: Path, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Operator]:
    """The commands, with a new database and a stand-in GitHub. At the end no secret must have been printed."""
    monkeypatch.chdir(tmp_path)
    async with GitHubSandbox(private_key=private_key) as github:
        github.add_user("ana")
        github.add_user("ben")
        github.install(github.app_owner)
        secrets = {"GITHUB_APP_PRIVATE_KEY": private_key, "STANCH_AUDIT_KEY": AUDIT_KEY}
        for name, value in {
            "GITHUB_APP_ID": str(github.app_id),
            "GITHUB_API_URL": github.api_url,
            "GITHUB_URL": github.url,
            "DATABASE_URL": database_url,
            **secrets,
        }.items():
            monkeypatch.setenv(name, value)
        operator = Operator(github)
        yield operator
        assert github.violations == []
        assert not any(secret in operator.seen for secret in secrets.values())


async def test_the_version_is_printed(stanch: Operator) -> None:
    [line] = await stanch.done("--version")
    assert line.startswith("stanch ")


DEMO_PACKAGES = ("jsonschema_rs",)
WITHOUT = f"import sys; sys.modules.update(dict.fromkeys({DEMO_PACKAGES}));"


@pytest.mark.parametrize("word", ["doctor", "setup", "migrate"])
def test_a_folder_that_was_removed_meanwhile_is_one_sentence(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ended = _run((word,))
    assert (ended.status, ended.output) == (1, "")
    assert ended.errors == (
        "The folder in which this was started does not exist any more: change to another one.\n"
    )


def test_a_server_loads_no_other_command_and_the_command_line_no_package_of_the_demo() -> None:
    others = ("bot.cli.", "bot.flows.doctor", "bot.flows.setup")
    packages = ("alembic", "sqlalchemy.dialects.postgresql", "rich", "pygments")
    program = (
        f"{WITHOUT} from bot.__main__ import import_structlog; import_structlog();"
        "from bot.cli.main import import_commands; import_commands(['serve', '--role', 'web']);"
        f"print(*sorted(name for name in sys.modules if name.startswith({others + packages})));"
        "import_commands(['--help'])"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout == "bot.cli.console bot.cli.main bot.cli.serve\n"


def test_the_demo_says_what_to_install_if_its_packages_are_missing() -> None:
    program = f"{WITHOUT} from bot.cli.main import main; main(['demo', '--port', '0'])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "The demo needs jsonschema_rs; make demo installs it, and so does pip install '.[demo]'.\n"
    )


def test_the_demo_says_which_port_to_take_if_its_own_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = [sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(port)]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
    free = port + 1
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"Port {port} is taken by another program. "
        f"Take another one: make demo PORT={free}, or stanch demo --port {free}.\n"
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS always has a display, and opens by osascript")
@pytest.mark.parametrize(
    ("display", "installed", "opened"),
    [
        ({"DISPLAY": ":0"}, ["firefox", "lynx"], "firefox"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ["firefox"], "firefox"),
        ({}, ["firefox"], "None"),
        ({"BROWSER": "firefox"}, ["firefox"], "None"),
        ({"DISPLAY": ":0"}, ["lynx", "elinks", "www-browser"], "None"),
        ({"DISPLAY": ":0"}, ["elinks"], "None"),
        ({"DISPLAY": ":0", "BROWSER": "lynx"}, ["firefox", "lynx"], "None"),
    ],
)
def test_the_demo_opens_a_browser_only_in_a_window(
    tmp_path: Path, display: dict[str, str], installed: list[str], opened: str
) -> None:
    for name in installed:
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    code = (
        "from bot.browser import browser_with_windows\nprint(getattr(browser_with_windows(), 'name', None))"
    )
    environment = {"PATH": str(tmp_path), "TERM": "xterm", "PYTHONPATH": str(Path.cwd()), **display}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.strip() == opened


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("identities", "nonsense"),
        ("identities", "add", "U0ANA"),
        ("subscriptions", "add"),
        ("jobs", "retry"),
        ("jobs", "retry", "7", "--all"),
        ("jobs", "retry", "seven"),
        ("jobs", "retry", "99999999999999999999"),
        ("audit", "export", "--format", "xml"),
        ("serve", "--port", "99999"),
        ("serve", "--role", "nobody"),
        ("migrate", "--nonsense"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_wrong_usage_has_the_status_2(stanch: Operator, words: tuple[str, ...]) -> None:
    result = await stanch(*words)
    assert (result.status, result.output) == (2, "")
    assert "Traceback" not in result.errors


async def test_migrate_creates_a_database(stanch: Operator, empty_database_url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", empty_database_url)
        [line] = await stanch.done("migrate")
        assert line.endswith(" was migrated from nothing to the schema of version 0.2.0.")
        assert "postgres@" not in line
        [line] = await stanch.done("migrate")
        assert line.endswith(" is up to date, with the schema of version 0.2.0.")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_move_needs_a_database_to_move_and_a_new_one(
    stanch: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    move = ("migrate", "--to-new")
    assert await stanch.fails(*move) == (
        "DATABASE_URL_NEW is not set: set it to the address of a new, empty database."
    )
    monkeypatch.setenv("DATABASE_URL_NEW", os.environ["DATABASE_URL"])
    assert "which is moved: name a new one." in await stanch.fails(*move)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    assert "There is nothing to move: the database at " in await stanch.fails(*move)
    assert not (tmp_path / "none.db").exists()
    monkeypatch.setenv("DATABASE_URL_NEW", "mysql://x")
    assert (await stanch.fails(*move)).startswith("DATABASE_URL_NEW must start with ")


async def test_migrate_says_from_which_version(stanch: Operator, empty_database_url: str) -> None:
    db = Database(empty_database_url, clock=Clock())
    async with db.begin() as tx:
        await tx.conn.run_sync(lambda conn: command.upgrade(config(conn), "0001"))
    await db.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", empty_database_url)
        [line] = await stanch.done("migrate")
    assert line.endswith(" was migrated from the schema of version 0.1.0 to the schema of version 0.2.0.")


def test_each_migration_has_the_version_that_brought_it() -> None:
    assert sorted(VERSIONS) == sorted(
        one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()
    )


SHELLS = {
    "bash": ({"COMP_WORDS": "stanch ", "COMP_CWORD": "1"}, "serve"),
    "zsh": ({"_TYPER_COMPLETE_ARGS": "stanch identities im"}, "import"),
    "fish": (
        {"_TYPER_COMPLETE_ARGS": "stanch serve --ro", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        "--role",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_completes_commands_and_options(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, expected = SHELLS[shell]
    for name, value in (*variables.items(), ("_STANCH_COMPLETE", f"complete_{shell}")):
        monkeypatch.setenv(name, value)
    found = _run(())
    assert (found.status, found.errors) == (0, "")
    assert expected in found.output


def test_the_installed_command_completes() -> None:
    variables, expected = SHELLS["bash"]
    environment = {**os.environ, **variables, "_STANCH_COMPLETE": "complete_bash"}
    found = subprocess.run([STANCH], capture_output=True, text=True, check=True, env=environment)
    assert expected in found.stdout
    assert found.stderr == ""


def test_the_script_for_completion_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typer would ask which shell started the process, and `sh`, from which make starts it, has no completion."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "_STANCH_COMPLETE=complete_bash" in _run(("--show-completion", "bash")).output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_directory_is_not_read_without_slack(
    stanch: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "1")
    sentence = await stanch.fails("identities", "sync")
    assert sentence == "The directory could not be read: Slack has not said yet which workspace this is."


async def test_only_the_owner_can_read_sqlites_file(stanch: Operator, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL")
        await stanch.done("migrate")
    assert (tmp_path / "stanch.db").stat().st_mode & 0o777 == 0o600


async def test_identities_are_added_with_githubs_numeric_id_listed_and_removed(stanch: Operator) -> None:
    ana = stanch.github.user("ana")
    assert ana is not None
    added = await stanch.done("identities", "add", "U0ANA", "ANA", "--team", TEAM)
    *columns, since = added[0].split("\t")
    assert columns == [TEAM, "U0ANA", "ana", str(ana.id), "mapping"]
    assert since.endswith("Z")
    assert await stanch.done("identities", "list") == added
    [removed] = await stanch.done("identities", "remove", "U0ANA", "--team", TEAM)
    assert removed == f"Removed {added[0]}"
    assert "Nobody is linked yet" in await stanch.empty("identities", "list")


async def test_malformed_and_contradicting_identities_are_refused(stanch: Operator) -> None:
    add = ("identities", "add")
    assert "not a Slack user id" in await stanch.fails(*add, "ana", "ana", "--team", TEAM)
    assert "not a GitHub login" in await stanch.fails(*add, "U0ANA", "a/b", "--team", TEAM)
    assert "no account nobody" in await stanch.fails(*add, "U0ANA", "nobody", "--team", TEAM)
    assert "octo is no person's account" in await stanch.fails(*add, "U0ANA", "octo", "--team", TEAM)
    assert "workspace is not known yet" in await stanch.fails(*add, "U0ANA", "ana")
    await stanch.done(*add, "U0ANA", "ana", "--team", TEAM)
    assert "U0ANA is ana" in await stanch.fails(*add, "U0BEN", "ana", "--team", TEAM)
    assert "U0ANA is ana" in await stanch.fails(*add, "U0ANA", "ben", "--team", TEAM)
    assert "No identity is known" in await stanch.fails("identities", "remove", "U0BEN", "--team", TEAM)


async def signed_in(db: Database, user: str, account: GitHubUser, tokens: StoredTokens | None = None) -> None:
    """Store a sign-in, as the running server does."""
    async with db.begin() as tx:
        known = Account(GitHubId(account.id), account.login)
        new = SignIn(SlackTeamId(TEAM), SlackUserId(user), known, tx.now, tx.now + 9e6, tokens)
        await sign_ins.save(tx, new)
        await settle(tx, new.slack_team, users=[new.slack_user], accounts=[known.id], by="sign_in")


def columns(lines: list[str]) -> list[list[str]]:
    """User, login, source and suspension of listed identities."""
    return [[line.split("\t")[n] for n in (1, 2, 4)] + line.split("\t")[6:] for line in lines]


@pytest.fixture
async def ana(stanch: Operator) -> GitHubUser:
    found = stanch.github.user("ana")
    assert found is not None
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_add_decides_about_a_disagreement(stanch: Operator, db: Database, ana: GitHubUser) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await signed_in(db, "U0EVE", ana)
    listed = await stanch("identities", "list")
    assert columns(listed.lines) == [["U0ANA", "ana", "mapping", "suspended: signed_in_elsewhere"]]
    assert "until an operator decides" in listed.errors
    assert columns(await stanch.done("identities", "add", "U0EVE", "ana", "--team", TEAM)) == [
        ["U0EVE", "ana", "sign_in"]
    ]
    assert columns(await stanch.done("identities", "list")) == [["U0EVE", "ana", "sign_in"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_remove_takes_back_what_was_wrong_about_a_disagreement(
    stanch: Operator, db: Database, ana: GitHubUser
) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await signed_in(db, "U0EVE", ana)
    [line] = await stanch.done("identities", "remove", "U0EVE", "--team", TEAM)
    assert line == "Removed the sign-in of U0EVE to ana"
    assert columns(await stanch.done("identities", "list")) == [["U0ANA", "ana", "mapping"]]
    # The other way round: the operator's own word was wrong.
    await signed_in(db, "U0EVE", ana)
    await stanch.done("identities", "remove", "U0ANA", "--team", TEAM)
    assert columns(await stanch.done("identities", "list")) == [["U0EVE", "ana", "sign_in"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_remove_leaves_the_sign_in_that_an_operator_s_link_disagreed_with(
    stanch: Operator, db: Database, ana: GitHubUser
) -> None:
    await stanch.done("identities", "add", "U0ANA", "ben", "--team", TEAM)
    await signed_in(db, "U0ANA", ana)
    result = await stanch("identities", "remove", "U0ANA", "--team", TEAM)
    removed, left = result.lines
    assert removed.startswith(f"Removed {TEAM}\tU0ANA\tben\t")
    assert columns([left]) == [["U0ANA", "ana", "sign_in"]]
    assert "Another source still links this person" in result.errors


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_remove_of_a_link_that_counts_forgets_every_source(
    stanch: Operator, db: Database, ana: GitHubUser
) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await signed_in(db, "U0ANA", ana, StoredTokens("0a1b2c3d", b"sealed", None, None, None))
    await stanch.done("identities", "remove", "U0ANA", "--team", TEAM)
    await stanch.empty("identities", "list")
    async with db.read() as tx:
        assert await sign_ins.load(tx, SlackTeamId(TEAM), SlackUserId("U0ANA")) is None
        ready = await jobs.list_jobs(tx, states=[JobState.READY])
    assert "delete_tokens" in {job.kind for job in ready}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_pair_that_the_directory_changed_is_looked_for_anew_after_remove(
    stanch: Operator, db: Database, ana: GitHubUser
) -> None:
    team, user = SlackTeamId(TEAM), SlackUserId("U0ANA")
    async with db.begin() as tx:
        known = Account(GitHubId(ana.id), ana.login)
        pair = DirectoryPair(team, user, known, "saml", "hash", tx.now, tx.now)
        await directory_pairs.pin(tx, pair)
        await directory_pairs.suspend(tx, pair, Suspension.DIRECTORY_CHANGED)
        await settle(tx, team, users=[user], by="directory")
    assert columns((await stanch("identities", "list")).lines) == [
        ["U0ANA", "ana", "directory", "suspended: directory_changed"]
    ]
    await stanch.done("identities", "remove", "U0ANA", "--team", TEAM)
    async with db.read() as tx:
        assert await directory_pairs.of_user(tx, team, user) == []


OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))
IN_BASE64 = {key: base64.urlsafe_b64encode(key).decode() for key in (OLD_KEY, NEW_KEY)}


async def test_tokens_are_encrypted_again_with_a_new_key(
    stanch: Operator, db: Database, ana: GitHubUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "STANCH_ENCRYPTION_KEYS is not set" in await stanch.fails("identities", "rotate")
    tokens = UserTokens(Literal("access-of-ana"), None, Literal("refresh-of-ana"), None)
    for number in range(3):
        owner = TokenOwner(SlackTeamId(TEAM), SlackUserId(f"U0P{number}"), GitHubId(ana.id))
        # The last one's ciphertext was copied from another row.
        sealed = seal(Keyring([OLD_KEY]), replace(owner, user=SlackUserId(f"U0P{number % 2}")), tokens)
        await signed_in(db, owner.user, ana, sealed)
    monkeypatch.setenv("STANCH_ENCRYPTION_KEYS", f"{IN_BASE64[NEW_KEY]},{IN_BASE64[OLD_KEY]}")
    result = await stanch("identities", "rotate")
    assert result.lines == ["2 encrypted again with the first key, 0 had it already."]
    assert result.errors == (
        f"The token of U0P2 in {TEAM} (ana) can't be decrypted: it was made for another row or field, "
        "or was changed.\n"
    )
    async with db.read() as tx:
        for number in range(2):
            stored = await sign_ins.load(tx, SlackTeamId(TEAM), SlackUserId(f"U0P{number}"))
            assert stored is not None
            assert stored.tokens is not None
            owner = TokenOwner(SlackTeamId(TEAM), stored.slack_user, GitHubId(ana.id))
            again = unseal(Keyring([NEW_KEY]), owner, stored.tokens)
            assert again.refresh is not None
            assert (again.access.reveal(), again.refresh.reveal()) == ("access-of-ana", "refresh-of-ana")
    assert (await stanch("identities", "rotate")).lines == [
        "0 encrypted again with the first key, 2 had it already."
    ]
    assert "access-of-ana" not in stanch.seen


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_before_the_first_start_slack_is_asked_for_the_workspace(
    stanch: Operator, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    add = ("identities", "add", "U0ANA", "ana")
    async with SlackSandbox() as slack:
        monkeypatch.setenv("SLACK_API_URL", slack.api_url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-nobody")
        assert "refuses SLACK_BOT_TOKEN (invalid_auth)" in await stanch.fails(*add)
        monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
        [line] = await stanch.done(*add)
        assert line.startswith(f"{slack.team_id}\tU0ANA\tana\t")
    monkeypatch.setenv("SLACK_API_URL", f"http://127.0.0.1:{unused_tcp_port}/api/")
    assert "could not be asked for the workspace" in await stanch.fails(*add)


async def test_adding_an_identity_while_github_is_down_fails_with_the_reason(stanch: Operator) -> None:
    stanch.github.faults.add(r".*", status=503)
    assert "GitHub could not be asked for ana" in await stanch.fails(
        "identities", "add", "U0ANA", "ana", "--team", TEAM
    )


PLAIN = f"github_login,slack_user,team\nana,U0ANA,{TEAM}\nben,U0BEN,{TEAM}\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (PLAIN, "utf-8"),
        (PLAIN, "utf-8-sig"),
        (PLAIN.replace(",", "\t"), "utf-16"),
        (PLAIN.replace(",", ";").replace("\n", "\r\n"), "utf-8-sig"),
        (PLAIN.replace(",", "|"), "utf-8"),
        ("sep=;\r\n" + PLAIN.replace(",", ";"), "utf-8"),
        (PLAIN.replace("\n", "\n\n,,\n"), "utf-8"),
        ("\n" + PLAIN.replace("github_login", ' "GitHub_Login" ').replace('" ', '"'), "utf-8"),
        (PLAIN + PLAIN.split("\n", 1)[1], "utf-8"),
    ],
    ids=(
        "plain",
        "byte order mark",
        "Unicode text of Excel",
        "semicolons",
        "bars",
        "sep=",
        "blank",
        "spaces",
        "twice",
    ),
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_csv_file_is_imported_as_spreadsheets_save_it(
    stanch: Operator, tmp_path: Path, content: str, encoding: str
) -> None:
    people = tmp_path / "people.csv"
    people.write_bytes(content.encode(encoding))
    assert [line.split("\t")[1:3] for line in await stanch.done("identities", "import", str(people))] == [
        ["U0ANA", "ana"],
        ["U0BEN", "ben"],
    ]
    assert len(await stanch.done("identities", "list")) == 2
    assert len(await stanch.done("audit", "export")) == 2


async def test_the_workspace_of_a_csv_file_may_be_an_option(stanch: Operator, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("slack_user,github_login\nU0ANA,ana\n")
    assert "name it with --team" in await stanch.fails("identities", "import", str(people))
    assert "not a Slack workspace id" in await stanch.fails(
        "identities", "import", str(people), "--team", "octo"
    )
    [line] = await stanch.done("identities", "import", str(people), "--team", TEAM)
    assert line.startswith(f"{TEAM}\tU0ANA\tana\t")


async def test_an_import_links_all_rows_or_none_and_names_every_fault_with_its_line(
    stanch: Operator, tmp_path: Path
) -> None:
    await stanch.done("identities", "add", "U0BEN", "ben", "--team", TEAM)
    people = tmp_path / "people.csv"
    people.write_text(
        "slack_user,github_login\n\nU0ANA,ana\n\n,\nana,ana\n"
        "U0CLEO,nobody\nU0DORA,ana\nU0ELI,ben\nU0ANA,nobody\n"
    )
    sentences = await stanch.faults("identities", "import", str(people), "--team", TEAM)
    assert [sentence.removeprefix(f"{people}, ").partition(":")[0] for sentence in sentences] == [
        "line 6",
        "line 7",
        "line 8",
        "line 9",
        "line 10",
    ]
    for sentence, words in zip(
        sentences,
        (
            "'ana' is not a Slack user id",
            "GitHub has no account nobody",
            "U0DORA and ana contradict line 3.",
            "(U0BEN is ben)",
            "GitHub has no account nobody",
        ),
        strict=True,
    ):
        assert words in sentence
    assert sentences[-1].endswith("Nobody was linked.")
    assert [line.split("\t")[1] for line in await stanch.done("identities", "list")] == ["U0BEN"]
    assert len(await stanch.done("audit", "export")) == 1


FAILS = """
CREATE TRIGGER fails BEFORE INSERT ON identity WHEN NEW.slack_user = 'U0P40' BEGIN SELECT json('{'); END
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_import_that_stops_says_where_and_goes_on_when_it_is_repeated(
    stanch: Operator, db: Database, tmp_path: Path
) -> None:
    """A few people at a time: whoever is linked stays linked, and is told once."""
    logins = [f"person-{number}" for number in range(60)]
    for login in logins:
        stanch.github.add_user(login)
    people = tmp_path / "people.csv"
    rows = (f"U0P{number},{login}\n" for number, login in enumerate(logins))
    people.write_text("slack_user,github_login\n" + "".join(rows))
    words = ("identities", "import", str(people), "--team", TEAM)
    async with db.begin() as tx:
        await tx.conn.execute(sa.text(FAILS))
    sentence = await stanch.fails(*words)
    assert "malformed JSON." in sentence
    assert f"25 of 60 people are linked, those before line 27 of {people}." in sentence
    before = await stanch.done("identities", "list")
    assert len(before) == 25
    async with db.begin() as tx:
        await tx.conn.execute(sa.text("DROP TRIGGER fails"))
    assert len(await stanch.done(*words)) == 60
    after = await stanch.done("identities", "list")
    assert (len(after), set(before) <= set(after)) == (60, True), "an earlier link has another time now"
    async with db.read() as tx:
        notices = await jobs.unfinished(tx, "tell_identity", 0, 99)
    assert len(notices) == 60
    assert {round(job.run_at - job.created_at) for job in notices} == {0, 60, 120}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_import_that_is_interrupted_says_how_many_are_linked(
    stanch: Operator, db: Database, tmp_path: Path
) -> None:
    rows = [Row(number + 2, f"U0P{number}", f"person-{number}", TEAM) for number in range(100)]
    for row in rows:
        stanch.github.add_user(row.login)
    async with open_accounts(load_settings(IdentitySettings), db) as accounts:
        running = asyncio.create_task(
            import_rows(db, accounts, tmp_path / "people.csv", rows, None, dry_run=False)
        )
        while not await linked(db) and not running.done():  # noqa: ASYNC110 - the database has no event for it.
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(StartRefused) as stopped:
            await running
    number = len(await linked(db))
    assert f"interrupted. {number} of 100 people are linked, those before line {number + 2} of" in str(
        stopped.value
    )


async def linked(db: Database) -> list[Identity]:
    async with db.read() as tx:
        return await identities.all_identities(tx)


async def test_a_dry_run_of_an_import_checks_all_and_links_nobody(stanch: Operator, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("slack_user,github_login\nU0ANA,ana\n")
    result = await stanch("identities", "import", str(people), "--team", TEAM, "--dry-run")
    assert (result.status, result.errors) == (0, "Nobody was linked: this was a dry run.\n")
    assert result.lines[0].startswith(f"{TEAM}\tU0ANA\tana\t")
    await stanch.empty("identities", "list")
    await stanch.empty("audit", "export")
    await stanch.empty("jobs", "list")
    people.write_text("slack_user,github_login\nU0ANA,nobody\n")
    assert "line 2" in await stanch.fails("identities", "import", str(people), "--team", TEAM, "--dry-run")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_import_while_github_is_down_fails_with_one_sentence(
    stanch: Operator, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("slack_user,github_login\nU0ANA,ana\nU0BEN,ben\n")
    stanch.github.faults.add(r".*", status=503)
    assert "could not be asked" in await stanch.fails("identities", "import", str(people), "--team", TEAM)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("slack_user,login\nU0ANA,ana\n", "lacks the column github_login"),
        ("", "lacks the column slack_user and the column github_login"),
        ("slack_user,github_login\n\n", "has no row below its first line"),
        ("slack_user,github_login\nU0ANA\n", "line 2: github_login is empty"),
        ("slack_user,github_login\n,ana\n", "line 2: slack_user is empty"),
        ("slack_user,github_login\nU0ANA,ana,x\n", "line 2: has more cells than the first line has columns"),
        ('slack_user,github_login\n"U0ANA,ana\n', "can't be read as CSV"),
        ('slack_user,github_login,note\nU0ANA,ana,"a\nb"\nU0BEN,,\n', "line 4: github_login is empty"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_bad_line_of_a_csv_file_is_named(
    stanch: Operator, tmp_path: Path, content: str, words: str
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(content)
    sentence = await stanch.fails("identities", "import", str(people), "--team", TEAM)
    assert words in sentence
    assert str(people) in sentence


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_is_not_csv_is_named(stanch: Operator, tmp_path: Path) -> None:
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff\xfe")
    for name in ("image.csv", "missing.csv", "."):
        assert "can't be read as CSV" in await stanch.fails("identities", "import", str(tmp_path / name))


async def test_subscriptions_are_added_replaced_listed_and_removed(stanch: Operator) -> None:
    assert "No channel is subscribed" in await stanch.empty("subscriptions", "list")
    assert await stanch.done("subscriptions", "add", "C0ALL") == ["C0ALL gets every alert."]
    await stanch.done("subscriptions", "add", "C0PAY", "repo:octo/payments")
    replaced = await stanch.done("subscriptions", "add", "C0PAY", "org:octo")
    assert replaced == ["C0PAY gets org:octo instead of repo:octo/payments."]
    assert await stanch.done("subscriptions", "list") == ["C0ALL\tevery alert", "C0PAY\torg:octo"]
    await stanch.done("subscriptions", "remove", "C0ALL")
    assert await stanch.done("subscriptions", "list") == ["C0PAY\torg:octo"]
    assert "has no subscription" in await stanch.fails("subscriptions", "remove", "C0ALL")
    assert "not a channel id" in await stanch.fails("subscriptions", "add", "#general")
    assert "repos" in await stanch.fails("subscriptions", "add", "C0ALL", "repos:octo/payments")


async def test_options_of_a_subscription_are_written_like_its_filter(stanch: Operator) -> None:
    added = await stanch.done("subscriptions", "add", "C0PAY", "org:octo", "thread=all", "mention=S012AB3CD")
    assert added == ["C0PAY gets org:octo, thread=all, mention=S012AB3CD."]
    await stanch.done("subscriptions", "add", "C0PAY", "repo:octo/web", "thread=none")
    listed = await stanch.done("subscriptions", "list")
    assert listed == ["C0PAY\trepo:octo/web\tthread=none\tmention=S012AB3CD"]
    await stanch.done("subscriptions", "add", "C0PAY", "repo:octo/web thread=actions mention=none")
    assert await stanch.done("subscriptions", "list") == ["C0PAY\trepo:octo/web"]
    assert "Did you mean `thread=all`?" in await stanch.fails("subscriptions", "add", "C0PAY", "thread=al")
    assert "Did you mean `thread=`?" in await stanch.fails("subscriptions", "add", "C0PAY", "threads=all")
    assert "would notify everybody" in await stanch.fails("subscriptions", "add", "C0PAY", "mention=@here")
    assert "write the id" in await stanch.fails("subscriptions", "add", "C0PAY", "mention=@security")
    rows = [json.loads(line) for line in await stanch.done("audit", "export")]
    assert [row["reason"] for row in rows] == [
        "cli: C0PAY org:octo thread=all mention=S012AB3CD",
        "cli: C0PAY repo:octo/web thread=none mention=S012AB3CD",
        "cli: C0PAY repo:octo/web",
    ]


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        (("org:octo -repo:octo/web",), "org:octo -repo:octo/web"),
        (("org:octo", "-repo:octo/web"), "-repo:octo/web org:octo"),
        (("-repo:octo/web",), "-repo:octo/web"),
        (("\u2013repo:octo/web", "org:octo"), "-repo:octo/web org:octo"),
        (("org:octo", "secret-type:My Pattern"), 'secret-type:"my pattern" org:octo'),
        (("org:octo", "-secret-type:\u2018My Pattern\u2019"), '-secret-type:"my pattern" org:octo'),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_filter_may_be_one_word_or_several(
    stanch: Operator, words: tuple[str, ...], stored: str
) -> None:
    [line] = await stanch.done("subscriptions", "add", "C0PAY", *words)
    assert sorted(line.removeprefix("C0PAY gets ").removesuffix(".").split()) == sorted(stored.split())


@pytest.mark.parametrize(
    "words", [("repo:octo/web", "-repo:octo/web"), ("org:octo repo:labs/web",), ("-bypassed:true,false",)]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_subscription_that_can_never_match_is_refused(
    stanch: Operator, words: tuple[str, ...]
) -> None:
    assert "no alert can match" in await stanch.fails("subscriptions", "add", "C0PAY", *words)
    await stanch.empty("subscriptions", "list")


async def test_parked_jobs_are_listed_and_retried(stanch: Operator, db: Database) -> None:
    assert await stanch.empty("jobs", "list") == "No job waits, runs or is parked."
    parked = [await _park(db, f"it failed {number} times") for number in (1, 2, 3)]
    lines = await stanch.done("jobs", "list")
    assert [line.split("\t") for line in lines] == [
        [str(job.id), "parked", "nothing", "1", f"it failed {number} times"]
        for number, job in enumerate(parked, start=1)
    ]
    assert await stanch.done("jobs", "retry", str(parked[0].id)) == [f"Job {parked[0].id} runs again."]
    assert "No parked job" in await stanch.fails("jobs", "retry", str(parked[0].id))
    assert await stanch.done("jobs", "retry", "--all") == ["2 jobs run again."]
    assert [line.split("\t")[1] for line in await stanch.done("jobs", "list")] == ["ready"] * 3


async def test_the_audit_log_is_exported_and_verified(stanch: Operator) -> None:
    assert "has no row yet" in await stanch.empty("audit", "export")
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await stanch.done("subscriptions", "add", "C0ALL")
    rows = [json.loads(line) for line in await stanch.done("audit", "export")]
    assert [list(row) for row in rows] == [COLUMNS, COLUMNS]
    assert [(row["seq"], row["action"], row["outcome"]) for row in rows] == [
        (1, "link_identity", "done"),
        (2, "subscribe", "done"),
    ]
    table = list(csv.DictReader(await stanch.done("audit", "export", "--format", "csv")))
    assert [row["hash"] for row in table] == [row["hash"] for row in rows]
    assert await stanch.done("audit", "export", "--since", rows[0]["at"]) != []
    assert "has no row since then" in await stanch.empty("audit", "export", "--since", "2999-01-01")
    assert "is not a time" in await stanch.fails("audit", "export", "--since", "yesterday")
    head = rows[-1]["hash"]
    assert await stanch.done("audit", "verify") == [f"2 rows verify; the head is {head}."]
    assert await stanch.done("audit", "verify", "--head", rows[0]["hash"]) != []
    assert await stanch.done("audit", "verify", "--head", f" {head.upper()}\n") != []
    assert "does not verify" in await stanch.fails("audit", "verify", "--head", "f" * 64)
    for typed in ("abc", head[:-1], f"{head[:-1]}g", ""):
        sentence = await stanch.fails("audit", "verify", "--head", typed)
        assert "is not a hash of 64 characters" in sentence
        assert "replaced" not in sentence


async def test_a_changed_row_of_the_audit_log_is_found(stanch: Operator, db: Database) -> None:
    await stanch.done("subscriptions", "add", "C0ALL")
    await stanch.done("subscriptions", "add", "C0PAY")
    await stanch.done("audit", "verify")
    await tamper(db, "UPDATE audit SET reason = 'nothing' WHERE seq = 1")
    assert "does not verify" in await stanch.fails("audit", "verify")


@pytest.mark.parametrize(
    "words",
    [
        ("identities", "list"),
        ("audit", "export", "--format", "csv"),
        ("--version",),
        ("--help",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_closed_pipe_ends_a_command_without_a_traceback(
    stanch: Operator, words: tuple[str, ...]
) -> None:
    await stanch.done("identities", "add", "U0ANA", "ana", "--team", TEAM)
    await stanch.done("subscriptions", "add", "C0ALL")
    reader, writer = os.pipe()
    os.close(reader)
    status, errors = await _printing_to(writer, words)
    os.close(writer)
    assert status == 1
    if "--help" not in words:
        assert errors == "Standard output was closed before everything was printed.\n"
    assert "Traceback" not in errors


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_is_not_reported_as_a_fault_of_the_database(stanch: Operator) -> None:
    await stanch.done("subscriptions", "add", "C0ALL")
    full = os.open("/dev/full", os.O_WRONLY)
    status, errors = await _printing_to(full, ("audit", "export"))
    os.close(full)
    assert (status, errors) == (1, "Standard output can't be written: No space left on device.\n")


async def _printing_to(file: int, words: tuple[str, ...]) -> tuple[int, str]:
    """Run `stanch WORDS` as a process with this standard output; returns its status and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        stdout=file,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


def _environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT}


async def _park(db: Database, reason: str) -> Job:
    async with db.begin() as tx:
        await jobs.enqueue(tx, NewJob("nothing", {}))
    [job] = await job_queue.claim(db, "somebody", 1, 60)
    await job_queue.settle(db, [Parked(job, reason)])
    return job
