"""Forgets a person's link at their own request."""

from dataclasses import dataclass

from bot.context import Context
from bot.flows.people.linking import drop_pages
from bot.flows.people.sealed_tokens import TokenOwner, deletion
from storage import directory_pairs, identities, jobs, link_requests, operator_links, sign_ins
from storage.records import SlackTeamId, SlackUserId


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whose account was forgotten, and which one the directory still names."""

    login: str | None
    by_directory: str | None


async def forget(context: Context, team: SlackTeamId, user: SlackUserId) -> Forgotten:
    """Delete the sign-in, the operator's link and a started sign-in; the token is deleted at GitHub, by a job."""
    async with context.db.begin() as tx:
        started = await link_requests.of_user(tx, team, user)
        await drop_pages(tx, started)
        await link_requests.delete_of_user(tx, team, user)
        signed_in = await sign_ins.delete(tx, team, user)
        if signed_in is not None and signed_in.tokens is not None:
            await jobs.enqueue(tx, deletion(TokenOwner(team, user, signed_in.github.id), signed_in.tokens))
        by_operator = await operator_links.delete(tx, team, user)
        pairs = await directory_pairs.of_user(tx, team, user)
        former = [one.github for one in (signed_in, by_operator) if one is not None]
        await identities.unlink(tx, team, user)
        held = next((pair.github.login for pair in pairs if pair.suspension is None), None)
    return Forgotten(former[0].login if former else None, held)
