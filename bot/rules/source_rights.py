"""Decides what a person may do here by the source that links them to their GitHub account. Pure."""

from enum import StrEnum

from bot.options import Options
from storage.records import IdentitySource


class Deed(StrEnum):
    """What somebody wants to do."""

    LOOK_UP = "look_up"
    """Read alerts, and answer when asked."""
    ACT = "act"
    """Whatever has an effect: take, check, report, close, subscribe and so on."""
    APPROVE = "approve"
    """Approve or deny what somebody else asked for."""


def source_obstacle(source: IdentitySource | None, deed: Deed, options: Options) -> str | None:
    """Why this source is not enough, as a word for the audit log; None if it is. What is not known is not enough."""
    if source is IdentitySource.SIGN_IN:
        return None
    if source is IdentitySource.OPERATOR:
        return "sign_in_needed" if deed is not Deed.LOOK_UP and options.github.act_as == "user" else None
    if source is not IdentitySource.DIRECTORY or options.directory.source == "off":
        return "not_linked"
    if deed is Deed.LOOK_UP:
        return None
    if options.github.act_as == "user":
        return "sign_in_needed"
    return None if deed is Deed.ACT and options.directory.acts else "directory_alone"
