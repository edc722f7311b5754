"""The steps of the set-up about Slack, the channel and the person, between the stand-ins."""

import re

import pytest

from bot.cli.setup_terminal import ask_steps
from bot.database import open_database
from bot.flows.setup.person import MOST
from bot.flows.setup.step import Known
from bot.settings import StorageSettings, load_settings
from bot.views.setup_panel import CopyText, FactRows, WebLink
from integrations.sandbox.browser import Browser
from storage import identities
from storage.records import IdentitySource
from tests.flows.setup.steps_run import CHANNEL, PERSON, SetupRun, progress, start


def shown(browser: Browser, name: str) -> str:
    found = re.search(rf'<code id="{name}">([^<]+)</code>', browser.text)
    assert found is not None, browser.text
    return found[1]


async def test_from_nothing_to_a_card_that_is_taken_away(run: SetupRun) -> None:
    slack = run.slack
    [link] = [part for part in (await run.panel()).parts if isinstance(part, WebLink)]
    async with Browser() as browser:
        await browser.open(link.address)
        await browser.send("Next")
        await browser.send("Create")
        general = browser.address
        await browser.follow("Install App")
        await browser.send("Allow")
        await run.submit(bot_token=shown(browser, "bot_token"))
        [page] = [part for part in (await run.panel()).parts if isinstance(part, WebLink)]
        assert page.address == general
        await browser.open(page.address)
        await browser.send("Generate", name="socket", scope="connections:write")
        await run.submit(app_token=shown(browser, "app_token"))
        assert (await run.panel()).forms[0].button == "Read the list again"
        await browser.open(f"{slack.origin}/archives/{CHANNEL}")
        await browser.send("Send", text="/invite @Stanch")
    await run.submit()
    await run.submit(channel=CHANNEL)
    await run.submit(slack_user=PERSON, login="olga")
    await run.submit()
    [card] = slack.channel_messages(CHANNEL)
    assert "Test card of the set-up" in card.shown_text
    assert "GitHub Personal Access Token" in card.shown_text
    overview = await run.submit()

    assert overview.current is None
    assert slack.channel_messages(CHANNEL) == []
    assert run.env == {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "STANCH_DEFAULT_CHANNEL": CHANNEL,
        "STANCH_OPERATORS": PERSON,
    }
    async with open_database(load_settings(StorageSettings)) as db, db.read() as tx:
        [linked] = await identities.all_identities(tx)
    olga = run.github.user("olga")
    assert olga is not None
    assert (linked.slack_team, linked.slack_user, linked.github.id) == (slack.team_id, PERSON, olga.id)
    assert linked.source is IdentitySource.OPERATOR


async def test_the_steps_can_be_answered_in_the_terminal(
    run: SetupRun, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(
        [
            "",  # No step again.
            run.slack.bot_token,
            run.slack.app_token,
            *("1", CHANNEL),
            *(PERSON, "olga", "n"),  # No more options.
            *("", ""),  # The test card.
        ]
    )
    secrets: list[str] = []

    def read(_: str, secret: bool) -> str:
        answer = next(answers)
        secrets.extend([answer] if secret else [])
        return answer

    known = Known(start(run.slack, run.github))
    await ask_steps(progress(run.session, run.folder, known, page=None), read)

    assert run.env["STANCH_DEFAULT_CHANNEL"] == CHANNEL
    assert run.env["STANCH_OPERATORS"] == PERSON
    assert secrets == [run.slack.bot_token, run.slack.app_token]
    shown = capsys.readouterr().out
    assert f"{run.slack.origin}/apps?new_app=1&manifest_json=" in shown
    assert not any(secret in shown for secret in secrets)


async def test_a_second_run_finds_everything_done_but_the_test_card(run: SetupRun) -> None:
    await run.until("test_card")
    before = run.env
    overview = await run.anew()

    assert run.step == "test_card"
    assert overview.problem is None
    assert run.env == before
    assert run.slack.channel_messages(CHANNEL) == []


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("xapp-1-A0X-1", "This is an app-level token (xapp-…), which the next step asks for"),
        ("xoxp-1-2-3", "This is a user token"),
        ("xoxe.xoxp-1-2", "for changing an app's configuration"),
        ("xoxc-1-2", "somebody's browser session"),
        ("0123456789abcdef" * 2, "This looks like the signing secret"),
        ("hunter2", "none of Slack's tokens"),
        ("xoxb-1 2", "none of Slack's tokens"),
        ("xoxb-unknown", "Slack refuses this bot token (invalid_auth)"),
    ],
)
async def test_a_wrong_bot_token_is_refused_with_what_it_is(run: SetupRun, token: str, sentence: str) -> None:
    refused = await run.refused(bot_token=token)

    assert sentence in refused
    assert f"{run.slack.origin}/apps" in refused
    assert token not in refused
    assert run.env == {}


async def test_missing_scopes_are_named_with_the_page_that_grants_them(run: SetupRun) -> None:
    run.slack.scopes.difference_update({"im:write", "groups:history"})
    refused = await run.refused(bot_token=run.slack.bot_token)
    run.slack.scopes.discard("users:read")
    unnamed = await run.refused(bot_token=run.slack.bot_token)

    assert "lacks the scopes groups:history, im:write:" in refused
    assert f"{run.slack.origin}/apps/{run.slack.app_id}/oauth" in refused
    assert "users:read" in unnamed


async def test_a_token_of_another_workspace_needs_a_yes(run: SetupRun) -> None:
    await run.until("channel")
    await run.progress.repeat("slack_app")
    other = run.slack.add_app_elsewhere()
    other_token = other.bot_token
    refused = await run.refused(bot_token=other_token)

    assert f"belongs to the workspace https://{other.team_domain}.slack.com/" in refused
    assert "was set up for https://stanch-sandbox.slack.com/" in refused
    assert run.env["SLACK_BOT_TOKEN"] == run.slack.bot_token
    await run.submit(bot_token=other_token, other_workspace="yes")
    assert run.env["SLACK_BOT_TOKEN"] == other_token
    # The app-level token of the former app is asked for again.
    assert run.step == "slack_connection"


async def test_in_another_workspace_the_person_is_linked_and_the_card_is_tried_anew(run: SetupRun) -> None:
    await run.until("test_card")
    await run.submit()
    await run.submit()
    assert run.step == ""
    await run.progress.repeat("slack_app")
    overview = await run.submit(bot_token=run.slack.add_app_elsewhere().bot_token, other_workspace="yes")

    to_do = [step.name for step, done in overview.steps if not done]
    assert to_do == ["slack_connection", "channel", "person", "test_card"]


async def test_an_app_that_was_removed_has_to_be_installed_again(run: SetupRun) -> None:
    await run.until("channel")
    run.slack.fail("auth.test", "account_inactive")
    overview = await run.anew()
    assert run.step == "slack_app"
    assert overview.panel is not None
    [problem] = [part for part in overview.panel.parts if isinstance(part, FactRows)]
    await run.until("channel")

    assert "not installed in the workspace any more" in problem.rows[0][1]
    assert run.step == "channel"


async def test_slack_s_outage_is_no_refusal(run: SetupRun) -> None:
    run.slack.faults.add("auth.test", times=1, status=503)
    refused = await run.refused(bot_token=run.slack.bot_token)
    await run.submit(bot_token=run.slack.bot_token)

    assert refused.startswith("Slack could not be asked.")
    assert run.step == "slack_connection"
    # The same for a token that is known: it is kept, and the step can be tried again.
    run.slack.faults.add("auth.test", times=1, status=503)
    overview = await run.anew()
    assert str(overview.problem).startswith("Slack could not be asked.")
    assert run.step == "slack_app"
    await run.progress.overview()
    assert run.step == "slack_connection"


async def test_a_wrong_app_level_token_is_refused_with_what_to_do(run: SetupRun) -> None:
    await run.until("slack_connection")
    wrong_kind = await run.refused(app_token=run.slack.bot_token)
    of_another = await run.refused(app_token="xapp-1-A0OTHER-123")
    unknown = await run.refused(app_token=f"xapp-1-{run.slack.app_id}-123")
    run.slack.world.app.app_token_scopes.clear()
    without_scope = await run.refused(app_token=run.slack.app_token)
    run.slack.world.app.app_token_scopes.add("connections:write")
    run.slack.world.tickets.on = False
    switched_off = await run.refused(app_token=run.slack.app_token)

    general = f"{run.slack.origin}/apps/{run.slack.app_id}/general"
    assert "This is the bot token" in wrong_kind
    assert f"another Slack app (A0OTHER): generate one at {general}" in of_another
    assert "Slack refuses this app-level token (invalid_auth)" in unknown
    assert "lacks the scope connections:write" in without_scope
    assert f"{run.slack.origin}/apps/{run.slack.app_id}/socket-mode" in switched_off


async def test_over_http_the_signing_secret_is_taken_by_its_form(run: SetupRun) -> None:
    values = {**run.progress.known.values, "STANCH_PUBLIC_URL": "https://stanch.example.com"}
    plain = {**values, "STANCH_PUBLIC_URL": "http://stanch.octo.example"}
    run.progress = progress(run.session, run.folder, Known(plain))
    assert "Use HTTP" not in [form.button for form in (await run.panel()).forms]
    run.progress = progress(run.session, run.folder, Known(values))
    assert "Use HTTP" in [form.button for form in (await run.panel()).forms]
    await run.submit(transport="http")
    [manifest] = [part for part in (await run.panel()).parts if isinstance(part, CopyText)]
    await run.submit(bot_token=run.slack.bot_token)
    refused = await run.refused(signing_secret=run.slack.bot_token)
    await run.submit(signing_secret=run.slack.signing_secret)

    assert '"request_url":"https://stanch.example.com/slack/events"' in manifest.text
    assert "This is the bot token" in refused
    assert run.step == "channel"
    assert run.env["SLACK_SIGNING_SECRET"] == run.slack.signing_secret
    await run.anew()
    assert run.step == "channel"


async def test_an_app_level_token_that_ended_is_asked_for_although_a_signing_secret_is_set(
    run: SetupRun,
) -> None:
    known = run.progress.known.setting(SLACK_SIGNING_SECRET="0" * 32, SLACK_APP_TOKEN="xapp-1-A0STANCH-ended")
    run.progress = progress(run.session, run.folder, known)
    await run.until("slack_connection")
    [problem] = [part for part in (await run.panel()).parts if isinstance(part, FactRows)]

    assert "Slack refuses this app-level token (invalid_auth)" in problem.rows[0][1]


async def test_with_http_the_app_level_token_is_cleared(run: SetupRun) -> None:
    await run.until("channel")
    await run.progress.repeat("slack_app")
    await run.progress.repeat("slack_connection")
    address = {"STANCH_PUBLIC_URL": "https://stanch.example.com"}
    run.progress = progress(run.session, run.folder, run.progress.known.setting(**address))
    await run.submit(transport="http")
    await run.submit(bot_token=run.slack.bot_token)
    await run.submit(signing_secret=run.slack.signing_secret)

    assert run.step == "channel"
    assert not run.env["SLACK_APP_TOKEN"]
    assert run.env["SLACK_SIGNING_SECRET"] == run.slack.signing_secret


async def test_how_requests_arrive_stays_when_the_step_is_done_again(run: SetupRun) -> None:
    known = run.progress.known.setting(SLACK_SIGNING_SECRET=run.slack.signing_secret)
    run.progress = progress(run.session, run.folder, known)
    await run.until("channel")
    await run.progress.repeat("slack_connection")

    assert (await run.panel()).forms[0].fields[0].name == "signing_secret"


async def test_the_channels_that_the_bot_is_in_are_listed(run: SetupRun) -> None:
    workspace = run.slack.workspace
    workspace.add_channel("C0PUBLIC", name="open")
    workspace.add_channel("C0SHARED", name="partners", is_ext_shared=True)
    workspace.add_channel("C0OLD", name="old", is_archived=True)
    workspace.add_channel("C0NOT", name="not-invited", bot_in=False)
    await run.until("channel")
    panel = await run.panel()
    refused = {
        channel: await run.refused(channel=channel)
        for channel in ("C0SHARED", "C0OLD", "C0NOT", "C0NONE", "x")
    }

    assert panel.forms[0].fields[0].choices == (
        ("C0PUBLIC", "#open (public)"),
        (CHANNEL, "#security (private)"),
    )
    assert [part.rows[0][1] for part in panel.parts if isinstance(part, FactRows)] == ["#partners"]
    assert "#partners is shared with another organization" in refused["C0SHARED"]
    assert "#old is archived" in refused["C0OLD"]
    assert "The bot is not in #not-invited: type /invite @Stanch there." in refused["C0NOT"]
    assert "channel_not_found" in refused["C0NONE"]
    assert refused["x"] == "Choose one of the channels."


async def test_only_a_full_member_of_the_workspace_is_linked(run: SetupRun) -> None:
    await run.until("person")
    [field, other, _] = (await run.panel()).forms[0].fields
    guest = await run.refused(other_user="U0GUEST", login="olga")
    nobody = await run.refused(other_user="U0NOBODY", login="olga")
    name = await run.refused(other_user="olga", login="olga")
    no_login = await run.refused(slack_user=PERSON, login="no such/login")
    unknown = await run.refused(slack_user=PERSON, login="nobody-there")
    organization = await run.refused(slack_user=PERSON, login="octo")

    assert field.choices == ((PERSON, f"olga ({PERSON})"), ("U0OTHER", "otto (U0OTHER)"))
    assert other.optional
    assert "gast is a guest in Slack" in guest
    assert "Slack knows no such person" in nobody
    assert "Write a Slack user id" in name
    assert "Write your login" in no_login
    assert "has no account nobody-there" in unknown
    assert "octo is no person's account on GitHub (Organization)" in organization
    assert "STANCH_OPERATORS" not in run.env


async def test_a_member_whom_slack_does_not_show_is_left_out(run: SetupRun) -> None:
    await run.until("person")
    run.slack.fail("users.info", "user_not_visible")
    [field, *_] = (await run.panel()).forms[0].fields
    assert field.choices


async def test_in_a_large_channel_the_id_is_typed(run: SetupRun) -> None:
    many = [f"U0MANY{number}" for number in range(MOST)]
    for user in many:
        run.slack.workspace.add_user(user)
    run.slack.workspace.change_channel(CHANNEL, members=frozenset({*many, PERSON, run.slack.bot_user_id}))
    await run.until("person")
    panel = await run.panel()
    [typed, login] = panel.forms[0].fields
    await run.submit(other_user=PERSON, login="olga")

    assert (typed.name, typed.optional, login.name) == ("other_user", False, "login")
    assert run.slack.calls("users.info")[-1].arguments["user"] == PERSON
    assert run.env["STANCH_OPERATORS"] == PERSON


async def test_without_an_installation_the_page_that_makes_one_is_named(run: SetupRun) -> None:
    await run.until("person")
    for installation in list(run.github.installations.values()):
        run.github.uninstall(installation)

    refused = await run.refused(slack_user=PERSON, login="olga")
    assert f"install it at {run.github.url}/apps/stanch/installations/new" in refused


async def test_somebody_whose_account_is_taken_is_told_whose_it_is(run: SetupRun) -> None:
    await run.until("test_card")
    await run.progress.repeat("person")
    taken = await run.refused(slack_user="U0OTHER", login="olga")
    run.github.add_user("otto")
    await run.submit(slack_user="U0OTHER", login="otto")

    assert f"{PERSON} is olga" in taken
    assert run.env["STANCH_OPERATORS"] == f"U0OTHER,{PERSON}"


async def test_faulty_operators_are_named_and_kept(run: SetupRun) -> None:
    await run.until("person")
    known = run.progress.known
    run.progress = progress(
        run.session, run.folder, known.setting(STANCH_OPERATORS="olga").without("operators_looked_up")
    )
    overview = await run.progress.overview()

    assert overview.problem is not None
    assert str(overview.problem).startswith("STANCH_OPERATORS in .env must be Slack user ids")
    assert run.slack.channel_messages(CHANNEL) == []


async def test_slack_s_refusal_of_the_test_card_is_a_sentence(run: SetupRun) -> None:
    await run.until("test_card")
    run.slack.fail("chat.postMessage", "restricted_action")
    refused = await run.refused()
    run.slack.fail("chat.postMessage", "not_in_channel")
    not_in = await run.refused()

    assert "Slack does not let the bot use security (restricted_action): ask an admin" in refused
    assert "/invite @Stanch" in not_in


async def test_a_test_card_that_is_posted_by_a_double_click_stays_until_it_was_seen(run: SetupRun) -> None:
    await run.until("test_card")
    [form] = (await run.panel()).forms
    for _ in range(2):
        await run.progress.submit("test_card", form.hidden)

    assert len(run.slack.channel_messages(CHANNEL)) == 1
    assert run.step == "test_card"


async def test_a_test_card_that_an_interrupted_run_has_left_is_taken_away(run: SetupRun) -> None:
    await run.until("test_card")
    await run.submit()
    await run.anew()
    await run.submit()
    [card] = run.slack.channel_messages(CHANNEL)
    await run.submit()

    assert run.slack.channel_messages(CHANNEL) == []
    assert len(run.slack.calls("chat.postMessage")) == 1
    assert card.metadata == {"event_type": "stanch_event", "event_payload": {"key": "setup-test-card"}}
