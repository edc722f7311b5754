"""The files of the set-up: who can read them, what stays in them, and the folders that are refused."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.cli.setup import setup
from bot.errors import StartRefused
from bot.flows.setup.files import SetupFiles, check_folder
from bot.flows.setup.step import StepRefused
from tests.flows.setup.local_page import modes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of ours below one that everybody can write, as /tmp is."""
    folder = tmp_path / "stanch"
    folder.mkdir(mode=0o755)
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def test_files_are_readable_by_their_owner_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        files = SetupFiles(folder)
        files.write_settings({"A": "1"})
        assert files.write_key("a key", "7") == "github-app.pem"
    finally:
        os.umask(before)
    assert modes(folder) == {".env": "0o600", "github-app.pem": "0o600"}


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_can_not(folder: Path) -> None:
    (folder / ".env").write_text("# mine\nA=1\n")
    (folder / ".env").chmod(0o644)
    SetupFiles(folder).write_settings({"B": "2"})
    assert modes(folder) == {".env": "0o600"}
    assert (folder / ".env").read_text() == "# mine\nA=1\nB=2\n"


def test_a_key_that_is_there_is_not_overwritten(folder: Path) -> None:
    files = SetupFiles(folder)
    (folder / "github-app.pem").write_text("another App's")
    assert files.write_key("new", "7") == "github-app-7.pem"
    assert (folder / "github-app.pem").read_text() == "another App's"
    with pytest.raises(StepRefused, match="exists already"):
        files.write_key("newer", "7")


def test_nothing_is_left_of_a_write_that_failed(folder: Path) -> None:
    (folder / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(StepRefused, match="UTF-8"):
        SetupFiles(folder).write_settings({"A": "1"})
    (folder / ".env").write_text("A=1\n")
    with pytest.raises(StepRefused, match="line break"):
        SetupFiles(folder).write_settings({"B": "1\n2"})
    assert [path.name for path in folder.iterdir()] == [".env"]
    assert (folder / ".env").read_text() == "A=1\n"


def test_a_setting_that_the_environment_overrides_is_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_APP_ID", "1")
    with pytest.raises(StepRefused, match="GITHUB_APP_ID is also set in the environment"):
        SetupFiles(folder).write_settings({"GITHUB_APP_ID": "2"})
    SetupFiles(folder).write_settings({"GITHUB_APP_ID": "1"})


def test_links_in_place_of_the_files_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / ".env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StepRefused, match="link"):
        SetupFiles(folder).write_settings({"A": "1"})
    with pytest.raises(StartRefused, match="link"):
        check_folder(folder)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_a_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(StartRefused, match="chmod go-w"):
        check_folder(folder)
    folder.chmod(0o755)
    check_folder(folder)


def test_a_folder_below_one_that_everybody_can_write_is_refused(folder: Path) -> None:
    below = folder / "below"
    below.mkdir(mode=0o755)
    folder.chmod(0o777)
    with pytest.raises(StartRefused, match="another folder in place"):
        check_folder(below)
    folder.chmod(0o1777)
    check_folder(below)


def test_a_second_set_up_in_the_folder_is_refused(folder: Path) -> None:
    with (
        SetupFiles(folder).alone(),
        pytest.raises(StartRefused, match="Another stanch setup"),
        SetupFiles(folder).alone(),
    ):
        pass
    with SetupFiles(folder).alone():
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("ignored", "named"),
    [
        ("", ".env"),
        (".env\n", "github-app.pem"),
        ("*.pem\n", ".env"),
        (".env\ngithub-app.pem\n", "github-app-1.pem"),
        (".env\n*.pem\n!github-app.pem\n", "github-app.pem"),
    ],
)
def test_a_git_work_tree_that_would_publish_the_files_is_refused(
    folder: Path, ignored: str, named: str
) -> None:
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text(ignored)
    below = folder / "below"
    below.mkdir(mode=0o755)
    for place in (folder, below):
        with pytest.raises(StartRefused, match=f"does not ignore {named.replace('.', '[.]')}"):
            check_folder(place)
    (folder / ".gitignore").write_text(".env\n*.pem\n")
    check_folder(folder)
    check_folder(below)


def test_a_file_that_git_tracks_already_is_refused(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / ".env").write_text("A=1\n")
    git(folder, "add", ".env")
    (folder / ".gitignore").write_text(".env\n*.pem\n")
    with pytest.raises(StartRefused, match=r"git rm --cached [.]env"):
        check_folder(folder)


@pytest.mark.parametrize(
    ("ignored", "refused"),
    [(".env\n*.pem\n", False), ("*.env\n*.pem\n", True), (".env\n*.pem\n!.env\n", True), ("", True)],
)
def test_without_git_the_exact_lines_of_gitignore_count(
    folder: Path, ignored: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text(ignored)
    (folder / "below").mkdir(mode=0o755)
    monkeypatch.setenv("PATH", "")
    for place in (folder, folder / "below"):
        if refused:
            with pytest.raises(StartRefused, match="does not ignore"):
                check_folder(place)
        else:
            check_folder(place)


def test_the_project_s_own_folder_keeps_the_files_out_of_git() -> None:
    ignored = (Path(__file__).parents[3] / ".gitignore").read_text().splitlines()
    assert {".env", "*.pem"} <= set(ignored)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GITHUB_URL=octo\n", "GITHUB_URL must be an http"),
        (b"SLACK_API_URL=https://user:word@slack.octo.example/api/\n", "SLACK_API_URL must be an http"),
        (b"\xff\xfe", "can't be read as a text file in UTF-8"),
    ],
)
def test_settings_that_can_not_be_used_end_the_start(
    folder: Path, content: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_bytes(content)
    monkeypatch.chdir(folder)
    with pytest.raises(StartRefused, match=words):
        setup(no_browser=True)
