"""Forgets a person's link at their own request."""

from bot.context import Context
from bot.flows.people.settle_identity import forget
from storage import identities, sign_ins
from storage.records import SlackTeamId, SlackUserId


async def unlink(context: Context, team: SlackTeamId, user: SlackUserId) -> str | None:
    """Unlink from all sources, and end a sign-in under way; returns the login that was linked, if any.

    Tokens are forgotten here at once, and deleted at GitHub by a job.
    """
    async with context.db.begin() as tx:
        identity = await identities.of_slack(tx, team, user, suspended=True)
        signed_in = await sign_ins.load(tx, team, user)
        await forget(tx, team, user, by="unlink")
    known = identity or signed_in
    return known.github.login if known else None
