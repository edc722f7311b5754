"""Takes version 0.1.0 out of the repository's history, to run it beside this version."""

import shutil
import subprocess
import zipfile
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
    made = subprocess.run(
        [git, "archive", "--format=zip", COMMIT], cwd=ROOT, capture_output=True, check=False
    )
    if made.returncode != 0:
        return None
    code = directory / "version-0.1.0"
    # No tar file, since Python 3.11.2 unpacks none safely.
    with zipfile.ZipFile(BytesIO(made.stdout)) as archive:
        archive.extractall(code)
    return code
