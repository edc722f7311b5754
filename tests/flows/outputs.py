"""Everything that leaves the product, as bytes: what is stored, logged, sent, answered and exported."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import aiohttp
import sqlalchemy as sa
import structlog

from bot.cli.audit import export_audit
from bot.cli.jobs import list_jobs
from bot.logs import set_up_logging
from storage.db import Database
from tests.flows.stage import LOGINS, UNLINKED, Stage


@contextmanager
def logging_as(style: Literal["json", "text"]) -> Iterator[None]:
    """The product's own log on standard error, as chatty as it gets; afterwards that of the tests again."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up_logging("debug", style)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


async def collect_outputs(stage: Stage) -> dict[str, bytes]:
    """All of it but the log, by a name for the failure's message."""
    db = stage.context.db
    rows = [row async for row in export_audit(db, None)]
    async with db.read() as tx:
        waiting = [f"{job.kind} {job.error} {job.payload}" for job in await list_jobs(tx)]
    return {
        **await _stored(db),
        **await _asked_by_machines(stage),
        "the audit export": json.dumps(rows).encode(),
        "the list of jobs": "\n".join(waiting).encode(),
        "calls of Slack": _sent_to_slack(stage),
        "answers to Slack": "\n".join(result.body for result in stage.slack.deliveries).encode(),
        "what people were told": "\n".join(
            f"{said.text} {json.dumps(said.blocks)}"
            for user in (*LOGINS, UNLINKED)
            for said in stage.slack.private_messages(user)
        ).encode(),
        "calls of GitHub": _sent_to_github(stage),
    }


async def _stored(db: Database) -> dict[str, bytes]:
    """SQLite's files byte by byte; every row of PostgreSQL's tables as text."""
    if db.path is not None:
        files = (Path(f"{db.path}{suffix}") for suffix in ("", "-wal", "-shm"))
        return {file.name: file.read_bytes() for file in files if file.exists()}
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    stored = {}
    async with db.read() as tx:
        for name in (await tx.conn.scalars(sa.text(tables))).all():
            rows = await tx.conn.scalars(sa.text(f'SELECT t::text FROM "{name}" AS t'))
            stored[f"table {name}"] = "\n".join(rows.all()).encode()
    return stored


async def _asked_by_machines(stage: Stage) -> dict[str, bytes]:
    address = f"http://127.0.0.1:{stage.running.port}"
    answers = {}
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics"):
            async with session.get(address + path) as response:
                answers[path] = await response.read()
    return answers


def _sent_to_slack(stage: Stage) -> bytes:
    return "\n".join(f"{call.method} {json.dumps(call.arguments)}" for call in stage.slack.requests).encode()


def _sent_to_github(stage: Stage) -> bytes:
    """All but the report of a leak, whose very purpose is to name the secret."""
    return "\n".join(
        f"{call.method} {call.path} {call.query} {call.user_agent} {call.body}"
        for call in stage.github.requests
        if call.path != "/credentials/revoke"
    ).encode()
