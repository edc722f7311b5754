"""The form of a report says whether the leaked token is one that Stanch itself holds for somebody."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.flows.people.sealed_tokens import TokenOwner, unseal
from bot.options import Options, ReportOptions
from storage import sign_ins
from storage.clock import Clock
from storage.records import Account, GitHubId, SignIn, SlackTeamId, SlackUserId, StoredTokens
from tests.flows.signed_in import sign_in, stored_sign_in
from tests.flows.stage import ADMIN, MANAGER, OWNER, Stage, open_stage

pytestmark = pytest.mark.either_database
ALL_TYPES = Options(report=ReportOptions(app_user_tokens=True, refresh_tokens=True))
LITERAL = r"GET /repos/octo/payments/secret-scanning/alerts/\d+"


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """The repository's admin has signed in, and the tokens of a sign-in can be reported."""
    async with open_stage(database_url, clock, private_key, options=ALL_TYPES, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        yield stage
        stage.check()


async def token_of(stage: Stage, user: str, which: str) -> str:
    """The token that Stanch holds for a person: `access` or `refresh`."""
    stored = await stored_sign_in(stage, user)
    assert stored.tokens is not None
    assert stage.context.keyring is not None
    owner = TokenOwner(stored.slack_team, stored.slack_user, stored.github.id)
    token = getattr(unseal(stage.context.keyring, owner, stored.tokens), which)
    return str(token.reveal())


async def add_unreadable(stage: Stage, count: int) -> None:
    """Sign-ins that come first in the order of users, with tokens of a key that is gone."""
    tokens, now = StoredTokens("0badc0de", b"sealed", None, None, None), stage.clock.now()
    async with stage.context.db.begin() as tx:
        for number in range(count):
            user, account = SlackUserId(f"T0P{number}"), Account(GitHubId(9000 + number), f"p{number}")
            team = SlackTeamId(stage.slack.team_id)
            await sign_ins.save(tx, SignIn(team, user, account, now, now + 9e6, tokens))


@pytest.mark.parametrize(
    ("secret_type", "which"),
    [("github_app_user_access_token", "access"), ("github_refresh_token", "refresh")],
)
async def test_a_token_that_stanch_holds_is_named_with_its_person(
    stage: Stage, secret_type: str, which: str
) -> None:
    await add_unreadable(stage, 200)
    await stage.leak(secret_type=secret_type, literal=await token_of(stage, ADMIN, which))
    await stage.click(OWNER, "report_leak")
    held = f"*Stanch holds this token:* it acts on GitHub for <@{ADMIN}>"
    assert held in stage.form(OWNER).shown_text


@pytest.mark.parametrize(("literal", "is_base64"), [("ghu_" + "x" * 36, False), ("no Base64!", True)])
async def test_a_secret_of_the_same_type_that_stanch_does_not_hold_is_not_claimed(
    stage: Stage, literal: str, is_base64: bool
) -> None:
    """Another token, and what GitHub calls Base64 and can't be decoded."""
    await sign_in(stage, MANAGER)
    kind = "github_app_user_access_token"
    await stage.leak(secret_type=kind, literal=literal, is_base64_encoded=is_base64)
    await stage.click(OWNER, "report_leak")
    shown = stage.form(OWNER).shown_text
    assert "It can't be undone." in shown
    assert "Stanch holds this token" not in shown


async def test_where_github_does_not_give_the_secret_nothing_is_said(stage: Stage) -> None:
    token = await token_of(stage, ADMIN, "access")
    alert = await stage.leak(secret_type="github_app_user_access_token", literal=token)
    with capture_logs() as lines:
        stage.github.faults.add(LITERAL, status=403, body={"message": "No"}, skip=1, times=1)
        await stage.click(OWNER, "report_leak")
    assert "Stanch holds this token" not in stage.form(OWNER).shown_text
    assert alert.state == "open"
    assert "holder_not_known" in [line["event"] for line in lines]
