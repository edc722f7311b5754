"""Logging: no secret in any event, traceback or message of a library."""

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
from aiohttp.http_exceptions import BadStatusLine, InvalidHeader, LineTooLong
from aiohttp.web import RequestPayloadError

from bot.logs import set_up_logging
from integrations.literal import Literal
from tests.flows.planted import encoded, find_traces, make_secret

SECRET = make_secret("logged")
FORMATS = ("json", "text")
Style: TypeAlias = OneOf["json", "text"]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Restore the tests' logging after each test."""
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
def test_a_traceback_shows_places_in_the_code_and_no_values(
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
    logged = capsys.readouterr().err
    assert logged.count("fail_with_a_secret_in_the_frame") >= 3
    assert "things: Literal(hidden)" in logged
    assert "a value of the frame" not in logged
    assert find_traces({"the log": logged.encode()}, {"the literal": SECRET}) == []


@pytest.mark.parametrize("style", FORMATS)
def test_secrets_that_an_exception_quotes_are_masked(
    style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", style)
    log = structlog.get_logger("bot.test")
    try:
        raise ExceptionGroup("two", [ValueError(f"can't store {SECRET}"), KeyError(encoded(SECRET))])
    except ExceptionGroup as error:
        log.error("job_failed", reason=str(error.exceptions[0]), exc_info=error, user_input=[SECRET])
        logging.getLogger("asyncio").error("never retrieved %r", error.exceptions, exc_info=error)
    logged = capsys.readouterr().err
    assert "can't store [hidden]" in logged
    assert find_traces({"the log": logged.encode()}, {"the literal": SECRET}) == []


@pytest.mark.parametrize("style", FORMATS)
def test_libraries_log_from_warning_on_and_our_packages_at_every_level(
    style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", style)
    for name in ("aiosqlite", "sqlalchemy.engine", "slack_sdk", "slack_bolt.AsyncApp", "aiohttp.access"):
        logging.getLogger(name).info("statement and parameters")
        logging.getLogger(name).debug("body")
    logging.getLogger("alembic").warning("a warning")
    structlog.get_logger("storage.test").debug("ours", id=7)
    logged = capsys.readouterr().err.splitlines()
    assert len(logged) == 2
    assert "a warning" in logged[0]
    assert "ours" in logged[1]
    if style == "json":
        assert json.loads(logged[1])["id"] == 7


async def test_an_error_in_a_task_that_is_never_awaited_is_logged_without_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", "json")

    async def fail() -> None:
        fail_with_a_secret_in_the_frame()

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    await asyncio.sleep(0)
    logged = capsys.readouterr().err
    assert "Task exception was never retrieved" in logged
    assert find_traces({"the log": logged.encode()}, {"the literal": SECRET}) == []


def test_a_command_logs_no_local_variables_before_settings_are_read() -> None:
    """structlog's default configuration would print them."""
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


@pytest.mark.parametrize("style", FORMATS)
def test_requests_that_are_no_http_are_logged_once_a_minute_and_not_quoted(
    style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    """As aiohttp logs them: with a traceback each, and the bytes of the sender."""
    set_up_logging("debug", style)
    server = logging.getLogger("aiohttp.server")
    for error in (
        InvalidHeader(SECRET),
        InvalidHeader("x y"),
        LineTooLong(b"a line"),
        BadStatusLine("y z"),
        RequestPayloadError(),
    ):
        server.error("Error handling request from %s", "192.0.2.7", exc_info=error)
    server.error("Error handling request from %s", "192.0.2.7", exc_info=RuntimeError("of ours"))
    lines = capsys.readouterr().err
    assert [
        lines.count(f"refused: {kind}") for kind in ("InvalidHeader", "LineTooLong", "BadStatusLine")
    ] == [1, 1, 1]
    assert "of ours" in lines
    for quoted in (SECRET, "x y", "a line", "y z"):
        assert quoted not in lines
