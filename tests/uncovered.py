"""`python -m tests.uncovered REPORT`: what no test runs, beside the reasons for it in `uncovered.toml`.

REPORT is what `coverage json` writes. Prints each function with an uncovered line or branch that has no reason,
and each reason whose function is covered now.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

REASONS = Path(__file__).with_suffix(".toml")


def main(report: str) -> int:
    """Print what is to be done; returns the exit status, 1 where something has no reason."""
    read = json.loads(Path(report).read_text(encoding="utf-8"))
    found = dict(uncovered(read["files"]))
    reasons = read_reasons(REASONS.read_text(encoding="utf-8"))
    unexplained = {name: lines for name, lines in found.items() if name not in reasons}
    for name, lines in unexplained.items():
        sys.stdout.write(f"no test and no reason: {name}: {lines}\n")
    for name in sorted(reasons.keys() - found.keys()):
        sys.stdout.write(f"covered, so its reason can go: {name}\n")
    totals = read["totals"]
    sys.stdout.write(
        f"{totals['covered_lines']:,} of {totals['num_statements']:,} lines and {totals['covered_branches']:,} of"
        f" {totals['num_branches']:,} branches are covered; {len(found)} functions have others,"
        f" {len(found) - len(unexplained)} of them with a reason\n"
    )
    return 1 if unexplained else 0


def uncovered(files: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`path::function` and its uncovered lines and branches, as in `12, 15, 20->24`; a module itself is `path::`."""
    for path, file in sorted(files.items()):
        for function, part in file["functions"].items():
            lines = [str(line) for line in part["missing_lines"]]
            missing = set(part["missing_lines"])
            # A branch to or from an uncovered line says nothing more. A negative line is the function's end.
            branches = [
                f"{start}->{'end' if end < 0 else end}"
                for start, end in part["missing_branches"]
                if start not in missing and end not in missing
            ]
            if lines or branches:
                yield f"{path}::{function}", ", ".join((*lines, *branches))


def read_reasons(text: str) -> Mapping[str, str]:
    """The reason of each `path::function`."""
    groups = tomllib.loads(text)["uncovered"]
    return {name: group["reason"] for group in groups for name in group["functions"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
