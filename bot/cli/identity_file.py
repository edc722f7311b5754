"""Reads the CSV file of `stanch identities import` as spreadsheets save it."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StartRefused

NEEDED = ("slack_user", "github_login")
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the file."""

    line: int
    """The line of the file on which the row begins, counted from 1."""
    user: str
    login: str
    team: str | None


def read_rows(path: Path) -> list[Row]:
    """All rows of the file; raises StartRefused with a line for each fault.

    Cells are separated by commas, semicolons, tabs or bars. The file is UTF-8, or UTF-16 with a byte order mark.
    Rows without text are skipped.
    """
    try:
        lines = _decoded(path.read_bytes()).splitlines(keepends=True)
        cells = list(_table(lines))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StartRefused(f"{path} can't be read as CSV: {reason}.") from None
    header = [name.strip().lower() for name in cells[0][1]] if cells else []
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise StartRefused(
            f"{path} lacks the column {' and the column '.join(missing)}: its first line names the columns, "
            "slack_user,github_login and optionally team."
        )
    rows, faults = [], []
    for line, row in cells[1:]:
        named = {name: text.strip() for name, text in zip(header, row, strict=False)}
        fault = _fault(header, row, named)
        if fault:
            faults.append(f"{path}, line {line}: {fault}.")
        else:
            rows.append(Row(line, named["slack_user"], named["github_login"], named.get("team") or None))
    if faults:
        raise StartRefused("\n".join(faults) + " Nobody was linked.")
    if not rows:
        raise StartRefused(f"{path} has no row below its first line.")
    return rows


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _table(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Every row that has text, with the number of its first line."""
    separator, skipped = _separator(lines)
    text = io.StringIO("".join(lines[skipped:]), newline="")
    reader = csv.reader(text, delimiter=separator, strict=True, skipinitialspace=True)
    begins = skipped + 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield begins, row
        begins = skipped + reader.line_num + 1


def _separator(lines: list[str]) -> tuple[str, int]:
    """The separator, and the number of lines at the top that only name it, as Excel's `sep=;` does."""
    if lines and lines[0].strip().lower().startswith("sep=") and len(lines[0].rstrip("\r\n")) == 5:
        return lines[0][4], 1
    header = next((line for line in lines if line.strip()), "")
    return max(SEPARATORS, key=header.count), 0


def _fault(header: list[str], row: list[str], named: Mapping[str, str]) -> str | None:
    if any(cell.strip() for cell in row[len(header) :]):
        return "has more cells than the first line has columns"
    empty = [name for name in NEEDED if not named.get(name)]
    return f"{empty[0]} is empty" if empty else None
