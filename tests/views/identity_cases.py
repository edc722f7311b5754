"""Changed identities, for tests of what is drawn."""

from bot.people_job_kinds import IdentityChange, SendIdentityNotice
from bot.views.identity_changes import NamedChange, identity_notice
from integrations.slack.blocks import Content
from storage.records import GitHubId, SlackUserId, Suspension


def identity_change(
    kind: str, *, source: str = "sign_in", reason: str | None = None, others: tuple[str, ...] = ()
) -> NamedChange:
    """A change of Dana's link."""
    user = SlackUserId("U0DANA")
    change = IdentityChange(
        kind, user, GitHubId(7), "dana-kim", source, reason, tuple(map(SlackUserId, others))
    )
    return NamedChange(change, {"U0DANA": "Dana Kim", "U0EVE": "Eve"})


IDENTITY_CHANGES = [
    identity_change("linked"),
    identity_change("unlinked"),
    identity_change("suspended", reason=Suspension.SIGNED_IN_ELSEWHERE, others=("U0EVE", "U0BO")),
    identity_change("not_linked", reason=Suspension.SIGNED_IN_ELSEWHERE, others=("U0EVE",)),
    identity_change("suspended", reason=Suspension.TOKEN_REFUSED),
    identity_change("linked", source="directory"),
    identity_change("linked", source="mapping"),
    identity_change("suspended", source="directory", reason="word_of_a_later_version"),
]


def notice_of_identity(
    kind: str, *, about: str | None = None, source: str = "sign_in", reason: str | None = None
) -> Content:
    """What somebody is told of a change."""
    told = SlackUserId(about) if about else None
    return identity_notice(
        SendIdentityNotice(SlackUserId("U0DANA"), "octo-admin", kind, told, source, reason)
    )
