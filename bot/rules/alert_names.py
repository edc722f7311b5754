"""Reads how people name an alert: `octo/payments#42`, or its link."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<repository>[\w.-]{1,100}/[\w.-]{1,100})#(?P<number>[0-9]{1,18})", re.ASCII)
_PATH = (
    r"/(?P<repository>[\w.-]{1,100}/[\w.-]{1,100})/security/secret-scanning/(?P<number>[0-9]{1,18})(?![\w-])"
)


@dataclass(frozen=True, slots=True)
class AlertName:
    """A repository's full name as it was typed, and an alert's number in it."""

    repository: str
    number: int

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


def parse_alert_name(text: str, github_url: str) -> AlertName | None:
    """The alert that the whole text names; None if the text is anything else."""
    text = text.strip()
    return _name(_NAME.fullmatch(text)) or (
        find_alert_link(text, github_url) if not re.search(r"\s", text) else None
    )


def find_alert_link(text: str, github_url: str) -> AlertName | None:
    """The first link in a text to an alert on the GitHub at `github_url`, or None."""
    link = re.compile(rf"(?<![\w.-]){re.escape(github_url.rstrip('/'))}{_PATH}", re.ASCII | re.IGNORECASE)
    return _name(link.search(text))


def _name(found: re.Match[str] | None) -> AlertName | None:
    return None if found is None else AlertName(found["repository"], int(found["number"]))
