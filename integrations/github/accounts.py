"""GitHub accounts: the record, reading it from JSON, and the check of a login."""

import re
from dataclasses import dataclass, field

from integrations.github.errors import Malformed
from integrations.github.json_fields import identifier, json_object, text

# Letters, digits and hyphens; managed users have an underscore, and bots end in `[bot]`.
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?")


@dataclass(frozen=True, slots=True)
class GitHubAccount:
    """A GitHub user, organization or bot."""

    id: int
    login: str
    kind: str | None = field(default=None, compare=False)
    """`User`, `Organization`, `Bot` or another word of GitHub's; None where it says none."""

    @property
    def is_person(self) -> bool:
        """Whether somebody can act as this account, as far as GitHub says."""
        return self.kind in ("User", None)


def account(value: object) -> GitHubAccount | None:
    """Read an account from GitHub's `simple-user` or an organization object; None without an id and a login."""
    raw = json_object(value)
    if raw is None:
        return None
    number, login = identifier(raw.get("id")), text(raw.get("login"))
    return GitHubAccount(number, login, text(raw.get("type"))) if number and login else None


def needed_account(value: object, what: str) -> GitHubAccount:
    """Read an account that must be there. Raises Malformed, which names it by `what`."""
    found = account(value)
    if found is None:
        raise Malformed(f"{what} has no usable id or login")
    return found


def is_login(value: str) -> bool:
    """Whether `value` has the form of a login, so that it is safe in a path."""
    return _LOGIN.fullmatch(value) is not None
