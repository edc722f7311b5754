"""`python -m tests.fuzz [--seconds N] [TARGET …]`: looks for bytes that a parser can't take, guided by coverage.

Needs atheris, which is no dependency of Stanch: `make fuzz` installs it beside the environment.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Search each target in a process of its own, since the fuzzer ends its process; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="as in tests/fuzz/targets.py; by default all"
    )
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--search", metavar="TARGET", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        return _search(options.search, options.seconds)
    from tests.fuzz.targets import TARGETS

    failed = []
    for name in options.targets or TARGETS:
        with tempfile.TemporaryDirectory(prefix="stanch-fuzz-") as directory:
            command = [
                sys.executable,
                "-m",
                "tests.fuzz",
                "--search",
                name,
                "--seconds",
                str(options.seconds),
            ]
            ended = subprocess.run(
                command, capture_output=True, text=True, check=False, env=_environment(directory)
            )
        runs = next((line for line in reversed(ended.stderr.splitlines()) if line.startswith("Done ")), "")
        sys.stdout.write(f"{name}: {runs or 'FAILED'}\n")
        if ended.returncode:
            failed.append(name)
            sys.stdout.write(ended.stderr[-3000:] + "\n")
        sys.stdout.flush()
    return 1 if failed else 0


def _environment(directory: str) -> dict[str, str]:
    return {"PYTHONPATH": ":".join(filter(None, sys.path)), "TMPDIR": directory, "PATH": "/usr/bin:/bin"}


def _search(name: str, seconds: int) -> int:
    """Never returns without a fault: the fuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["bot", "integrations", "storage"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    corpus = Path(tempfile.mkdtemp())
    for number, example in enumerate(target.examples):
        (corpus / str(number)).write_bytes(example)
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        "-max_len=4096",
        f"-artifact_prefix={corpus}/",
        str(corpus),
    ]
    atheris.Setup(arguments, target.run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
