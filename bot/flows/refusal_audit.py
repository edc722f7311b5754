"""Keeping in the audit log who was refused a look-up, as it keeps who was refused an action."""

from bot.context import Context
from bot.errors import Refused
from storage import audit, identities
from storage.records import AuditEntry, AuditOutcome, SlackTeamId, SlackUserId

NOT_ALLOWED = frozenset(
    {
        *("bot", "deactivated", "guest", "other_organization", "shared_channel"),
        *("not_linked", "no_role", "unknown_alert"),
    }
)
"""Reasons that speak of the person, or of what is not theirs; a mistyped filter is nobody's concern."""


async def note_refusal(context: Context, team: SlackTeamId, user: SlackUserId, refused: Refused) -> None:
    """Write a refusal down, if it is one that an auditor asks for."""
    if refused.reason not in NOT_ALLOWED:
        return
    async with context.db.begin() as tx:
        identity = await identities.of_slack(tx, team, user)
        await audit.append(
            tx,
            AuditEntry(
                action="look_up",
                outcome=AuditOutcome.REFUSED,
                slack_team=team,
                slack_user=user,
                github_login=identity.github.login if identity else None,
                github_id=identity.github.id if identity else None,
                reason=refused.reason,
            ),
        )
