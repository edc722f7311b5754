"""The audit stream: each row also as a JSON line with ECS field names, and no action stopped by it."""

import json
import os
import pickle
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.audit_stream import AuditStream, audit_line
from bot.cli.audit import export_audit
from storage.clock import Clock
from storage.records import AuditOutcome, AuditRow
from tests.flows.planted import find_traces, make_secret
from tests.flows.stage import OWNER, open_stage
from tests.storage.test_audit import ENTRY

ROW = AuditRow(7, 1_790_000_000.5, ENTRY, "a" * 64, "b" * 64)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_row_is_a_line_with_ecs_field_names(tmp_path: Path) -> None:
    AuditStream(str(tmp_path / "audit.jsonl")).write([ROW])
    [line] = lines(tmp_path / "audit.jsonl")
    assert re.fullmatch(r"\d+\.\d+\.\d+", line.pop("service.version"))
    assert line == {
        "@timestamp": "2026-09-21T14:13:20.500000Z",
        "ecs.version": "8.17.0",
        "service.name": "stanch",
        "event.kind": "event",
        "event.dataset": "stanch.audit",
        "event.action": "close_alert",
        "event.outcome": "success",
        "event.reason": "revoked «ü» 🙂",
        "event.sequence": 7,
        "event.hash": "b" * 64,
        "user.id": "U1",
        "user.name": "ana",
        "user.domain": "T1",
        "stanch.outcome": "done",
        "stanch.github_id": 2_000_000_000_001,
        "stanch.repository_id": 9_000_000_000,
        "stanch.repository": "octo/payments",
        "stanch.alert_number": 42,
        "stanch.previous": "a" * 64,
    }


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("intended", "unknown"), ("done", "success"), ("refused", "failure"), ("failed", "failure")],
)
def test_an_outcome_is_one_of_the_words_of_ecs(outcome: str, word: str) -> None:
    line = json.loads(audit_line(replace(ROW, entry=replace(ENTRY, outcome=AuditOutcome(outcome)))))
    assert (line["event.outcome"], line["stanch.outcome"]) == (word, outcome)


def test_text_of_others_can_not_begin_a_line_or_move_the_cursor() -> None:
    hostile = 'x\n{"event.action": "y"}\r\x1b[2J\u2028\u202e\x00'
    line = audit_line(replace(ROW, entry=replace(ENTRY, reason=hostile, repository=hostile)))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["event.reason"] == hostile


def test_planted_secrets_are_masked() -> None:
    planted = {"a reason": make_secret("reason"), "a repository": make_secret("repository", "gitlab")}
    entry = replace(
        ENTRY, reason=f"GitHub: bad {planted['a reason']}", repository=f"octo/{planted['a repository']}"
    )
    line = audit_line(replace(ROW, entry=entry))
    assert line.count("[hidden]") == 2
    assert find_traces({"the line": line.encode()}, planted) == []


def test_a_new_file_is_private_and_an_existing_one_keeps_its_mode_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    before = os.umask(0)
    try:
        AuditStream(str(path)).write([ROW])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    AuditStream(str(path)).write([replace(ROW, seq=8)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [line["event.sequence"] for line in lines(path)] == [7, 8]


def test_a_rotated_file_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    stream = AuditStream(str(path))
    stream.write([ROW])
    path.rename(tmp_path / "audit.1")
    stream.write([replace(ROW, seq=8)])
    assert [line["event.sequence"] for line in lines(path)] == [8]


def test_a_line_that_can_not_be_written_is_logged(tmp_path: Path) -> None:
    """A full disk, a missing folder, a link, a pipe that nobody reads, and one that somebody reads."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "read")
    reader = os.open(tmp_path / "read", os.O_RDONLY | os.O_NONBLOCK)
    for target in ("/dev/full", *(str(tmp_path / name) for name in ("gone/a", "link", "pipe", "read"))):
        with structlog.testing.capture_logs() as logs:
            AuditStream(target).write([ROW, replace(ROW, seq=8)])
        assert [(one["event"], one["seq"]) for one in logs] == [
            ("audit_not_streamed", 7),
            ("audit_not_streamed", 8),
        ], target
        assert all(one["reason"] for one in logs)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert not (tmp_path / "elsewhere").exists()


WRITER = """
import pickle, sys
from bot.audit_stream import AuditStream
stream = AuditStream(sys.argv[1])
for row in pickle.load(sys.stdin.buffer):
    stream.write([row])
"""


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE) for _ in range(3)
    ]
    for number, writer in enumerate(writers):
        assert writer.stdin is not None
        with writer.stdin as rows:
            rows.write(pickle.dumps([replace(ROW, seq=number * 1000 + one) for one in range(300)]))
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert sorted(line["event.sequence"] for line in lines(path)) == sorted(
        number * 1000 + one for number in range(3) for one in range(300)
    )


PRINTER = """
import pickle, sys
from bot.audit_stream import AuditStream
from bot.logs import set_up_logging
set_up_logging("info", "text")
AuditStream("-").write(pickle.load(sys.stdin.buffer))
"""


def test_standard_output_gets_lines_and_a_closed_one_is_logged() -> None:
    words = ["sh", "-c", '"$0" -c "$1"', sys.executable, PRINTER]
    shown = subprocess.run(words, input=pickle.dumps([ROW]), capture_output=True, check=True)
    assert (json.loads(shown.stdout)["event.sequence"], shown.stderr) == (7, b"")
    words[2] += " >&-"
    closed = subprocess.run(words, input=pickle.dumps([ROW]), capture_output=True, check=True)
    assert b"audit_not_streamed" in closed.stderr
    assert b"standard output is closed" in closed.stderr


@pytest.mark.either_database
async def test_each_row_of_the_audit_log_is_streamed_and_a_failure_stops_no_action(
    database_url: str, clock: Clock, private_key: str, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    async with open_stage(database_url, clock, private_key, stanch_audit_stream=str(path)) as stage:
        await stage.leak()
        await stage.close_as(OWNER, "revoked")
        rows = [row async for row in export_audit(stage.context.db, None)]
        streamed = [
            (line["event.sequence"], line["event.hash"], line["event.action"]) for line in lines(path)
        ]
        assert streamed == [(row["seq"], row["hash"], row["action"]) for row in rows]
        assert streamed[-1][2] == "close_alert"
        path.unlink()
        path.mkdir()
        with structlog.testing.capture_logs() as logs:
            await stage.click(OWNER, "reopen")
            await stage.submit(OWNER)
        assert await stage.audited("reopen_alert") == [("intended", None), ("done", None)]
        assert [one["event"] for one in logs].count("audit_not_streamed") == 2
        stage.check()
