"""`stanch migrate --to-new` in real processes: beside a server, killed, run again, and a start afterwards."""

import asyncio
import shlex
import signal
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from storage.clock import Clock
from storage.db import Database
from tests.environment import AUDIT_KEY
from tests.processes.bot import ROOT, run_command
from tests.processes.forked import fork
from tests.processes.killed import kill_before
from tests.processes.scene import ADMIN, CHANNEL, RECOVERED, Scene
from tests.processes.waiting import until

MOVE = ("migrate", "--to-new")


def recipe(heading: str) -> list[list[str]]:
    """The words of each command of Stanch in a section of the recipes."""
    page = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [shlex.split(line)[1:] for line in section.splitlines() if line.strip().startswith("stanch ")]


async def kill_at(statement: str, environment: Mapping[str, str], directory: Path) -> None:
    """Start the move, which kills itself before this statement."""
    log = directory / "killed.log"
    child = fork(environment, directory, MOVE, log, log, partial(kill_before, statement))
    async with asyncio.timeout(RECOVERED):
        assert await child.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("database_url", "empty_database_url"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite")],
    indirect=True,
)
async def test_a_move_is_refused_beside_a_server_and_complete_after_kills(
    scene: Scene, empty_database_url: str
) -> None:
    scene.environment["DATABASE_URL_NEW"] = empty_database_url
    moved = {**scene.environment, "DATABASE_URL": empty_database_url}
    await scene.start()
    await scene.leak()
    refused = await run_command(scene.environment, scene.directory, *MOVE)
    assert (refused.status, refused.output) == (1, "")
    assert "stop " in refused.sentence
    await scene.bot.stop()

    for statement in ("INSERT INTO message", "DELETE FROM mark"):
        await kill_at(statement, scene.environment, scene.directory)
    half = await run_command(moved, scene.directory, "serve", "--port", "0")
    assert half.status == 1
    assert "run stanch migrate --to-new again" in half.errors.splitlines()[-1]

    [verify, moving] = recipe("Moving to PostgreSQL")
    [verified] = (await run_command(scene.environment, scene.directory, *verify)).output.splitlines()
    done = await run_command(scene.environment, scene.directory, *moving)
    assert (done.status, done.errors) == (0, "")
    *tables, audited, last = done.output.splitlines()
    assert {"alert\t1", "message\t1", "identity\t2"} <= set(tables)
    assert audited == f"The audit log verifies there: {verified.replace(' verify;', ';')}"
    assert "Set DATABASE_URL to the value of DATABASE_URL_NEW" in last

    new = Database(empty_database_url, clock=Clock(), audit_key=AUDIT_KEY.encode())
    await scene.db.close()
    scene.db = new
    await scene.start(DATABASE_URL=empty_database_url)
    await scene.slack.click(ADMIN, CHANNEL, scene.card().ts, "take")
    await until(lambda: f"<@{ADMIN}>" in scene.card().shown_text, "drawn in place", within=RECOVERED)
    await new.close()
