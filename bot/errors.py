"""The few errors of ours: what a person is told, and what makes a job wait."""

from storage.records import UnixTime


class Refused(Exception):
    """Something was asked that will not be done; the person is told why and what to do.

    `reason` is the short word for the audit log and for metrics. `headline` is plain text; `detail` and `hint`
    are finished markup: whoever raises it has escaped what came from elsewhere. `quoted` is the platform's own
    reason, as plain text, where it gave one.
    """

    def __init__(
        self, reason: str, headline: str, detail: str = "", hint: str = "", *, quoted: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.quoted = quoted
        self.headline = headline
        self.detail = detail
        self.hint = hint

    @property
    def audited(self) -> str:
        """The reason as the audit log keeps it: the short word, and the platform's own words behind it."""
        return f"{self.reason}: {self.quoted}" if self.quoted else self.reason


class RetryLater(Exception):
    """The job is fine and wants to run again at a later time; this costs none of its attempts.

    `holds` tells whether later jobs of the same key wait for it.
    """

    def __init__(self, at: UnixTime, reason: str, *, holds: bool = True) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason
        self.holds = holds


class OutcomeUnknown(Exception):
    """Something may have been done, and there is no way to find out; `str()` says why, in words for the person."""


class UnusableJob(Exception):
    """A stored job asks for what this version does not know, or lacks what it needs; `str()` is the reason.

    Trying again does not help: the job is parked, and whoever waits for it hears so.
    """


class StartRefused(Exception):
    """Stanch can't start or the command can't be done; the one sentence says what to mend."""
