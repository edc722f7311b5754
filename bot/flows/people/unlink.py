"""Forgets a person's link at their own request."""

from dataclasses import dataclass

from bot.context import Context
from bot.flows.people import settle_identity
from bot.flows.people.linking import drop_pages
from storage import identities, link_requests, sign_ins
from storage.records import SlackTeamId, SlackUserId


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whose account was forgotten, and which one the directory still names."""

    login: str | None
    by_directory: str | None


async def forget(context: Context, team: SlackTeamId, user: SlackUserId) -> Forgotten:
    """Delete what every source says, and a started sign-in; the token is deleted at GitHub, by a job."""
    async with context.db.begin() as tx:
        await drop_pages(tx, await link_requests.of_user(tx, team, user))
        former = await identities.of_slack(tx, team, user, suspended=True)
        signed_in = await sign_ins.load(tx, team, user)
        await settle_identity.forget(tx, team, user, by="unlink")
    known = next((one.github.login for one in (former, signed_in) if one is not None), None)
    return Forgotten(known, None)
