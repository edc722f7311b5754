"""Which GitHub a server is, and what it therefore can; without any I/O."""

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

Release: TypeAlias = tuple[int, int]

# GitHub's REST descriptions: `PATCH …/secret-scanning/alerts/{alert_number}` of each release.
_ASSIGNEE_SINCE: Release = (3, 20)
_VALIDITY_SINCE: Release = (3, 22)
UNKNOWN_VERSION = "unknown"
"""The version of an Enterprise Server that does not tell it."""
OLDEST: Release = (3, 19)
"""The oldest release of GitHub Enterprise Server that is supported."""
_RELEASE = re.compile(r"(\d{1,4})\.(\d{1,4})(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Which GitHub this is, and what it therefore can."""

    version: str | None
    """Of GitHub Enterprise Server, UNTOLD where it does not tell; None on github.com and GHE.com."""
    data_residency: bool = False
    """A host of GHE.com."""

    @property
    def supports_assignee(self) -> bool:
        """Whether an alert can be assigned."""
        return self.version is None or self._is_at_least(_ASSIGNEE_SINCE)

    @property
    def supports_validity_override(self) -> bool:
        """Whether an alert's validity can be set."""
        return self.version is None or self._is_at_least(_VALIDITY_SINCE)

    @property
    def supports_revoke(self) -> bool:
        """Whether a leak can be reported without an Authorization header: github.com alone says so."""
        return self.version is None and not self.data_residency

    @property
    def is_too_old(self) -> bool:
        """Whether this is a release of GitHub Enterprise Server from before the oldest supported one."""
        return self._release is not None and self._release < OLDEST

    @property
    def _release(self) -> Release | None:
        found = _RELEASE.match(self.version or "")
        return (int(found[1]), int(found[2])) if found else None

    def _is_at_least(self, release: Release) -> bool:
        """False for a server that does not tell its release: unknown means not able."""
        return self._release is not None and self._release >= release


def server_by_host(api_url: str) -> ServerFacts | None:
    """The server behind GitHub's own hosts, which need not be asked; None for any other host."""
    host = urlsplit(api_url).hostname or ""
    if host == "api.github.com":
        return ServerFacts(None)
    return ServerFacts(None, data_residency=True) if host.endswith(".ghe.com") else None
