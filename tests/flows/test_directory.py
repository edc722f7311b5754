"""People who are linked by the organization's directory: who is, what they may do, and what ends it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.cli.directory import report, run_directory
from bot.errors import StartRefused
from bot.flows.people.directory import DirectoryRefused, request_directory, sync_directory
from bot.jobs.housekeeping import run_housekeeping_once
from bot.options import DirectoryOptions, Options
from bot.rules.directory_match import Plan, Result
from integrations.github.errors import GitHubError
from integrations.sandbox.github import Organization
from integrations.slack.errors import SlackError
from storage import directory_pairs, identities
from storage.clock import Clock
from storage.records import (
    SlackTeamId,
    SlackUserId,
    Suspension,
)
from tests.flows.stage import CHANNEL, READER, Stage, open_stage
from tests.flows.test_identity_sources import account_of, add, sign_in

pytestmark = pytest.mark.either_database

ANA, BO = "U0ANA", "U0BO"
ADDRESS = "ana@octo.example"
DAY = 86400
Break = Callable[[Stage], object]


def options(source: str = "auto", **more: Any) -> Options:
    return Options(directory=DirectoryOptions(source=source, domains=("octo.example",), **more))  # type: ignore[arg-type]  # A table of words.


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """Ana and Bo are members on GitHub and people in Slack; Ana has one address on both sides."""
    async with open_stage(
        database_url, clock, private_key, options=options(), stanch_operators=READER
    ) as stage:
        await settled_in(stage)
        yield stage
        stage.check()


async def settled_in(stage: Stage) -> None:
    stage.slack.scopes.add("users:read.email")
    for user, login in ((ANA, "ana"), (BO, "bo")):
        stage.people[user] = stage.github.add_user(login)
        stage.github.add_member(octo(stage), stage.people[user], role="admin")
        stage.slack.workspace.add_user(user, name=login)
    members = stage.slack.workspace.channels[CHANNEL].members
    stage.slack.workspace.change_channel(CHANNEL, members=members | {ANA, BO})
    stage.github.add_identity(octo(stage), stage.people[ANA], ADDRESS)
    confirm(stage, ANA, ADDRESS)
    await stage.work()


def octo(stage: Stage) -> Organization:
    assert isinstance(stage.github.app_owner, Organization)
    return stage.github.app_owner


def confirm(stage: Stage, user: str, address: str | None, **more: Any) -> None:
    """Give a Slack user an address that Slack calls confirmed."""
    stage.slack.workspace.change_user(user, email=address, **{"is_email_confirmed": True, **more})


def hire(stage: Stage, number: int) -> list[str]:
    """So many people with an address on both sides; returns their Slack ids."""
    users = [f"U0MANY{one:02}" for one in range(number)]
    for one, user in enumerate(users):
        account = stage.github.add_user(f"many-{one}")
        stage.github.add_member(octo(stage), account)
        stage.github.add_identity(octo(stage), account, f"many{one}@octo.example")
        stage.slack.workspace.add_user(user, name=user)
        confirm(stage, user, f"many{one}@octo.example")
    return users


async def read(stage: Stage, *, even_if_many: bool = False) -> Plan:
    """Read the directory, and let people be told."""
    plan = await sync_directory(stage.context, even_if_many=even_if_many)
    assert plan is not None
    await stage.work(within=3700)
    return plan


def result(plan: Plan, user: str) -> tuple[str, str | None]:
    [finding] = [one for one in plan.findings if one.user == user]
    return finding.result.value, finding.reason


async def link(stage: Stage, user: str, *, suspended: bool = False) -> tuple[str, str] | None:
    """Which login somebody is linked to, and the source's word; None for nobody."""
    async with stage.context.db.read() as tx:
        team = SlackTeamId(stage.slack.team_id)
        found = await identities.of_slack(tx, team, SlackUserId(user), suspended=suspended)
    return None if found is None else (found.github.login, found.proof)


async def pairs(stage: Stage) -> list[tuple[str, str, str | None]]:
    async with stage.context.db.read() as tx:
        found = await directory_pairs.all_pairs(tx, SlackTeamId(stage.slack.team_id))
    return [(pair.slack_user, pair.github.login, pair.suspension) for pair in found]


async def test_the_directory_links_whoever_has_one_confirmed_address(stage: Stage) -> None:
    plan = await read(stage)
    assert result(plan, ANA) == ("matched", None)
    assert result(plan, BO) == ("none", "no_address")
    assert await link(stage, ANA) == ("ana", "directory")
    assert await link(stage, BO) is None
    [told] = stage.slack.private_messages(ANA)
    assert "ana" in told.shown_text
    again = await read(stage)
    assert result(again, ANA) == ("matched", None)
    assert len(stage.slack.private_messages(ANA)) == 1


async def test_a_link_by_the_directory_looks_up_and_does_not_act(stage: Stage) -> None:
    await read(stage)
    alert = await stage.leak()
    assert "1 open alert" in await stage.type(ANA, "list")
    await stage.click(ANA, "check_validity")
    assert "live token" not in stage.read()
    for action in ("take", "report_leak"):
        await stage.click(ANA, action)
    await stage.pick(ANA, "close_as", "revoked")
    assert alert.state == "open"
    assert ("refused", "directory_alone") in await stage.audited("check_validity")
    assert not [row for row in await stage.audited("take") if row[0] != "refused"]


async def test_with_directory_acts_it_acts(database_url: str, clock: Clock, private_key: str) -> None:
    started = open_stage(database_url, clock, private_key, options=options(acts=True))
    async with started as stage:
        await settled_in(stage)
        await read(stage)
        alert = await stage.leak()
        await stage.click(ANA, "check_validity")
        assert "live token" in stage.read()
        await stage.close_as(ANA, "revoked")
        assert alert.resolution == "revoked"
        stage.check()


def leave_slack(stage: Stage) -> None:
    stage.slack.workspace.change_user(ANA, deleted=True)


def become_guest(stage: Stage) -> None:
    stage.slack.workspace.change_user(ANA, is_restricted=True)


def leave_github(stage: Stage) -> None:
    stage.github.remove_member(octo(stage), stage.people[ANA])


@pytest.mark.parametrize("leave", [leave_slack, become_guest, leave_github])
async def test_leavers_lose_the_link(stage: Stage, leave: Break) -> None:
    await read(stage)
    leave(stage)
    await read(stage)
    assert await link(stage, ANA, suspended=True) is None
    assert await pairs(stage) == [(ANA, "ana", Suspension.LEFT)]


async def test_who_comes_back_with_the_same_ids_and_address_is_linked_again(stage: Stage) -> None:
    await read(stage)
    leave_slack(stage)
    await read(stage)
    stage.slack.workspace.change_user(ANA, deleted=False)
    assert result(await read(stage), ANA) == ("matched", None)
    assert await link(stage, ANA) == ("ana", "directory")


async def test_an_address_that_slack_s_admin_moved_gives_nobody_the_account(stage: Stage) -> None:
    await read(stage)
    alert = await stage.leak()
    confirm(stage, ANA, "ana.old@octo.example")
    confirm(stage, BO, ADDRESS)
    plan = await read(stage)
    assert result(plan, BO) == ("suspended", Suspension.AMBIGUOUS)
    assert await link(stage, ANA) is await link(stage, BO) is None
    assert await pairs(stage) == [(ANA, "ana", Suspension.AMBIGUOUS), (BO, "ana", Suspension.AMBIGUOUS)]
    for user in (ANA, BO):
        assert f"#{alert.number}" not in await stage.type(user, "list")
    # The address is moved back: an operator decides all the same.
    confirm(stage, BO, None)
    confirm(stage, ANA, ADDRESS)
    assert result(await read(stage), ANA) == ("suspended", Suspension.AMBIGUOUS)
    assert await link(stage, ANA) is None
    await add(stage, ANA, account_of(stage.people[ANA]))
    assert await link(stage, ANA) == ("ana", "mapping")


async def test_a_leaver_s_address_is_used_again(stage: Stage) -> None:
    await read(stage)
    confirm(stage, ANA, None, deleted=True)
    confirm(stage, BO, ADDRESS)
    for _ in range(2):
        assert result(await read(stage), BO) == ("suspended", Suspension.AMBIGUOUS)
        assert await link(stage, BO) is None
        stage.clock.advance(30 * DAY)
        await run_housekeeping_once(stage.context)
        await stage.work()


async def test_a_changed_address_suspends_until_an_operator_decides(stage: Stage) -> None:
    await read(stage)
    confirm(stage, ANA, "ruiz@octo.example")
    assert result(await read(stage), ANA) == ("suspended", Suspension.DIRECTORY_CHANGED)
    assert await link(stage, ANA) is None
    assert await link(stage, ANA, suspended=True) == ("ana", "directory")
    assert "your address in the organization's directory has changed" in await stage.type(ANA, "list")
    operator = [message.shown_text for message in stage.slack.private_messages(READER)]
    assert any(ANA in text for text in operator)


@pytest.mark.parametrize(
    ("address", "more"),
    [
        (ADDRESS, {"is_email_confirmed": None}),
        (ADDRESS, {"is_ultra_restricted": True}),
        ("ana@octo.example.", {}),
        ("ana@\u043ecto.example", {}),
    ],
)
async def test_a_look_alike_or_unconfirmed_address_links_nobody(
    stage: Stage, address: str, more: dict[str, object]
) -> None:
    confirm(stage, ANA, address, **more)
    await read(stage)
    assert await link(stage, ANA, suspended=True) is None
    assert await pairs(stage) == []


async def test_a_login_that_was_registered_again_is_another_account(stage: Stage) -> None:
    """The stranger even gets into the organization, with the same login and the same address."""
    await read(stage)
    stage.github.delete_user(stage.people[ANA])
    octo(stage).external_identities.clear()
    stranger = stage.github.add_user("ana")
    stage.github.add_member(octo(stage), stranger)
    stage.github.add_identity(octo(stage), stranger, ADDRESS)
    assert result(await read(stage), ANA) == ("suspended", Suspension.AMBIGUOUS)
    assert await link(stage, ANA) is None


async def test_a_renamed_login_is_followed(stage: Stage) -> None:
    await read(stage)
    stage.github.rename_account(stage.people[ANA], "ana-ruiz")
    assert result(await read(stage), ANA) == ("matched", None)
    assert await link(stage, ANA) == ("ana-ruiz", "directory")


async def test_two_people_or_two_accounts_with_one_address_are_ambiguous(stage: Stage) -> None:
    stage.github.add_identity(octo(stage), stage.people[BO], ADDRESS)
    assert result(await read(stage), ANA) == ("ambiguous", "several_accounts")
    assert await link(stage, ANA, suspended=True) is None


async def test_the_directory_overrides_neither_an_operator_nor_a_sign_in(stage: Stage) -> None:
    """An operator said before that Bo is `ana`: now nobody is until an operator decides."""
    await add(stage, BO, account_of(stage.people[ANA]))
    await read(stage)
    for _ in range(2):
        assert await link(stage, ANA) is await link(stage, BO) is None
        assert await link(stage, BO, suspended=True) == ("ana", "mapping")
        await sign_in(stage, ANA, account_of(stage.people[ANA]))
        await read(stage)
    stage.clock.advance(1)
    await add(stage, ANA, account_of(stage.people[ANA]))
    await read(stage)
    linked = await link(stage, ANA)
    assert linked is not None
    assert linked[1] != "directory"
    assert await link(stage, BO, suspended=True) is None


async def test_the_directory_does_not_outlive_a_suspended_sign_in(stage: Stage) -> None:
    await read(stage)
    await sign_in(stage, ANA, account_of(stage.people[ANA]))
    assert await link(stage, ANA) == ("ana", "sign_in")
    await read(stage)
    assert await link(stage, ANA) == ("ana", "sign_in")
    assert await pairs(stage) == [(ANA, "ana", None)]


# Errors are errors, never absences.


def hide(field: str) -> Break:
    return lambda stage: octo(stage).hidden_fields.add(field)


def github_down(stage: Stage) -> None:
    stage.github.faults.add("POST /graphql", status=502)


def no_scope(stage: Stage) -> None:
    stage.slack.scopes.discard("users:read.email")


def token_revoked(stage: Stage) -> None:
    stage.slack.fail("users.list", "token_revoked")


def slack_down(stage: Stage) -> None:
    stage.slack.fail("users.list", "internal_error")


def no_members_permission(stage: Stage) -> None:
    [installation] = stage.github.installations.values()
    stage.github.set_permissions(installation, {"metadata": "read", "secret_scanning_alerts": "write"})
    stage.clock.advance(3700)  # Until then the token has the permission.


@pytest.mark.parametrize(
    "fault",
    [hide("samlIdentityProvider"), github_down, no_scope, token_revoked, slack_down, no_members_permission],
)
async def test_an_error_of_a_source_changes_nothing(stage: Stage, fault: Break) -> None:
    """Nor does it make the directory fall back to verified domains, which name somebody else here."""
    await read(stage)
    octo(stage).verified_emails[stage.people[BO].id] = [ADDRESS]
    fault(stage)
    with pytest.raises((DirectoryRefused, GitHubError, SlackError)):
        await sync_directory(stage.context)
    assert await link(stage, ANA) == ("ana", "directory")
    assert await pairs(stage) == [(ANA, "ana", None)]


async def test_verified_domains_count_where_there_is_no_provider(stage: Stage) -> None:
    octo(stage).external_identities.clear()
    octo(stage).has_saml = False
    octo(stage).verified_emails[stage.people[ANA].id] = [ADDRESS]
    assert result(await read(stage), ANA) == ("matched", None)
    octo(stage).hidden_fields.add("organizationVerifiedDomainEmails")
    with pytest.raises(DirectoryRefused, match="organizationVerifiedDomainEmails is refused"):
        await sync_directory(stage.context)
    assert await link(stage, ANA) == ("ana", "directory")


async def test_a_loss_of_more_than_half_changes_nothing_and_says_so(stage: Stage) -> None:
    hire(stage, 6)
    assert (await read(stage)).count(Result.MATCHED) == 7
    octo(stage).external_identities[:5] = []
    with pytest.raises(DirectoryRefused, match="5 of 7 links by the directory would be lost"):
        await sync_directory(stage.context)
    assert {one[2] for one in await pairs(stage)} == {None}
    assert (await read(stage, even_if_many=True)).count(Result.MATCHED) == 2


async def test_turned_off_the_directory_s_links_end(stage: Stage) -> None:
    await read(stage)
    with pytest.raises(StartRefused, match=r"directory\.source is off"):
        await run_directory(stage.settings, Options(), even_if_many=False)
    assert await link(stage, ANA, suspended=True) is None
    assert await pairs(stage) == []


async def test_many_new_people_are_told_a_few_in_a_minute(stage: Stage) -> None:
    """Messages about alerts go out between them."""
    people = hire(stage, 60)
    await sync_directory(stage.context)

    def told() -> int:
        return sum(bool(stage.slack.private_messages(user)) for user in (ANA, *people))

    await stage.work(within=20)
    assert told() == 25
    await stage.work(within=90)
    assert told() == 50
    await stage.work(within=90)
    assert told() == 61


async def test_a_reading_that_is_interrupted_is_finished_by_the_next_one(stage: Stage) -> None:
    people = hire(stage, 60)
    reading = asyncio.create_task(sync_directory(stage.context))
    while not await pairs(stage):
        pass  # Reading lets the other task go on.
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert len(await pairs(stage)) < 61
    assert (await read(stage)).count(Result.MATCHED) == 61
    for user in (ANA, *people):
        assert await link(stage, user) is not None
        assert len(stage.slack.private_messages(user)) == 1


async def test_a_leaver_s_pair_is_kept_for_a_year(stage: Stage) -> None:
    await read(stage)
    leave_slack(stage)
    await read(stage)
    for days, left in ((360, 1), (10, 0)):
        stage.clock.advance(days * DAY)
        await run_housekeeping_once(stage.context)
        assert len(await pairs(stage)) == left


# Schedule and command.


async def test_the_directory_is_read_once_in_each_interval(stage: Stage) -> None:
    for _ in range(3):
        await request_directory(stage.context)
        await stage.work()
    assert await link(stage, ANA) == ("ana", "directory")
    assert len(stage.slack.calls("users.list")) == 1
    stage.clock.advance(DAY)
    await run_housekeeping_once(stage.context)
    await stage.work()
    assert len(stage.slack.calls("users.list")) == 2


async def test_the_schedule_logs_a_refusal_and_goes_on(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    no_scope(stage)
    await request_directory(stage.context)
    await stage.work()
    assert "directory_refused" in capsys.readouterr().out
    stage.slack.scopes.add("users:read.email")
    stage.clock.advance(DAY)
    await request_directory(stage.context)
    await stage.work()
    assert await link(stage, ANA) == ("ana", "directory")


async def test_the_command_reads_it_beside_a_running_server(stage: Stage) -> None:
    plan = await run_directory(stage.settings, stage.context.options, even_if_many=False)
    assert {one: plan.count(one) for one in Result} == {
        Result.MATCHED: 1,
        Result.AMBIGUOUS: 0,
        Result.SUSPENDED: 0,
        Result.NONE: len(plan.findings) - 1,
    }
    await stage.work(within=3700)
    assert stage.slack.private_messages(ANA)
    confirm(stage, ANA, "ruiz@octo.example")
    confirm(stage, BO, "bo@elsewhere.example")
    *lines, counts = report(await read(stage))
    assert lines[0] == (
        f"suspended\tU0ANA\tana\t{stage.people[ANA].id}\t"
        "the address changed; decide by stanch identities add or remove"
    )
    assert "none\tU0BO\t-\t-\tthe address is in no domain of directory.domains" in lines
    assert counts == f"0 matched, 0 ambiguous, 1 suspended, {len(lines) - 1} none."


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (no_scope, "Add the optional bot scope users:read.email"),
        (token_revoked, "Take the current bot token"),
        (hide("samlIdentityProvider"), "samlIdentityProvider is refused"),
        (github_down, "The directory could not be read, so nothing was changed: GitHub answered 502"),
        (slack_down, "internal_error"),
    ],
)
async def test_the_command_says_in_one_sentence_why_it_failed(stage: Stage, fault: Break, words: str) -> None:
    fault(stage)
    with pytest.raises(StartRefused) as refused:
        await run_directory(stage.settings, stage.context.options, even_if_many=False)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_no_address_is_stored(stage: Stage) -> None:
    await read(stage)
    async with stage.context.db.read() as tx:
        [pair] = await directory_pairs.all_pairs(tx, SlackTeamId(stage.slack.team_id))
    assert "@" not in repr(pair)
