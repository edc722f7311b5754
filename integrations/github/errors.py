"""What can go wrong when GitHub is asked, one class per thing a caller does about it.

An error names the call by its template (`GET /repos/{owner}/{repo}`), not by a filled path, and has no body.
"""


class GitHubError(Exception):
    """A call to GitHub failed; `str()` is one sentence."""

    def __init__(self, what: str, status: int | None = None, detail: str | None = None) -> None:
        self.what = what
        self.status = status
        self.detail = detail
        super().__init__(what, status, detail)

    def __str__(self) -> str:
        answer = f"GitHub answered {self.status} to {self.what}" if self.status else f"{self.what} failed"
        return f"{answer}: {self.detail}" if self.detail else answer


class GitHubUnauthorized(GitHubError):
    """401: GitHub does not know who asks (wrong key, wrong app id, wrong clock, revoked token)."""

    def __init__(
        self,
        what: str,
        status: int | None = None,
        detail: str | None = None,
        clock_ahead: float | None = None,
    ) -> None:
        super().__init__(what, status, detail)
        self.clock_ahead = clock_ahead
        """Seconds by which our clock is ahead of the server's; None where it did not tell its time."""


class Forbidden(GitHubError):
    """403: GitHub knows who asks and refuses; `detail` is its reason (an IP allow list, say)."""


class FeatureOff(Forbidden):
    """403 or 404 with the reason that secret scanning is off: the repository is there, its alerts are not shown."""


class NotFound(GitHubError):
    """404, 410 or 451: not there, or not for us; GitHub does not tell which."""


class Invalid(GitHubError):
    """Any other 4xx: GitHub understood and refused; `detail` is its short message, masked."""


class Moved(GitHubError):
    """A redirect that is not followed: of a write, off GitHub's origin, or one too many."""


class GitHubRateLimited(GitHubError):
    """A primary or secondary limit is reached; nothing was done."""

    def __init__(self, what: str, retry_at: float, status: int | None = None) -> None:
        super().__init__(what, status, "the rate limit is reached")
        self.retry_at = retry_at
        """Unix seconds."""


class Unavailable(GitHubError):
    """5xx, or an answer that is not GitHub's JSON."""

    @property
    def maybe_done(self) -> bool:
        """Whether it was a write that may have been carried out all the same."""
        return is_write(self.what)


class Unreachable(GitHubError):
    """No answer: no connection, a lost one, or a timeout."""

    def __init__(self, what: str, detail: str, *, maybe_done: bool) -> None:
        super().__init__(what, None, detail)
        self.maybe_done = maybe_done
        """True for a write that GitHub may have received."""


class GitHubUntrusted(Unreachable):
    """The server's certificate is not trusted on this machine; nothing was sent."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, f"its certificate is not trusted here ({reason})", maybe_done=False)
        self.reason = reason


class GitHubUncertain(GitHubError):
    """The answer to something that can't be undone was lost: it may have been done, or not."""


class InstallationGone(GitHubError):
    """No installation token to be had: the installation was removed or suspended."""

    def __init__(self, what: str, status: int, kind: str) -> None:
        super().__init__(what, status, f"the installation is {kind}")
        self.kind = kind
        """`removed` or `suspended`."""


class Malformed(ValueError):
    """JSON without the ids that say what it is about."""


class NoAccount(Malformed):
    """GitHub names no account with a login: none at all, or an enterprise, which has a slug instead."""


class BadDelivery(Malformed):
    """A webhook body that GitHub can't have sent: not JSON, or without the ids that say what it is about."""


def is_write(what: str) -> bool:
    """Whether a call changes something; a token that was minted and lost on the way does not."""
    return not what.startswith("GET ") and not what.endswith("/access_tokens")
