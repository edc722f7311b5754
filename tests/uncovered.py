"""`python -m tests.uncovered REPORT`: what no test runs, beside what `uncovered.toml` says of it.

REPORT is what `coverage json` writes. Prints each function with an uncovered line or branch that is not listed, each
listed one that is covered now, and each known gap: a listed function that could have a test, and has none yet.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_suffix(".toml")


def main(report: str) -> int:
    """Print what is to be done; returns the exit status, 1 where something has no reason."""
    read = json.loads(Path(report).read_text(encoding="utf-8"))
    found = dict(uncovered(read["files"]))
    reasons, gaps = read_names("uncovered"), read_names("gap")
    unexplained = {name: lines for name, lines in found.items() if name not in reasons | gaps}
    for name in sorted(gaps & found.keys()):
        sys.stdout.write(f"no test yet: {name}: {found[name]}\n")
    for name, lines in unexplained.items():
        sys.stdout.write(f"no test and no reason: {name}: {lines}\n")
    for name in sorted((reasons | gaps) - found.keys()):
        sys.stdout.write(f"covered, so it need not be listed: {name}\n")
    totals = read["totals"]
    sys.stdout.write(
        f"{totals['covered_lines']:,} of {totals['num_statements']:,} lines and {totals['covered_branches']:,} of"
        f" {totals['num_branches']:,} branches are covered; {len(found)} functions have others,"
        f" {len(reasons & found.keys())} of them with a reason, {len(gaps & found.keys())} as known gaps\n"
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


def read_names(kind: str) -> set[str]:
    """The functions that are listed in all groups of a kind, each as `path::function`."""
    groups = tomllib.loads(LIST.read_text(encoding="utf-8")).get(kind, ())
    return {name for group in groups for name in group["functions"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
