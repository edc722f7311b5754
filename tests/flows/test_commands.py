"""What people type after `/leaks`, and who is told what."""

import pytest

from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage

UNKNOWN_REPOSITORY = "Stanch knows no repository of that name, or it is not yours to see."


@pytest.mark.parametrize("text", ["", "help", "  HELP  "])
async def test_leaks_alone_shows_what_there_is(stage: Stage, text: str) -> None:
    said = await stage.type(UNLINKED, text)
    assert "What /leaks can do" in said
    assert "/leaks whoami" in said


@pytest.mark.parametrize(
    ("as_sent", "as_meant"),
    [
        ("whoami\u00a0octo/payments", "whoami octo/payments"),
        ("\u200bwhoami\u3000octo/payments\u2060", "whoami octo/payments"),
        ("whoami\nocto/payments", "whoami octo/payments"),
        ("list\u00a0is:open", "list is:open"),
        ("list \u2013bypassed:true", "list -bypassed:true"),
        (
            "list secret-type:\u2018GitHub Personal Access Token\u2019",
            'list secret-type:"GitHub Personal Access Token"',
        ),
        ("search\u00a0deploy", "search deploy"),
        ("show\u00a0octo/payments#1", "show octo/payments#1"),
        ("history\u2003octo/payments#1", "history octo/payments#1"),
    ],
)
async def test_a_command_means_the_same_as_phones_and_slacks_clients_change_it(
    stage: Stage, as_sent: str, as_meant: str
) -> None:
    meant = await stage.type(ADMIN, as_meant)
    assert "has no" not in meant
    assert await stage.type(ADMIN, as_sent) == meant


async def test_a_near_miss_gets_the_nearest_word(stage: Stage) -> None:
    said = await stage.type(ADMIN, "whoamy")
    assert "has no whoamy" in said
    assert "Did you mean /leaks whoami?" in said


async def test_nonsense_gets_the_way_to_the_help(stage: Stage) -> None:
    said = await stage.type(ADMIN, "<!channel> qwertz")
    assert "<!channel>" not in said
    assert "/leaks help lists what there is" in said
    assert "Did you mean" not in said


async def test_a_token_typed_by_accident_is_not_repeated(stage: Stage) -> None:
    token = "ghp_" + "a1B2" * 9
    said = await stage.type(ADMIN, token)
    assert token not in said
    assert token.lower() not in said


async def test_answers_are_private_to_whoever_asked(stage: Stage) -> None:
    await stage.type(ADMIN, "whoami")
    assert stage.slack.channel_messages(CHANNEL) == []
    assert stage.slack.private_messages(OWNER) == []


async def test_whoami_tells_the_account_and_how_it_is_known(stage: Stage) -> None:
    said = await stage.type(ADMIN, "whoami")
    assert "You are octo-admin here." in said
    assert f"(id {stage.people[ADMIN].id})" in said
    assert "whoever runs Stanch linked it" in said


async def test_whoami_tells_somebody_unlinked_how_to_be_linked(stage: Stage) -> None:
    said = await stage.type(UNLINKED, "whoami")
    assert "Stanch doesn't know which GitHub account is yours." in said
    assert f"stanch identities add {UNLINKED}" in said


@pytest.mark.parametrize(
    ("user", "role", "may"),
    [
        (OWNER, "organization owner", "close and reopen them"),
        (ADMIN, "repository admin", "close and reopen them"),
        (MANAGER, "security manager", "close and reopen them"),
        (READER, "read", "do nothing with its alerts"),
    ],
)
async def test_whoami_tells_the_role_in_a_repository(stage: Stage, user: str, role: str, may: str) -> None:
    await stage.leak()
    said = await stage.type(user, "whoami octo/payments")
    assert f"octo/payments: {role}" in said
    assert may in said


@pytest.mark.parametrize("name", ["octo/nothing", "stranger/payments"])
async def test_whoami_about_an_unknown_repository(stage: Stage, name: str) -> None:
    await stage.leak()
    assert UNKNOWN_REPOSITORY in await stage.type(ADMIN, f"whoami {name}")


@pytest.mark.parametrize("name", ["payments", "octo/pay/ments", "../..", "octo/<!here>", "https://x"])
async def test_whoami_about_what_is_no_repository(stage: Stage, name: str) -> None:
    said = await stage.type(ADMIN, f"whoami {name}")
    assert "That is not a repository." in said


async def test_whoami_about_a_repository_out_of_reach_reads_like_an_unknown_one(stage: Stage) -> None:
    """An outsider must not learn that Stanch once had alerts of it."""
    await stage.leak()
    outsider = stage.github.add_user("outsider")
    stage.slack.workspace.add_user("U0OUT", name="outsider")
    stage.slack.workspace.change_channel(
        CHANNEL, members=stage.slack.workspace.channels[CHANNEL].members | {"U0OUT"}
    )
    await stage.link("U0OUT", outsider)
    assert UNKNOWN_REPOSITORY in await stage.type("U0OUT", "whoami octo/payments")
    stage.github.delete_repository(stage.repository)
    assert UNKNOWN_REPOSITORY in await stage.type("U0OUT", "whoami octo/payments")


async def test_whoami_says_when_github_can_t_be_asked(stage: Stage) -> None:
    await stage.leak()
    stage.github.faults.add("GET /repos/.*", status=503)
    assert "GitHub can't be asked right now" in await stage.type(ADMIN, "whoami octo/payments")
    assert "You are octo-admin here." in await stage.type(ADMIN, "whoami")
