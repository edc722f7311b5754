"""Errors of calls to GitHub: one class per reaction of the caller.

An error names its call by the path's template (`GET /repos/{owner}/{repo}`) and holds neither the filled path nor a
body.
"""


class GitHubError(Exception):
    """A call to GitHub failed; `str()` is one sentence."""

    def __init__(self, call: str, status: int | None = None, detail: str | None = None) -> None:
        self.call = call
        self.status = status
        self.detail = detail
        super().__init__(call, status, detail)

    def __str__(self) -> str:
        failure = f"GitHub answered {self.status} to {self.call}" if self.status else f"{self.call} failed"
        return f"{failure}: {self.detail}" if self.detail else failure


class GitHubUnauthorized(GitHubError):
    """401: GitHub does not accept our credential (wrong key, wrong app id, wrong clock, revoked token)."""

    def __init__(
        self,
        call: str,
        status: int | None = None,
        detail: str | None = None,
        clock_ahead: float | None = None,
    ) -> None:
        super().__init__(call, status, detail)
        self.clock_ahead = clock_ahead
        """Seconds by which our clock is ahead of the server's; None where the response has no `Date`."""


class Forbidden(GitHubError):
    """403: GitHub accepts the credential and refuses the call; `detail` is its reason (e.g. an IP allow list)."""


class FeatureOff(Forbidden):
    """403 or 404 because secret scanning is off: the repository exists, but its alerts are not shown."""


class NotFound(GitHubError):
    """404, 410 or 451: it does not exist or we may not see it; GitHub does not tell which."""


class Invalid(GitHubError):
    """Any other 4xx: GitHub refused the request's content; `detail` is its short message, masked."""


class Moved(GitHubError):
    """A redirect that is not followed: of a write, to another origin, or one too many."""


class GitHubRateLimited(GitHubError):
    """A primary or secondary rate limit is reached; nothing was done."""

    def __init__(self, call: str, retry_at: float, status: int | None = None) -> None:
        super().__init__(call, status, "the rate limit is reached")
        self.retry_at = retry_at
        """Unix seconds."""


class Unavailable(GitHubError):
    """5xx, or a response that is not GitHub's JSON."""

    @property
    def maybe_done(self) -> bool:
        """Whether the call was a write that GitHub may have carried out."""
        return is_write(self.call)


class Unreachable(GitHubError):
    """No response: no connection, a lost one, or a timeout."""

    def __init__(self, call: str, detail: str, *, maybe_done: bool) -> None:
        super().__init__(call, None, detail)
        self.maybe_done = maybe_done
        """True for a write that GitHub may have received."""


class GitHubUntrusted(Unreachable):
    """The server's certificate is not trusted on this machine; nothing was sent."""

    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, f"its certificate is not trusted here ({reason})", maybe_done=False)
        self.reason = reason


class GitHubUncertain(GitHubError):
    """The response to a call that can't be undone was lost, so the call may or may not have been carried out."""


class InstallationGone(GitHubError):
    """GitHub issues no installation token, because the installation was removed or suspended."""

    def __init__(self, call: str, status: int, kind: str) -> None:
        super().__init__(call, status, f"the installation is {kind}")
        self.kind = kind
        """`removed` or `suspended`."""


class Malformed(ValueError):
    """JSON without the ids that identify its subject."""


class NoAccount(Malformed):
    """The JSON has no account with a login: the account is null, or an enterprise, which has a slug instead."""


class BadDelivery(Malformed):
    """A webhook body that GitHub can't have sent: not JSON, or without the ids that identify its subject."""


_NO_WRITES = ("/access_tokens", "/oauth/access_token", "/graphql")


def is_write(call: str) -> bool:
    """Whether a call changes something at GitHub that people see. A call for a token does not.

    Nor does GraphQL, since Stanch only queries.
    """
    return not call.startswith("GET ") and not call.endswith(_NO_WRITES)
