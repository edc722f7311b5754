"""What is wrong at a step of the set-up, in settings, at GitHub or in Slack: it is said in a sentence."""

import pytest
from dotenv import set_key

from bot.flows.setup.step import Known
from bot.views.setup_panel import FactRows
from tests.flows.setup.steps_run import CHANNEL, FILE, PERSON, SetupRun, progress, start


def with_settings(run: SetupRun, **settings: str) -> None:
    """Begin anew with other settings."""
    known = Known({**start(run.slack, run.github), **settings})
    run.progress = progress(run.session, run.folder, known)


async def problem_in_env(run: SetupRun) -> str:
    """What a panel says about the value in `.env`."""
    [found] = [part for part in (await run.panel()).parts if isinstance(part, FactRows)]
    return found.rows[0][1]


# The settings


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("GITHUB_APP_PRIVATE_KEY", "missing.pem", "GITHUB_APP_PRIVATE_KEY in .env is neither a PEM"),
        ("GITHUB_ACCOUNTS", "octo labs", "GITHUB_ACCOUNTS in .env holds an entry that is no login"),
    ],
)
async def test_a_setting_that_was_wrong_before_is_named(
    run: SetupRun, setting: str, value: str, sentence: str
) -> None:
    with_settings(run, **{setting: value})
    overview = await run.progress.overview()

    assert str(overview.problem).startswith(sentence)
    assert run.step == "installation"


async def test_the_key_may_be_in_the_settings_itself(run: SetupRun, private_key: str) -> None:
    with_settings(run, GITHUB_APP_PRIVATE_KEY=private_key)
    (run.folder / FILE).unlink()

    assert (await run.progress.overview()).problem is None
    assert run.step == "slack_app"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("mysql://octo.example/stanch", "DATABASE_URL must start with sqlite+aiosqlite://"),
        ("sqlite+aiosqlite:///no.db", "file is not a database"),
    ],
)
async def test_a_database_that_can_not_be_used_is_named_before_a_key_is_made(
    run: SetupRun, address: str, sentence: str
) -> None:
    (run.folder / "no.db").write_text("no database at all, which SQLite sees by the first bytes of the file")
    with_settings(run, GITHUB_APP_ID="", STANCH_AUDIT_KEY="", DATABASE_URL=address)
    refused = await run.refused(account="octo", owner="organization")

    assert sentence in refused
    assert run.env == {}


async def test_a_database_without_tables_has_no_audit_log(run: SetupRun) -> None:
    (run.folder / "stanch.db").touch()
    with_settings(run, GITHUB_APP_ID="", STANCH_AUDIT_KEY="")
    await run.submit(account="octo", owner="organization")

    assert run.env["STANCH_AUDIT_KEY"]


async def test_a_secret_that_env_can_not_hold_is_refused(run: SetupRun) -> None:
    with_settings(run, GITHUB_APP_ID="")
    await run.submit(account="octo", owner="organization")
    app = {"app_id": str(run.github.app_id), "key_file": FILE}
    refused = await run.refused(**app, webhook_secret="${HOME}")

    assert refused == "GITHUB_WEBHOOK_SECRET has ${ in it, which .env can't hold."
    assert "GITHUB_APP_ID" not in run.env


async def test_a_step_that_there_is_not_can_not_be_done_again(run: SetupRun) -> None:
    await run.until("channel")
    known = run.progress.known
    overview = await run.progress.repeat("nothing")

    assert (overview.current and overview.current.name, run.progress.known) == ("channel", known)


async def test_http_is_refused_where_the_environment_has_an_app_level_token(
    run: SetupRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_settings(run, STANCH_PUBLIC_URL="https://stanch.example.com")
    monkeypatch.setenv("SLACK_APP_TOKEN", run.slack.app_token)

    assert "SLACK_APP_TOKEN is also set in the environment" in await run.refused(transport="http")


# GitHub


async def test_while_github_lists_no_installations_the_step_can_be_tried_again(run: SetupRun) -> None:
    run.github.faults.add("GET /app/installations", status=503, times=1)
    overview = await run.progress.overview()

    assert str(overview.problem).startswith("GitHub could not be asked: ")
    assert run.step == "installation"
    await run.progress.overview()
    assert run.step == "slack_app"


async def test_the_person_s_account_is_asked_with_an_installation_that_works(run: SetupRun) -> None:
    await run.until("person")
    [first] = run.github.installations.values()
    run.github.suspend(first)
    refused = await run.refused(slack_user=PERSON, login="olga")
    run.github.install(run.github.add_organization("labs"))
    await run.submit(slack_user=PERSON, login="olga")

    assert "The App is not installed on any account" in refused
    assert run.step == "test_card"


async def test_who_can_not_be_looked_up_is_not_linked(run: SetupRun) -> None:
    await run.until("person")
    run.github.faults.add("GET /users/olga", status=503, times=1)
    not_asked = await run.refused(slack_user=PERSON, login="olga")
    key = (run.folder / FILE).read_text()
    (run.folder / FILE).unlink()
    without_key = await run.refused(slack_user=PERSON, login="olga")
    (run.folder / FILE).write_text(key)
    run.slack.fail("users.info", "fatal_error")
    overview = await run.progress.submit("person", {"slack_user": PERSON, "login": "olga"})

    assert not_asked.startswith("GitHub could not be asked for that account: ")
    assert without_key.startswith("GITHUB_APP_PRIVATE_KEY in .env is neither a PEM")
    assert str(overview.problem).startswith("Slack could not be asked. ")
    assert "STANCH_OPERATORS" not in run.env
    await run.submit(slack_user=PERSON, login="olga")
    assert run.env["STANCH_OPERATORS"] == PERSON


async def test_an_operator_who_is_linked_already_need_not_be_linked_again(run: SetupRun) -> None:
    await run.until("test_card")
    set_key(run.folder / ".env", "STANCH_OPERATORS", f"U0FIRST,{PERSON}")
    await run.anew()
    linked = run.step
    set_key(run.folder / ".env", "STANCH_OPERATORS", "U0FIRST")
    await run.anew()

    assert (linked, run.step) == ("test_card", "person")


async def test_somebody_who_joined_the_channel_is_on_the_list_that_is_read_again(run: SetupRun) -> None:
    await run.until("person")
    workspace = run.slack.workspace
    workspace.change_channel(CHANNEL, members=frozenset({run.slack.bot_user_id}))
    before = (await run.panel()).forms[0].fields[0].name
    workspace.change_channel(CHANNEL, members=frozenset({PERSON, run.slack.bot_user_id}))
    await run.progress.submit("person", {"slack_user": "", "login": "olga"})

    assert before == "other_user"
    assert (await run.panel()).forms[0].fields[0].choices == ((PERSON, f"olga ({PERSON})"),)
    assert run.step == "person"


# Slack


async def test_a_scope_that_was_taken_away_is_named(run: SetupRun) -> None:
    await run.until("channel")
    run.slack.fail("users.conversations", "missing_scope")
    overview = await run.progress.overview()

    assert str(overview.problem).startswith(
        "Slack's answer to users.conversations was missing_scope. Add that scope"
    )
    assert f"{run.slack.origin}/apps/{run.slack.app_id}/oauth" in str(overview.problem)


async def test_an_outage_keeps_the_app_level_token(run: SetupRun) -> None:
    await run.until("slack_connection")
    run.slack.fail("apps.connections.open", "internal_error")
    refused = await run.refused(app_token=run.slack.app_token)
    await run.submit(app_token=run.slack.app_token)
    run.slack.fail("apps.connections.open", "internal_error")
    overview = await run.anew()

    assert refused.startswith("Slack could not be asked. ")
    assert str(overview.problem).startswith("Slack could not be asked. ")
    assert run.step == "slack_connection"
    await run.progress.overview()
    assert run.step == "channel"


async def test_a_channel_in_the_settings_is_taken_only_while_the_bot_can_use_it(run: SetupRun) -> None:
    await run.until("test_card")
    run.slack.fail("conversations.info", "internal_error")
    during_outage = await run.anew()
    kept = run.progress.known.get("STANCH_DEFAULT_CHANNEL")
    run.slack.workspace.change_channel(CHANNEL, is_archived=True)
    archived = await problem_in_env(run)

    assert str(during_outage.problem).startswith("Slack could not be asked. ")
    assert kept == CHANNEL
    assert archived == "#security is archived: unarchive it in Slack, or choose another channel."
    assert run.step == "channel"


async def test_a_channel_that_was_archived_takes_no_test_card(run: SetupRun) -> None:
    await run.until("test_card")
    run.slack.workspace.change_channel(CHANNEL, is_archived=True)

    assert await run.refused() == (
        "The channel security is archived: unarchive it in Slack, or choose another one."
    )
