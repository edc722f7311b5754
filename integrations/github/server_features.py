"""Which GitHub a server is (github.com, GHE.com, Enterprise Server), and which features it has."""

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

Release: TypeAlias = tuple[int, int]

# GitHub's REST description of each release: body of `PATCH …/secret-scanning/alerts/{alert_number}`.
_ASSIGNEE_SINCE: Release = (3, 20)
_VALIDITY_SINCE: Release = (3, 22)
# GitHub's changelog of July 2025 has PKCE for github.com; up to 3.20, Enterprise Server ignores it.
_PKCE_SINCE: Release = (3, 21)
UNKNOWN_VERSION = "unknown"
"""Stands for the version of an Enterprise Server that does not show it."""
OLDEST: Release = (3, 19)
"""The oldest release of GitHub Enterprise Server that Stanch supports."""
_RELEASE = re.compile(r"(\d{1,4})\.(\d{1,4})(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Which GitHub a server is, and which features it has."""

    version: str | None
    """Of Enterprise Server, or UNKNOWN_VERSION; None on github.com and GHE.com."""
    data_residency: bool = False
    """Whether this is GHE.com."""

    @property
    def supports_assignee(self) -> bool:
        """Whether an alert can be assigned."""
        return self.version is None or self._is_at_least(_ASSIGNEE_SINCE)

    @property
    def supports_validity_override(self) -> bool:
        """Whether an alert's validity can be set."""
        return self.version is None or self._is_at_least(_VALIDITY_SINCE)

    @property
    def supports_pkce(self) -> bool:
        """Whether a sign-in is bound to a PKCE verifier. True for an unknown version, which may know it."""
        return self._release is None or self._release >= _PKCE_SINCE

    @property
    def supports_revoke(self) -> bool:
        """Whether leaked tokens can be reported; GitHub documents this without authorization for github.com only."""
        return self.version is None and not self.data_residency

    @property
    def is_too_old(self) -> bool:
        """Whether this Enterprise Server is older than OLDEST; False for an unknown version."""
        return self._release is not None and self._release < OLDEST

    @property
    def _release(self) -> Release | None:
        found = _RELEASE.match(self.version or "")
        return (int(found[1]), int(found[2])) if found else None

    def _is_at_least(self, release: Release) -> bool:
        """False for an unknown version."""
        return self._release is not None and self._release >= release


def server_by_host(api_url: str) -> ServerFacts | None:
    """Return the facts for GitHub's own hosts, known without a call; None for any other host."""
    host = urlsplit(api_url).hostname or ""
    if host == "api.github.com":
        return ServerFacts(None)
    return ServerFacts(None, data_residency=True) if host.endswith(".ghe.com") else None
