"""Writes `.env` and the App's key, readable by their owner alone, in a folder that no other user can change."""

import fcntl
import os
import secrets
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import StartRefused
from bot.flows.setup.step import StepRefused
from bot.rules.env_file import Unwritable, changed
from bot.settings import ENV_FILE, environment
from bot.views.setup_github_refusals import in_environment

KEY_FILE = "github-app.pem"
FOREIGN = stat.S_IWGRP | stat.S_IWOTH


class SetupFiles:
    """The files of the set-up in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Check the folder, and keep a second set-up out of it. Raises StartRefused."""
        check_folder(self._folder)
        # The lock is on the folder itself, so that no file is left behind.
        lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartRefused(
                    f"Another stanch setup runs in {self._folder}: finish that one, or end it with Ctrl-C."
                ) from None
            except OSError:
                pass  # A file system without locks: then nothing keeps a second one out.
            yield
        finally:
            os.close(lock)

    def write_settings(self, values: Mapping[str, str]) -> None:
        """Put settings into `.env`; its other lines stay. Raises StepRefused."""
        for name, value in environment().items():
            if name in values and value != values[name]:
                raise StepRefused(in_environment(name))
        path = self._folder / ENV_FILE
        try:
            with suppress(FileNotFoundError):
                _check_file(path)
            text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
            replace(path, changed(text, values).encode())
        except UnicodeDecodeError:
            raise StepRefused(
                f"{path} can't be read as a text file in UTF-8: correct or remove it."
            ) from None
        except Unwritable as fault:
            raise StepRefused(f"A value {fault}.") from None
        except OSError as error:
            raise StepRefused(f"{path} can't be written: {error.strerror or error}.") from None

    def write_key(self, pem: str, app_id: str) -> str:
        """Write the App's private key to a new file, and return its name. Raises StepRefused."""
        for name in (KEY_FILE, f"github-app-{app_id}.pem"):
            path = self._folder / name
            if path.exists():
                continue
            try:
                replace(path, pem.encode())
            except OSError as error:
                raise StepRefused(f"{path} can't be written: {error.strerror or error}.") from None
            return name
        raise StepRefused(f"{self._folder / name} exists already: move it away.")


def replace(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read from its first byte on, in place of the former one at once."""
    # The name ends as the key's does, so that git ignores it too.
    new = path.with_name(f".{path.name.strip('.')}-{secrets.token_hex(8)}.pem")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(new, path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def check_folder(folder: Path) -> None:
    """Raises StartRefused if other people could read or change in this folder what the set-up writes."""
    try:
        found = folder.stat()
        ancestors = [(parent, parent.stat()) for parent in folder.parents]
    except OSError as error:
        raise StartRefused(f"{folder} can't be examined: {error.strerror}.") from None
    if found.st_uid != os.geteuid():
        raise StartRefused(f"{folder} belongs to another user: run stanch setup as the user that owns it.")
    if found.st_mode & FOREIGN:
        raise StartRefused(
            f"{folder} can be written by other users, who could put their own files in place of the secrets: "
            f"run chmod go-w {folder}, and stanch setup again."
        )
    for parent, facts in ancestors:
        if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
            raise StartRefused(
                f"{parent} can be written by everybody, who could put another folder in place of {folder}: "
                f"run chmod o-w {parent}, or set up elsewhere."
            )
    try:
        for name in (ENV_FILE, KEY_FILE):
            with suppress(FileNotFoundError):
                _check_file(folder / name)
    except StepRefused as refused:
        raise StartRefused(str(refused)) from None
    for name in (ENV_FILE, KEY_FILE, "github-app-1.pem"):
        if not is_ignored(folder, name):
            raise StartRefused(
                f"{folder} is in a git work tree that does not ignore {name}, so that a commit could publish it: "
                f"add the lines {ENV_FILE} and *.pem to its .gitignore (git rm --cached {name} if it is tracked)."
            )


def _check_file(path: Path) -> None:
    """Raises StepRefused for what is no plain file of ours; FileNotFoundError where nothing is."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise StepRefused(
            f"{path} is a link or no file: stanch setup writes plain files of its own folder only."
        )
    if found.st_uid != os.geteuid():
        raise StepRefused(f"{path} belongs to another user: run stanch setup as the user that owns it.")


def is_ignored(folder: Path, name: str) -> bool:
    """Whether a file of this name is kept out of git: no work tree, or one that ignores it."""
    root = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    if root is None:
        return True
    try:
        asked = subprocess.run(  # noqa: S603 - The name is ours.
            ["git", "check-ignore", "--quiet", "--", name],  # noqa: S607 - The person's own git.
            cwd=folder,
            check=False,
            capture_output=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return _lists(folder, root, name)
    # Git's manual: 0 ignored, 1 not ignored (a tracked file too), 128 an error, as for a work tree of another user.
    return asked.returncode == 0 if asked.returncode in (0, 1) else _lists(folder, root, name)


def _lists(folder: Path, root: Path, name: str) -> bool:
    """Where git can't be asked: whether a `.gitignore` has exactly the line for it, and none takes a line back."""
    lines: set[str] = set()
    folders = (folder, *folder.parents)
    for parent in folders[: folders.index(root) + 1]:
        with suppress(OSError, UnicodeDecodeError):
            lines |= {line.strip() for line in (parent / ".gitignore").read_text("utf-8").splitlines()}
    wanted = name if name == ENV_FILE else "*.pem"
    return wanted in lines and not any(line.startswith("!") for line in lines)
