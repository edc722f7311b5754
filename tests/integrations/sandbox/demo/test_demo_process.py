"""The bot's process: start, kill, restart, and export of the audit log."""

import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integrations.sandbox.demo import BotProcess, BotState, CommandFailed, ProcessCommand

SCRIPT = """
import http.server, sys
words = sys.argv[1:]
if words == ["audit", "export"]:
    print('{"seq": 1}')
    print('{"seq": 2}')
elif words == ["serve"]:
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", PORT), Health).serve_forever()
elif words == ["sync"]:
    sys.exit("GitHub at http://127.0.0.1:43361/api/v3 refuses the key.")
else:
    sys.exit("There is no " + " ".join(words))
"""


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotProcess]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = tmp_path / "bot.py"
    script.write_text(SCRIPT.replace("PORT", str(port)))
    bot = BotProcess(ProcessCommand((sys.executable, str(script)), {}, tmp_path), port)
    yield bot
    await bot.kill()


async def test_a_killed_bot_can_be_started_again(bot: BotProcess) -> None:
    states: list[BotState] = []
    bot.watch(lambda: states.append(bot.state))
    await bot.start()
    first = bot.process_id
    assert first is not None
    await bot.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    await bot.start()
    assert bot.process_id not in (None, first)
    assert states == [BotState.STARTING, BotState.UP, BotState.DOWN, BotState.STARTING, BotState.UP]
    assert bot.starts == 2


async def test_starting_a_running_bot_changes_nothing(bot: BotProcess) -> None:
    await bot.start()
    await bot.start()
    assert (bot.state, bot.starts) == (BotState.UP, 1)


async def test_a_stopped_bot_is_down(bot: BotProcess) -> None:
    await bot.start()
    await bot.stop()
    assert bot.state is BotState.DOWN
    await bot.stop()


async def test_the_audit_log_comes_from_the_export_command(bot: BotProcess) -> None:
    assert await bot.audit_log() == [{"seq": 1}, {"seq": 2}]


async def test_a_failing_command_gives_its_reason(bot: BotProcess) -> None:
    with pytest.raises(CommandFailed, match="There is no jobs list"):
        await bot.run("jobs", "list")


async def test_a_reason_has_no_address_of_a_stand_in(bot: BotProcess) -> None:
    with pytest.raises(CommandFailed) as failed:
        await bot.run("sync")
    assert str(failed.value) == "GitHub refuses the key."


async def test_a_bot_that_exits_early_leaves_its_last_log_line(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import sys; sys.exit('SLACK_BOT_TOKEN is not set.')")
    bot = BotProcess(ProcessCommand(words, {}, tmp_path), 1)
    with pytest.raises(CommandFailed, match="SLACK_BOT_TOKEN is not set"):
        await bot.start()
    assert bot.state is BotState.DOWN
    assert bot.last_log_line() == "SLACK_BOT_TOKEN is not set."
