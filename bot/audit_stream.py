"""Writes each new row of the audit log also as a JSON line with ECS field names, to a file or standard output.

ECS is Elastic's Common Schema (elastic.co/docs/reference/ecs). Fields that it does not have are below `stanch.`.
"""

import json
import os
import stat
import sys
from collections.abc import Sequence

import structlog

from bot.rules.masking import mask
from bot.version import VERSION
from storage.audit import iso
from storage.records import AuditOutcome, AuditRow

log = structlog.get_logger(__name__)
STANDARD_OUTPUT = "-"
ECS_VERSION = "8.17.0"
OUTCOMES = {
    AuditOutcome.INTENDED: "unknown",
    AuditOutcome.DONE: "success",
    AuditOutcome.REFUSED: "failure",
    AuditOutcome.FAILED: "failure",
}
"""ECS has three words for `event.outcome`; our own is in `stanch.outcome`."""


class AuditStream:
    """A file, or standard output for `-`. The database is the audit log; this is a copy for other systems."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._line_is_open = False
        """Whether a line was written in part, so that the next one starts after a line end."""

    def write(self, rows: Sequence[AuditRow]) -> None:
        """Write rows that are committed. A failure is logged, and never raised: it stops no action."""
        for row in rows:
            try:
                self._write(audit_line(row).encode())
            except OSError as error:
                log.error("audit_not_streamed", seq=row.seq, reason=error.strerror or str(error))

    def _write(self, line: bytes) -> None:
        """Write a line in one call, which the system appends as a whole beside other processes' lines."""
        data = (b"\n" if self._line_is_open else b"") + line + b"\n"
        if self._target == STANDARD_OUTPUT:
            if sys.__stdout__ is None:
                # The number 1 may belong to any other file of this process by now.
                raise OSError("standard output is closed")
            self._append(1, data)
            return
        # Opened for each line, so that the file may be rotated. A named pipe that nobody reads would block the
        # process, and a link could lead to any file.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self._target, flags, 0o600)
        try:
            if stat.S_ISFIFO(os.fstat(file).st_mode):
                raise OSError("it is a named pipe")
            self._append(file, data)
        finally:
            os.close(file)

    def _append(self, file: int, data: bytes) -> None:
        written = os.write(file, data)
        self._line_is_open = written < len(data)
        if self._line_is_open:
            raise OSError("it takes no more")


def audit_line(row: AuditRow) -> str:
    """A row as one line of JSON in ASCII; texts are masked, so the hash can't be computed from them."""
    entry = row.entry
    fields: dict[str, object] = {
        "@timestamp": iso(row.at),
        "ecs.version": ECS_VERSION,
        "service.name": "stanch",
        "service.version": VERSION,
        "event.kind": "event",
        "event.dataset": "stanch.audit",
        "event.action": entry.action,
        "event.outcome": OUTCOMES[entry.outcome],
        "event.reason": entry.reason,
        "event.sequence": row.seq,
        "event.hash": row.hash,
        "user.id": entry.slack_user,
        "user.name": entry.github_login,
        "user.domain": entry.slack_team,
        "stanch.outcome": entry.outcome,
        "stanch.github_id": entry.github_id,
        "stanch.repository_id": entry.repository_id,
        "stanch.repository": entry.repository,
        "stanch.alert_number": entry.alert_number,
        "stanch.previous": row.previous,
    }
    ours = ("event.hash", "stanch.previous")
    return json.dumps(
        {
            name: mask(value) if isinstance(value, str) and name not in ours else value
            for name, value in fields.items()
            if value is not None
        }
    )
