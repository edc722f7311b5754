"""People who have signed in to GitHub: stored as the end of a sign-in stores it, with tokens of the sandbox."""

from urllib.parse import parse_qs, urlsplit

from bot.flows.people import settle_identity
from bot.flows.people.sealed_tokens import TokenOwner, seal
from integrations.literal import Literal
from storage import identities, sign_ins
from storage.records import Account, GitHubId, Identity, SignIn, SlackTeamId, SlackUserId
from tests.flows.stage import PUBLIC_URL, Stage

DAYS, HOURS = 86400.0, 3600.0
ALERT = r"/repos/octo/payments/secret-scanning/alerts/\d+"
EXCHANGE = "/login/oauth/access_token"
NO_RIGHTS = "gives no rights"


async def sign_in(stage: Stage, user: str, *, keep_tokens: bool = True) -> None:
    """Sign a Slack user in to their GitHub account, as the last step of `/leaks link` does."""
    context, person = stage.context, stage.people[user]
    assert context.oauth is not None
    assert context.keyring is not None
    redirect = f"{PUBLIC_URL}/github/callback"
    address = context.oauth.authorize_url(state="s", redirect_uri=redirect)
    callback = await stage.github.authorize(address, person)
    [code] = parse_qs(urlsplit(callback).query)["code"]
    tokens = await context.oauth.exchange(Literal(code), redirect_uri=redirect, verifier=None)
    team, slack_user, account = SlackTeamId(stage.slack.team_id), SlackUserId(user), GitHubId(person.id)
    sealed = seal(context.keyring, TokenOwner(team, slack_user, account), tokens) if keep_tokens else None
    now = stage.clock.now()
    stored = SignIn(
        team, slack_user, Account(account, person.login), now, now + context.options.link.lasts * DAYS, sealed
    )
    async with context.db.begin() as tx:
        await sign_ins.save(tx, stored)
        await settle_identity.settle(tx, team, users=[slack_user], accounts=[account], by="sign_in")
    await stage.work()


async def stored_sign_in(stage: Stage, user: str) -> SignIn:
    """The sign-in as it is stored."""
    async with stage.context.db.read() as tx:
        stored = await sign_ins.load(tx, SlackTeamId(stage.slack.team_id), SlackUserId(user))
    assert stored is not None
    return stored


async def identity_of(stage: Stage, user: str) -> Identity:
    async with stage.context.db.read() as tx:
        found = await identities.of_slack(tx, SlackTeamId(stage.slack.team_id), SlackUserId(user))
    assert found is not None
    return found


async def assert_no_rights(stage: Stage, user: str, *, since: int = 0) -> None:
    """Nothing the person does has an effect, in nobody's name."""
    await stage.click(user, "take")
    assert NO_RIGHTS in stage.answer_to(user)
    await stage.pick(user, "close_as", "revoked")
    assert NO_RIGHTS in stage.form(user).shown_text
    assert len(stage.github.calls("PATCH", ALERT)) == since
