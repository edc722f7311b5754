"""Decides in whose name a person's acts go out to GitHub. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records import Identity, IdentitySource, SignIn, Suspension, UnixTime


class ActingName(StrEnum):
    """Whose name GitHub shows."""

    OWN = "own"
    """The person's: their own token is sent."""
    APP = "app"
    """The App's, for a person of whom Stanch never had a token."""


@dataclass(frozen=True, slots=True)
class NoName:
    """Nothing is sent to GitHub for this person, in no name."""

    reason: str
    """A `Suspension`'s word, or SIGN_IN_NEEDED."""


SIGN_IN_NEEDED = "sign_in_needed"


def may_have_token(act_as: str, identity: Identity) -> bool:
    """Whether the person's sign-in has to be loaded; `act_as` is the option `github.act_as`."""
    return act_as != "app" and identity.source is IdentitySource.SIGN_IN


def acting_name(act_as: str, identity: Identity, stored: SignIn | None, now: UnixTime) -> ActingName | NoName:
    """In whose name it goes out; `stored` is the person's sign-in, where `may_have_token`.

    A sign-in that gives no rights any more is never a reason to act as the App.
    """
    if identity.suspension is not None:
        return NoName(identity.suspension)
    if act_as == "app":
        return ActingName.APP
    if may_have_token(act_as, identity):
        if stored is None or stored.github.id != identity.github.id:
            # Unlinked, or linked to another account, since the identity was read.
            return NoName(Suspension.UNLINKED)
        if stored.suspension is not None:
            return NoName(stored.suspension)
        if stored.lapses_at <= now:
            return NoName(Suspension.LAPSED)
        if stored.tokens is not None:
            return ActingName.OWN
    return NoName(SIGN_IN_NEEDED) if act_as == "user" else ActingName.APP
