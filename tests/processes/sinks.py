"""Everything that a running Stanch puts out, each with a word that must be in it: so none is searched in vain."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackMessage, SlackSandbox
from tests.processes.bot import run_command
from tests.processes.scene import Scene

REVOKE = "/credentials/revoke"
COMMANDS = (("audit", "export"), ("identities", "list"), ("jobs", "list"))


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where a secret could end up."""

    read: Callable[[Scene], Awaitable[bytes]]
    holds: str
    """What is found in it, so that it is known to be the right place."""


async def _database(scene: Scene) -> bytes:
    """SQLite's file with its free pages, or each row of PostgreSQL's tables as text."""
    if scene.db.path is not None:
        return scene.db.path.read_bytes()
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    async with scene.db.read() as tx:
        names = (await tx.conn.scalars(sa.text(tables))).all()
        rows = [await tx.conn.scalars(sa.text(f'SELECT t::text FROM "{name}" AS t')) for name in names]
        return "\n".join(row for found in rows for row in found).encode()


async def _write_ahead_log(scene: Scene) -> bytes:
    """SQLite's, or all files of PostgreSQL's server that hold this test's database or its log."""
    if scene.db.path is not None:
        return join_files(
            [scene.db.path.with_name(f"{scene.db.path.name}{suffix}") for suffix in ("-wal", "-shm")]
        )
    async with scene.db.read() as tx:
        folder = Path(str(await tx.conn.scalar(sa.text("SHOW data_directory"))))
        number = await tx.conn.scalar(
            sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")
        )
        last = str(await tx.conn.scalar(sa.text("SELECT pg_walfile_name(pg_current_wal_lsn())")))
    return join_files([*files_in(folder / "base" / str(number)), folder / "pg_wal" / last])


def join_files(files: Iterable[Path]) -> bytes:
    return b"\n".join(str(file).encode() + file.read_bytes() for file in files)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def _files(scene: Scene) -> bytes:
    """All files below the working directory, temporary ones too, except the log and the database."""
    return join_files(path for path in files_in(scene.directory) if path.suffix not in (".log", ".db"))


async def _log(scene: Scene) -> bytes:
    return b"".join(bot.log.read_bytes() for bot in scene.bots)


def calls_of_slack(slack: SlackSandbox) -> bytes:
    return "\n".join(f"{call.method} {json.dumps(call.arguments)}" for call in slack.requests).encode()


async def _calls_of_slack(scene: Scene) -> bytes:
    return calls_of_slack(scene.slack)


async def _answers_to_slack(scene: Scene) -> bytes:
    return "\n".join(result.body for result in scene.slack.deliveries).encode()


def messages(slack: SlackSandbox) -> bytes:
    """What people see: in channels, privately, and on lock screens."""
    users, channels = slack.workspace.users, slack.workspace.channels
    shown: list[SlackMessage] = [m for user in users for m in slack.private_messages(user)]
    shown += [message for channel in channels for message in slack.channel_messages(channel)]
    return "\n".join(f"{message.text} {json.dumps(message.blocks)}" for message in shown).encode()


async def _messages(scene: Scene) -> bytes:
    return messages(scene.slack)


def calls_of_github(github: GitHubSandbox) -> bytes:
    """All but reports, which name the secret on purpose, and the exchange of a sign-in."""
    return "\n".join(
        f"{call.method} {call.path} {call.query} {call.user_agent} {call.body}"
        for call in github.requests
        if call.path != REVOKE and not call.path.startswith(("/login/oauth/", "/applications/"))
    ).encode()


async def _calls_of_github(scene: Scene) -> bytes:
    return calls_of_github(scene.github)


async def _comments_on_github(scene: Scene) -> bytes:
    comments = [
        call.body.get("resolution_comment")
        for call in scene.github.calls("PATCH")
        if isinstance(call.body, dict)
    ]
    return json.dumps(comments).encode()


async def _answers_to_machines(scene: Scene) -> bytes:
    answers = []
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with session.get(scene.address(path)) as answer:
                answers.append(await answer.read())
    return b"\n".join(answers)


async def _commands(scene: Scene) -> bytes:
    running = [run_command(scene.environment, scene.directory, *words) for words in COMMANDS]
    ended = await asyncio.gather(*running)
    return "\n".join(f"{one.output}{one.errors}" for one in ended).encode()


async def _audit_stream(scene: Scene) -> bytes:
    return (scene.directory / "audit.jsonl").read_bytes()


SINKS: Mapping[str, Sink] = {
    "the database": Sink(_database, "payments"),
    "the write-ahead log": Sink(_write_ahead_log, "payments"),
    "other files, temporary ones too": Sink(_files, "audit.jsonl"),
    "the log at debug": Sink(_log, "serving"),
    "calls of Slack": Sink(_calls_of_slack, "chat.postMessage"),
    "answers to Slack": Sink(_answers_to_slack, "looks like a secret"),
    "what people see in Slack": Sink(_messages, "payments"),
    "calls of GitHub": Sink(_calls_of_github, "/secret-scanning/alerts/"),
    "comments on GitHub": Sink(_comments_on_github, "Rotated"),
    "health and metrics": Sink(_answers_to_machines, "stanch_"),
    "commands and exports": Sink(_commands, "report_leak"),
    "the audit stream": Sink(_audit_stream, "report_leak"),
}
"""Pages of the sign-in, tracebacks and what faulthandler prints are added by the test."""


async def read_sinks(scene: Scene) -> dict[str, bytes]:
    """The content of each; AssertionError where one does not hold what it should."""
    contents = {name: await sink.read(scene) for name, sink in SINKS.items()}
    empty = [name for name, sink in SINKS.items() if sink.holds.encode() not in contents[name]]
    assert not empty, f"these do not hold what they should: {empty}"
    return contents
