"""The log tells what happened, and never what a secret was."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal as OneOf
from typing import TypeAlias

import pytest
import structlog

from bot.logs import set_up_logging
from integrations.literal import Literal
from tests.flows.planted import encoded, find_traces, make_secret

SECRET = make_secret("logged")
FORMATS = ("json", "text")
Style: TypeAlias = OneOf["json", "text"]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The tests' own logging comes back after each of these."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail_with_a_secret_in_the_frame() -> None:
    literal = Literal(SECRET)
    revealed, headers = literal.reveal(), {"Authorization": f"Bearer {literal.reveal()}"}
    shapeless = "a value " + "of the frame"
    raise RuntimeError(f"{len(revealed) + len(headers) + len(shapeless)} things: {literal!r}")


@pytest.mark.parametrize("style", FORMATS)
def test_a_traceback_shows_where_it_happened_and_no_value(
    style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", style)
    log = structlog.get_logger("bot.test")
    try:
        fail_with_a_secret_in_the_frame()
    except RuntimeError as error:
        log.error("job_failed", exc_info=error)
        log.exception("job_failed")
        logging.getLogger("aiohttp.server").exception("Error handling request")
    said = capsys.readouterr().err
    assert said.count("fail_with_a_secret_in_the_frame") >= 3
    assert "things: Literal(hidden)" in said
    assert "a value of the frame" not in said
    assert find_traces({"the log": said.encode()}, {"the literal": SECRET}) == []


@pytest.mark.parametrize("style", FORMATS)
def test_what_an_exception_quotes_is_blanked(style: Style, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", style)
    log = structlog.get_logger("bot.test")
    try:
        raise ExceptionGroup("two", [ValueError(f"can't store {SECRET}"), KeyError(encoded(SECRET))])
    except ExceptionGroup as error:
        log.error("job_failed", reason=str(error.exceptions[0]), exc_info=error, user_input=[SECRET])
        logging.getLogger("asyncio").error("never retrieved %r", error.exceptions, exc_info=error)
    said = capsys.readouterr().err
    assert "can't store [hidden]" in said
    assert find_traces({"the log": said.encode()}, {"the literal": SECRET}) == []


@pytest.mark.parametrize("style", FORMATS)
def test_libraries_are_heard_from_warning_on_and_we_at_every_level(
    style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", style)
    for name in ("aiosqlite", "sqlalchemy.engine", "slack_sdk", "slack_bolt.AsyncApp", "aiohttp.access"):
        logging.getLogger(name).info("statement and parameters")
        logging.getLogger(name).debug("body")
    logging.getLogger("alembic").warning("a warning")
    structlog.get_logger("storage.test").debug("ours", id=7)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "a warning" in said[0]
    assert "ours" in said[1]
    if style == "json":
        assert json.loads(said[1])["id"] == 7


async def test_a_task_that_nobody_waited_for_ends_in_the_log_without_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", "json")

    async def fail() -> None:
        fail_with_a_secret_in_the_frame()

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    await asyncio.sleep(0)
    said = capsys.readouterr().err
    assert "Task exception was never retrieved" in said
    assert find_traces({"the log": said.encode()}, {"the literal": SECRET}) == []


def test_a_command_that_fails_shows_no_value_of_any_frame() -> None:
    """Before any setting is read, the log is set up already: structlog's own default prints the locals."""
    program = (
        "import sys, structlog\n"
        "from bot.cli.main import main\n"
        "class Output:\n"
        "    def write(self, text):\n"
        "        local = 'se' + 'cret of the frame'\n"
        "        try:\n"
        "            raise RuntimeError(len(local))\n"
        "        except RuntimeError:\n"
        "            structlog.get_logger('bot.test').exception('failed')\n"
        "    def flush(self):\n"
        "        pass\n"
        "sys.stdout = Output()\n"
        "main(['--version'])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "RuntimeError: 19" in ran.stderr
    assert "secret of the frame" not in ran.stdout + ran.stderr
