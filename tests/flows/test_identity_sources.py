"""What sources say about people: who is linked, suspended and told, from the source to Slack."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.flows.people.link_by_operator import remove_link
from bot.flows.people.settle_identity import forget, settle
from bot.job_rows import new_job
from bot.jobs.handlers import HANDLERS
from bot.people_job_kinds import AnnounceIdentities, IdentityChange
from integrations.sandbox.github import GitHubUser
from storage import directory_pairs, identities, jobs, operator_links, sign_ins
from storage.clock import Clock
from storage.records import (
    Account,
    DirectoryPair,
    GitHubId,
    Identity,
    JobState,
    OperatorLink,
    SignIn,
    SlackTeamId,
    SlackUserId,
    StoredTokens,
    Suspension,
)
from tests.flows.stage import ADMIN, CHANNEL, READER, Stage, open_stage, plain

OPERATOR = READER
HOUR = 3600.0


@pytest.fixture
async def staffed(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """A stage with an operator who is told of suspended links."""
    async with open_stage(database_url, clock, private_key, stanch_operators=OPERATOR) as stage:
        yield stage
        stage.check()


def account_of(user: GitHubUser) -> Account:
    return Account(GitHubId(user.id), user.login)


async def sign_in(
    stage: Stage, user: str, account: Account, tokens: StoredTokens | None = None
) -> list[IdentityChange]:
    """Sign a Slack user in, and settle."""
    team = SlackTeamId(stage.slack.team_id)
    async with stage.context.db.begin() as tx:
        new = SignIn(team, SlackUserId(user), account, tx.now, tx.now + 90 * 86400, tokens)
        await sign_ins.save(tx, new)
        return await settle(tx, team, users=[new.slack_user], accounts=[account.id], by="sign_in")


async def add(stage: Stage, user: str, account: Account) -> list[IdentityChange]:
    """Link a Slack user as an operator does."""
    team = SlackTeamId(stage.slack.team_id)
    async with stage.context.db.begin() as tx:
        link = OperatorLink(team, SlackUserId(user), account, tx.now, "cli")
        return await settle(tx, team, links=[link], by="cli")


async def load(stage: Stage, user: str) -> Identity | None:
    async with stage.context.db.read() as tx:
        team = SlackTeamId(stage.slack.team_id)
        return await identities.of_slack(tx, team, SlackUserId(user), suspended=True)


async def standing(stage: Stage, user: str) -> tuple[str, str | None] | None:
    """Login and suspension of a Slack user's identity."""
    found = await load(stage, user)
    return None if found is None else (found.github.login, found.suspension)


def told(stage: Stage, user: str) -> str:
    """All that a person was told privately."""
    return plain("\n".join(one.shown_text for one in stage.slack.private_messages(user)))


def announced(stage: Stage) -> list[str]:
    """What the default channel is told of identities."""
    shown = (plain(message.shown_text) for message in stage.slack.channel_messages(CHANNEL))
    return [text for text in shown if "Who is who on GitHub has changed" in text]


@pytest.fixture
def account(stage: Stage) -> Account:
    """A GitHub account of nobody yet."""
    return account_of(stage.github.add_user("cleo"))


@pytest.mark.either_database
@pytest.mark.parametrize("first", ["operator", "sign-in"])
async def test_a_second_slack_user_of_an_account_gets_nothing_and_all_are_told(
    staffed: Stage, first: str
) -> None:
    stage = staffed
    cleo = account_of(stage.github.add_user("cleo"))
    admin = "U0NEWADMIN"
    stage.slack.workspace.add_user(admin, name="New Admin")
    if first == "operator":
        await add(stage, admin, cleo)
    else:
        await sign_in(stage, admin, cleo)
    await stage.work(within=5)
    assert "You were linked to a GitHub account." in told(stage, admin)
    stage.clock.advance(HOUR)
    stage.slack.workspace.add_user("U0EVE", name="Eve")
    changes = await sign_in(stage, "U0EVE", cleo)
    await stage.work(within=5)
    assert [(one.kind, one.user, one.reason) for one in changes] == [
        ("not_linked", "U0EVE", Suspension.SIGNED_IN_ELSEWHERE),
        ("suspended", admin, Suspension.SIGNED_IN_ELSEWHERE),
    ]
    assert await standing(stage, admin) == ("cleo", Suspension.SIGNED_IN_ELSEWHERE)
    assert await load(stage, "U0EVE") is None
    assert "Your link to your GitHub account gives no rights now." in told(stage, admin)
    assert "Another Slack user signed in to your GitHub account." in told(stage, admin)
    assert "You are not linked to a GitHub account yet." in told(stage, "U0EVE")
    [once, now] = announced(stage)
    assert "linked to cleo" in once
    assert f"The link of New Admin ({admin}) to cleo gives no rights until an operator decides" in now
    assert "Eve (U0EVE) has signed in to cleo" in now
    told_operator = told(stage, OPERATOR)
    assert "Links to GitHub accounts give no rights now." in told_operator
    assert "stanch identities add" in told_operator
    assert await stage.audited("suspend_identity") == [("done", Suspension.SIGNED_IN_ELSEWHERE)]
    assert (await stage.audited("link_identity"))[-1] == ("refused", Suspension.SIGNED_IN_ELSEWHERE)


@pytest.mark.either_database
async def test_neither_of_two_who_signed_in_to_one_account_can_act(stage: Stage) -> None:
    """ADMIN is linked by an operator; another Slack user signs in to that account."""
    await stage.leak()
    account = account_of(stage.people[ADMIN])
    stage.slack.workspace.add_user("U0EVE", name="Eve")
    await sign_in(stage, "U0EVE", account)
    for user in (ADMIN, "U0EVE"):
        await stage.click(user, "take")
        answer = told(stage, user)
        assert "Your link to your GitHub account is suspended." in answer
        assert "another Slack user has signed in to that account too" in answer
        assert "who decides whose account it is" in answer
    assert await stage.audited("take") == [("refused", "suspended")] * 2
    assert "Step back" not in stage.card().shown_text


@pytest.mark.either_database
@pytest.mark.parametrize("winner", [ADMIN, "U0EVE"])
async def test_an_operator_decides_whose_account_it_is(stage: Stage, winner: str) -> None:
    await stage.leak()
    account = account_of(stage.people[ADMIN])
    loser = "U0EVE" if winner == ADMIN else ADMIN
    stage.slack.workspace.add_user("U0EVE", name="Eve")
    sealed = StoredTokens("0a1b2c3d", b"sealed", None, None, None)
    for user in (ADMIN, "U0EVE"):
        await sign_in(stage, user, account, sealed if user == loser else None)
    stage.clock.advance(1)
    await add(stage, winner, account)
    assert await standing(stage, winner) == (account.login, None)
    assert await load(stage, loser) is None
    async with stage.context.db.read() as tx:
        [left] = await sign_ins.concerning(tx, SlackTeamId(stage.slack.team_id), [], [account.id])
        assert left.slack_user == winner
        ready = await jobs.list_jobs(tx, states=[JobState.READY], limit=999)
        # The loser's token is deleted at GitHub too.
        assert [job.payload["slack_user"] for job in ready if job.kind == "delete_tokens"] == [loser]
    await stage.work(within=5)
    await stage.click(winner, "take")
    await stage.work(within=5)
    assert "Step back" in stage.card().shown_text


@pytest.mark.either_database
@pytest.mark.parametrize("freed", ["U0FIRST", "U0SECOND"])
async def test_a_link_counts_from_when_an_operator_freed_it(
    stage: Stage, account: Account, freed: str
) -> None:
    """Of two who signed in to one account, the second one has no link to see until then."""
    team, users = SlackTeamId(stage.slack.team_id), ["U0FIRST", "U0SECOND"]
    for user in users:
        stage.slack.workspace.add_user(user, name=user)
        await sign_in(stage, user, account)
        stage.clock.advance(HOUR)
    [other] = {*users} - {freed}
    async with stage.context.db.begin() as tx:
        await remove_link(tx, team, SlackUserId(other))
        at = tx.now
    assert await standing(stage, freed) == (account.login, None)
    for _ in range(2):
        found = await load(stage, freed)
        assert found is not None
        assert found.linked_at == at
        # What is compared again later changes nothing.
        stage.clock.advance(HOUR)
        async with stage.context.db.begin() as tx:
            assert await settle(tx, team, users=[SlackUserId(freed)], by="directory") == []


@pytest.mark.either_database
async def test_a_sign_in_replaces_an_operator_s_link_to_the_same_account(stage: Stage) -> None:
    account = account_of(stage.people[ADMIN])
    before = await load(stage, ADMIN)
    assert before is not None
    stage.clock.advance(60)
    [change] = await sign_in(stage, ADMIN, account)
    assert (change.kind, change.source, change.others) == ("linked", "sign_in", ())
    now = await load(stage, ADMIN)
    assert now is not None
    assert (now.proof, now.linked_by) == ("sign_in", ADMIN)
    assert now.linked_at >= before.linked_at + 60
    async with stage.context.db.read() as tx:
        kept = await operator_links.of_user(tx, now.slack_team, now.slack_user)
        assert kept is not None
        assert kept.linked_at == before.linked_at
    # The same again changes nothing.
    assert await sign_in(stage, ADMIN, account) == []


@pytest.mark.either_database
async def test_a_sign_in_to_another_account_than_the_operator_s_suspends_it(
    stage: Stage, account: Account
) -> None:
    await stage.leak()
    login = stage.people[ADMIN].login
    await sign_in(stage, ADMIN, account)
    assert await standing(stage, ADMIN) == (login, Suspension.SOURCES_DISAGREE)
    await stage.click(ADMIN, "take")
    assert "disagrees" in stage.answer_to(ADMIN)
    # An operator's removal leaves the sign-in.
    team, user = SlackTeamId(stage.slack.team_id), SlackUserId(ADMIN)
    async with stage.context.db.begin() as tx:
        await settle(tx, team, unlinked=[user], by="cli")
    assert await standing(stage, ADMIN) == (account.login, None)


@pytest.mark.either_database
async def test_who_unlinks_is_forgotten_by_every_source(stage: Stage) -> None:
    account, team, user = (
        account_of(stage.people[ADMIN]),
        SlackTeamId(stage.slack.team_id),
        SlackUserId(ADMIN),
    )
    await sign_in(stage, ADMIN, account, StoredTokens("0a1b2c3d", b"sealed", None, None, None))
    pair = DirectoryPair(team, user, account, "saml", "hash", stage.clock.now(), stage.clock.now())
    async with stage.context.db.begin() as tx:
        await directory_pairs.pin(tx, pair)
        await forget(tx, team, user, by="unlink")
    assert await load(stage, ADMIN) is None
    async with stage.context.db.begin() as tx:
        assert await sign_ins.load(tx, team, user) is None
        # The next reading of the directory does not bring it back.
        await directory_pairs.pin(tx, pair)
        assert await settle(tx, team, users=[user], by="directory") == []
    assert await load(stage, ADMIN) is None
    assert (await stage.audited("unlink_identity"))[-1] == ("done", "by unlink")
    await stage.work(within=5)
    assert "You are no longer linked to GitHub." in told(stage, ADMIN)


@pytest.mark.either_database
async def test_changes_of_one_hour_are_one_message(stage: Stage) -> None:
    for number in range(3):
        stage.slack.workspace.add_user(f"U0P{number}", name=f"Person {number}")
        await add(stage, f"U0P{number}", account_of(stage.github.add_user(f"person-{number}")))
        await stage.work(within=5)
    [text] = announced(stage)
    assert all(f"Person {n} (U0P{n}) is now linked to person-{n} by an operator." in text for n in range(3))
    stage.clock.advance(HOUR)
    await sign_in(stage, "U0P0", account_of(stage.github.add_user("other")))
    await stage.work(within=5)
    assert len(announced(stage)) == 2


@pytest.mark.either_database
async def test_while_slack_does_not_answer_a_change_is_announced_without_names(
    stage: Stage, account: Account
) -> None:
    stage.slack.workspace.add_user("U0DEE", name="Dee Doe")
    stage.slack.fail("users.info", "internal_error", times=None)
    await add(stage, "U0DEE", account)
    await stage.work(within=5)
    [text] = announced(stage)
    assert "U0DEE is now linked to cleo by an operator." in text
    assert "Dee Doe" not in text


@pytest.mark.either_database
async def test_without_a_default_channel_operators_alone_are_told_of_a_suspended_link(
    database_url: str, clock: Clock, private_key: str
) -> None:
    async with open_stage(
        database_url, clock, private_key, stanch_default_channel=None, stanch_operators=OPERATOR
    ) as stage:
        stage.slack.workspace.add_user("U0EVE", name="Eve")
        with capture_logs() as lines:
            await sign_in(stage, "U0EVE", account_of(stage.people[ADMIN]))
            await stage.work(within=5)
        assert "identities_not_announced" in [line["event"] for line in lines]
        assert "Links to GitHub accounts give no rights now." in told(stage, OPERATOR)
        assert announced(stage) == []
        stage.check()


@pytest.mark.either_database
async def test_a_removal_ends_a_contested_pair_of_the_directory(stage: Stage, account: Account) -> None:
    """Neither an operator nor a sign-in has linked the person whom the directory names."""
    team, user, now = SlackTeamId(stage.slack.team_id), SlackUserId("U0DIR"), stage.clock.now()
    for name in ("U0DIR", "U0EVE"):
        stage.slack.workspace.add_user(name, name=name)
    async with stage.context.db.begin() as tx:
        await directory_pairs.pin(tx, DirectoryPair(team, user, account, "saml", "h", now, now))
        await settle(tx, team, users=[user], by="directory")
    await sign_in(stage, "U0EVE", account)
    assert await standing(stage, "U0DIR") == ("cleo", Suspension.SIGNED_IN_ELSEWHERE)
    async with stage.context.db.begin() as tx:
        removed, left = await remove_link(tx, team, user)
        [pair] = await directory_pairs.of_user(tx, team, user)
    assert left is None
    assert isinstance(removed, Identity)
    assert removed.github == account
    assert pair.suspension == Suspension.UNLINKED


@pytest.mark.either_database
async def test_an_announcement_that_is_made_again_after_a_crash_says_nothing_twice(stage: Stage) -> None:
    change = IdentityChange("suspended", SlackUserId(ADMIN), GitHubId(7), "cleo", "mapping", "lapsed")
    todo = AnnounceIdentities((change,), stage.clock.now())
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, new_job(todo))
    async with stage.context.db.read() as tx:
        [job] = await jobs.list_jobs(tx, states=[JobState.READY], limit=999)
    handler = HANDLERS[AnnounceIdentities]
    await handler.run(stage.context, todo, job)
    await stage.work(within=5)
    [text] = announced(stage)
    assert text.count("cleo") == 1


@pytest.mark.either_database
async def test_hundreds_of_changes_are_counted(stage: Stage) -> None:
    team = SlackTeamId(stage.slack.team_id)
    async with stage.context.db.begin() as tx:
        links = [
            OperatorLink(team, SlackUserId(f"U0P{n}"), Account(GitHubId(9000 + n), f"p{n}"), tx.now, "cli")
            for n in range(300)
        ]
        changes = await settle(tx, team, links=links, by="cli")
    assert len(changes) == 300
    async with stage.context.db.read() as tx:
        ready = await jobs.list_jobs(tx, states=[JobState.READY], limit=999)
    assert sum(job.kind == "announce_identities" for job in ready) == 1
    assert sum(job.kind == "tell_identity" for job in ready) == 300


async def test_of_two_who_sign_in_to_one_account_at_once_both_get_nothing(
    stage: Stage, account: Account
) -> None:
    """The second one has to see what the first one stored."""
    for user in ("U0A", "U0B"):
        stage.slack.workspace.add_user(user, name=user)
    await asyncio.gather(sign_in(stage, "U0A", account), sign_in(stage, "U0B", account))
    found = [await standing(stage, user) for user in ("U0A", "U0B")]
    assert sorted(found, key=str) == sorted([None, ("cleo", Suspension.SIGNED_IN_ELSEWHERE)], key=str)


@pytest.mark.either_database
async def test_with_the_directory_off_its_pairs_of_former_times_give_nothing(
    stage: Stage, account: Account
) -> None:
    await stage.leak()
    team = SlackTeamId(stage.slack.team_id)
    stage.slack.workspace.add_user("U0DIR", name="Dee")
    now = stage.clock.now()
    async with stage.context.db.begin() as tx:
        await directory_pairs.pin(
            tx, DirectoryPair(team, SlackUserId("U0DIR"), account, "saml", "h", now, now)
        )
        await settle(tx, team, users=[SlackUserId("U0DIR")], by="directory")
    assert await standing(stage, "U0DIR") == ("cleo", None)
    await stage.type("U0DIR", "list")
    assert "doesn't know which GitHub account is yours" in told(stage, "U0DIR")
