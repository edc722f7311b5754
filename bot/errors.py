"""Our own errors: refusals for people, and reasons why a job waits or stops."""

from storage.records import UnixTime


class Refused(Exception):
    """The request is refused; the person is told why and what to do.

    `reason` is one short word for the audit log and the metrics. `headline` is plain text. `detail` and `hint` are
    Slack markup in which outside text is already escaped. `quoted` is the platform's own reason as plain text, if
    it gave one. With `offers_link` the answer has a button that starts to link the person's GitHub account.
    """

    def __init__(
        self,
        reason: str,
        headline: str,
        detail: str = "",
        hint: str = "",
        *,
        quoted: str | None = None,
        offers_link: bool = False,
    ) -> None:
        super().__init__(reason)
        self.offers_link = offers_link
        self.reason = reason
        self.quoted = quoted
        self.headline = headline
        self.detail = detail
        self.hint = hint

    @property
    def audited(self) -> str:
        """The reason for the audit log: the short word, then the platform's own reason if there is one."""
        return f"{self.reason}: {self.quoted}" if self.quoted else self.reason


class LimitReached(Refused):
    """The person has done this as often within an hour as they may; the default channel is told too."""

    def __init__(self, headline: str, detail: str, *, most: int, until: UnixTime) -> None:
        super().__init__("limit_reached", headline, detail)
        self.most = most
        self.until = until


class ApprovalEnded(Refused):
    """What a second person was asked to approve has changed, so that the request ends too."""

    def __init__(self, reason: str, headline: str, detail: str, *, request: str) -> None:
        super().__init__(reason, headline, detail)
        self.request = request


class RetryLater(Exception):
    """The job has to run again at a later time; this uses none of its attempts.

    `holds` tells whether later jobs of the same key wait for it.
    """

    def __init__(self, at: UnixTime, reason: str, *, holds: bool = True) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason
        self.holds = holds


class OutcomeUnknown(Exception):
    """A write may have succeeded, and GitHub can't be asked whether it did; `str()` is the reason, for the person."""


class UnusableJob(Exception):
    """A stored job is unknown to this version or incomplete; `str()` is the reason.

    A retry does not help: the job is parked, and the person who waits for it is told.
    """


class StartRefused(Exception):
    """Stanch can't start, or a command can't run; `str()` is one sentence that says what to fix."""
