"""Everything that a set-up puts out, and the secrets that it is given and makes."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from tests.flows.planted import find_traces
from tests.processes.sinks import calls_of_github, calls_of_slack, files_in, join_files

SECRET_SETTINGS = {
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "GITHUB_APP_CLIENT_SECRET", "GITHUB_WEBHOOK_SECRET"),
    *("STANCH_AUDIT_KEY", "STANCH_ENCRYPTION_KEYS"),
}
FOR_SECRETS = {".env", "github-app.pem"}
"""The files that hold them, and that their owner alone can read."""


def find_secrets(
    folder: Path,
    pages: Iterable[str],
    outputs: Mapping[str, str],
    slack: SlackSandbox,
    github: GitHubSandbox,
    planted: Mapping[str, str],
) -> list[str]:
    """Where a secret of the set-up stands that should not; AssertionError where a place is empty.

    `outputs` are what else was put out, by name. `planted` are secrets besides those that the set-up has written.
    """
    written = {name: value or "" for name, value in dotenv_values(folder / ".env").items()}
    assert written.keys() >= SECRET_SETTINGS
    key_lines = (folder / "github-app.pem").read_text().splitlines()
    secrets = {name: written[name] for name in SECRET_SETTINGS} | {
        "the App's private key": key_lines[len(key_lines) // 2],
        **planted,
    }
    contents = {
        "pages of the set-up": "\n".join(pages).encode(),
        "files of the set-up": join_files(path for path in files_in(folder) if path.name not in FOR_SECRETS),
        "calls of Slack": calls_of_slack(slack),
        "calls of GitHub": calls_of_github(github),
        **{name: text.encode() for name, text in outputs.items()},
    }
    empty = [name for name, content in contents.items() if not content]
    assert not empty, f"nothing is in {empty}"
    return find_traces(contents, secrets)
