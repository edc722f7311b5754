"""What `/leaks help`, `/leaks whoami` and unknown words answer."""

import pytest

from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, READER, UNLINKED, Stage

pytestmark = pytest.mark.either_database

UNKNOWN_REPOSITORY = "Stanch knows no repository of that name, or it is not yours to see."


@pytest.mark.parametrize("text", ["", "help", "  HELP  "])
async def test_leaks_without_a_word_answers_with_the_help(stage: Stage, text: str) -> None:
    answer = await stage.type(UNLINKED, text)
    assert "What /leaks can do" in answer
    assert "/leaks whoami" in answer


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
async def test_a_command_works_with_the_characters_that_phones_and_slack_s_clients_insert(
    stage: Stage, as_sent: str, as_meant: str
) -> None:
    meant = await stage.type(ADMIN, as_meant)
    assert "has no" not in meant
    assert await stage.type(ADMIN, as_sent) == meant


async def test_a_misspelled_subcommand_gets_the_nearest_word(stage: Stage) -> None:
    answer = await stage.type(ADMIN, "whoamy")
    assert "has no whoamy" in answer
    assert "Did you mean /leaks whoami?" in answer


async def test_an_unknown_word_gets_a_hint_at_the_help(stage: Stage) -> None:
    answer = await stage.type(ADMIN, "<!channel> qwertz")
    assert "<!channel>" not in answer
    assert "/leaks help lists what there is" in answer
    assert "Did you mean" not in answer


async def test_a_token_typed_by_accident_is_not_repeated(stage: Stage) -> None:
    token = "ghp_" + "a1B2" * 9
    answer = await stage.type(ADMIN, token)
    assert token not in answer
    assert token.lower() not in answer


async def test_answers_are_private(stage: Stage) -> None:
    await stage.type(ADMIN, "whoami")
    assert stage.slack.channel_messages(CHANNEL) == []
    assert stage.slack.private_messages(OWNER) == []


async def test_whoami_shows_the_account_and_how_it_was_linked(stage: Stage) -> None:
    answer = await stage.type(ADMIN, "whoami")
    assert "You are octo-admin here." in answer
    assert f"(id {stage.people[ADMIN].id})" in answer
    assert "an operator of Stanch linked it" in answer


async def test_whoami_says_to_an_unlinked_person_how_to_be_linked(stage: Stage) -> None:
    answer = await stage.type(UNLINKED, "whoami")
    assert "Stanch doesn't know which GitHub account is yours." in answer
    assert f"stanch identities add {UNLINKED}" in answer


@pytest.mark.parametrize(
    ("user", "role", "may"),
    [
        (OWNER, "organization owner", "close and reopen them"),
        (ADMIN, "repository admin", "close and reopen them"),
        (MANAGER, "security manager", "close and reopen them"),
        (READER, "read", "do nothing with its alerts"),
    ],
)
async def test_whoami_shows_the_role_in_a_repository(stage: Stage, user: str, role: str, may: str) -> None:
    await stage.leak()
    answer = await stage.type(user, "whoami octo/payments")
    assert f"octo/payments: {role}" in answer
    assert may in answer


@pytest.mark.parametrize("name", ["octo/nothing", "stranger/payments"])
async def test_whoami_about_an_unknown_repository(stage: Stage, name: str) -> None:
    await stage.leak()
    assert UNKNOWN_REPOSITORY in await stage.type(ADMIN, f"whoami {name}")


@pytest.mark.parametrize("name", ["payments", "octo/pay/ments", "../..", "octo/<!here>", "https://x"])
async def test_whoami_refuses_a_malformed_repository(stage: Stage, name: str) -> None:
    answer = await stage.type(ADMIN, f"whoami {name}")
    assert "That is not a repository." in answer


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
