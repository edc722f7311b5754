"""Decides which new tokens Stanch checks without a click, and at what pace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.options import ValidityOptions
from bot.rules.validity import is_probed
from storage.records import Alert, Message, StoredJson, UnixTime

HOUR = 3600.0
LAPSES = HOUR
"""Seconds after which a check is no longer one on arrival, and is left out."""
APART = 10.0
"""Seconds between two such checks, over all alerts and processes."""
MOST_IN_AN_HOUR = 30
REFUSED_IN_A_ROW = 3
"""401s in a row after which no check is made for an hour. GitHub's docs: repeated 401s can lock logins out."""


def is_check_due(before: Alert | None, after: Alert, options: ValidityOptions, now: UnixTime) -> bool:
    """Whether a change calls for a check: the alert is new (`before` is None), or its token's owner was unknown."""
    is_news = before is None or (before.token.owner is None and after.token.owner is not None)
    return is_news and is_check_wanted(after, options, now)


def is_check_wanted(alert: Alert, options: ValidityOptions, now: UnixTime) -> bool:
    """Whether the alert may be checked on arrival now: open, new, never probed, and its owner known where needed."""
    if options.check_on_arrival == "off" or not is_probed(alert, options):
        return False
    if options.check_on_arrival == "members" and alert.token.owner is None:
        return False
    return alert.is_open and alert.probe is None and now - alert.first_seen_at < LAPSES


def has_own_card(cards: Sequence[Message]) -> bool:
    """Whether a channel shows the alert by itself, not as one of many in a summary."""
    return any(card.folded_into is None for card in cards)


@dataclass(frozen=True, slots=True)
class ArrivalPace:
    """The checks on arrival of the last hour, over all processes."""

    at: tuple[UnixTime, ...] = ()
    """When each was made, oldest first."""
    refused: int = 0
    """The number of 401s since the last token that was accepted."""
    paused_until: UnixTime = 0.0

    def free_at(self, now: UnixTime) -> UnixTime:
        """When the next check may be made: `now`, or later."""
        recent = [at for at in self.at if at > now - HOUR]
        times = [now, self.paused_until]
        if recent:
            times.append(recent[-1] + APART)
        if len(recent) >= MOST_IN_AN_HOUR:
            times.append(recent[-MOST_IN_AN_HOUR] + HOUR)
        return max(times)

    def after_start(self, at: UnixTime) -> "ArrivalPace":
        """With one more check, made at that time."""
        return replace(self, at=(*self.at, at)[-MOST_IN_AN_HOUR:])

    def after_verdict(self, verdict: str, at: UnixTime) -> "ArrivalPace":
        """After the last check's answer at that time; only an accepted token ends a row of 401s."""
        answered = replace(self, at=(*self.at[:-1], at))
        if verdict == "active":
            return replace(answered, refused=0)
        if verdict != "inactive":
            return answered
        if self.refused + 1 < REFUSED_IN_A_ROW:
            return replace(answered, refused=self.refused + 1)
        return replace(answered, refused=0, paused_until=at + HOUR)

    def to_json(self) -> dict[str, StoredJson]:
        """As it is stored."""
        return {"at": list(self.at), "refused": self.refused, "paused_until": self.paused_until}

    @classmethod
    def from_json(cls, stored: StoredJson) -> "ArrivalPace":
        """From what is stored; None: nothing was checked yet."""
        if not isinstance(stored, Mapping):
            return cls()
        at, refused, paused = (stored.get(name) for name in ("at", "refused", "paused_until"))
        return cls(
            tuple(float(one) for one in at if isinstance(one, int | float)) if isinstance(at, list) else (),
            refused if isinstance(refused, int) else 0,
            float(paused) if isinstance(paused, int | float) else 0.0,
        )
