"""Takes version 0.1.0 out of the repository's history, to run it beside this version."""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "35d026249e9807ae6e299bfbf3af9702201fdc53"
"""The last commit of version 0.1.0."""


def check_out(directory: Path) -> Path | None:
    """The folder with its code, for PYTHONPATH; None without git, or where this clone lacks that commit."""
    git = shutil.which("git")
    if git is None:
        return None
    made = subprocess.run([git, "archive", COMMIT], cwd=ROOT, capture_output=True, check=False)
    if made.returncode != 0:
        return None
    code = directory / "version-0.1.0"
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(code, filter="data")
    return code
