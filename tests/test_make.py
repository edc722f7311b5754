"""The environment that each make target installs, as `make --dry-run` prints it."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAMPS = ("for-production", "for-demo", "for-development")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def commands(checkout: Path, *words: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """The commands that `make WORDS` would run."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PORT"))}
    result = subprocess.run(
        ["make", "--dry-run", *words],
        cwd=checkout,
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()


def installed(checkout: Path, *words: str) -> tuple[str, list[str]]:
    """The extra that `make WORDS` installs in a new checkout, and the stamps that it leaves."""
    lines = commands(checkout, *words)
    [extra] = [line.partition("-e '.")[2].partition("'")[0] for line in lines if "-e '." in line]
    [touched] = [line.split()[1:] for line in lines if line.startswith("touch ")]
    return extra, [Path(stamp).name for stamp in touched]


def test_each_target_installs_only_what_it_needs(checkout: Path) -> None:
    assert installed(checkout, "install") == ("", ["for-production"])
    assert installed(checkout, "demo") == ("[demo]", ["for-production", "for-demo"])
    for target in ("setup", "test", "check", "bench", "chaos", "steady", "fuzz", "coverage", "screenshots"):
        assert installed(checkout, target) == ("[dev]", list(STAMPS))


def test_an_existing_environment_is_used(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    for stamp in STAMPS:
        (checkout / ".venv" / stamp).touch()
    assert commands(checkout, "demo") == [".venv/bin/stanch demo "]
    # After a change of pyproject.toml or constraints.txt it is installed again.
    os.utime(checkout / ".venv" / "for-development", (0, 0))
    assert commands(checkout, "demo") == [".venv/bin/stanch demo "]
    assert installed(checkout, "test")[0] == "[dev]"


def test_make_passes_its_port_to_the_demo(checkout: Path) -> None:
    assert commands(checkout, "demo", "PORT=9000")[-1] == ".venv/bin/stanch demo --port '9000'"
    assert commands(checkout, "demo", environment={"PORT": "3000"})[-1] == ".venv/bin/stanch demo "


def test_compiled_modules_are_kept_wherever_make_is_run(checkout: Path) -> None:
    shown = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "--eval",
            "shown: ; @printenv PYTHONDONTWRITEBYTECODE || echo unset",
            "shown",
        ],
        cwd=checkout,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "unset\n"


def test_help_lists_each_target(checkout: Path) -> None:
    ran = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=checkout, capture_output=True, text=True, check=True
    )
    listed = [line.split()[1] for line in ran.stdout.splitlines()]
    assert listed == re.findall(r"^([a-z]+):", (checkout / "Makefile").read_text(), re.MULTILINE)


def test_the_audit_has_an_environment_of_its_own(checkout: Path) -> None:
    lines = "\n".join(commands(checkout, "audit"))
    assert ".venv/audit/bin/python -m pip install" in lines
    assert "pip-audit --requirement constraints.txt --no-deps --disable-pip --strict" in lines
    assert "-e '." not in lines
