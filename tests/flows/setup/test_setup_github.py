"""The set-up's steps about GitHub: the App by its manifest or by hand, and its installation."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from bot.rules.github_app_manifest import EVENTS, PERMISSIONS
from bot.setting_values import read_encryption_keys
from integrations.sandbox.github import GitHubSandbox, GitHubUser, generate_private_key
from integrations.sandbox.github.records import Enterprise
from storage import audit
from storage.clock import Clock
from storage.db import Database
from storage.records import AuditEntry, AuditOutcome
from tests.flows.setup.local_page import SetupRun, modes, open_setup, settings_of

STEPS = (ACCOUNT, GITHUB_APP, INSTALLATION)
PUBLIC_URL = "https://stanch.octo.example"
Open = Callable[..., AbstractAsyncContextManager[SetupRun]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "stanch"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def opened(github: GitHubSandbox, owner: GitHubUser, folder: Path) -> Open:
    """Opens a run in the folder."""
    return lambda **more: open_setup(folder, STEPS, {**settings_of(github, folder), **more}, owner)


@pytest.fixture
async def run(opened: Open) -> AsyncIterator[SetupRun]:
    async with opened() as run:
        await run.enter_code()
        yield run


async def create(run: SetupRun, account: str = "octo") -> None:
    """Press the buttons of our page and of GitHub's that create the App."""
    await run.browser.send("Create the App on")
    await run.browser.send(f"Create GitHub App for {account}")


async def install(run: SetupRun) -> None:
    """Follow the link in a second tab, install the App, and come back."""
    kept = run.browser.forms, run.browser.address
    await run.browser.follow("Install the App on GitHub")
    await run.browser.send("Install")
    run.browser.forms, run.browser.address = kept
    await run.browser.send("I have installed it")


async def test_an_app_is_made_installed_and_written(run: SetupRun, github: GitHubSandbox) -> None:
    await run.browser.send("Continue", account="octo", public_url=PUBLIC_URL, webhooks="yes")
    await create(run)
    assert (run.fault, run.title) == ("", "Installation")
    await install(run)
    assert run.title == "Stanch is set up"
    assert ">.venv/bin/stanch serve<" in run.browser.text
    end = await run.routes.wait()
    assert end.done
    assert "start it with .venv/bin/stanch serve" in end.sentence

    app = github.app
    assert (app.name, app.owner, app.public) == ("stanch-octo", github.organization("octo"), False)
    assert app.permissions == {one.name: one.access for one in PERMISSIONS if one.asked}
    assert set(app.events) == set(EVENTS) - {"security_and_analysis"}
    assert app.webhook_url == f"{PUBLIC_URL}/github/webhooks"
    assert app.callback_urls == [f"{PUBLIC_URL}/github/callback"]
    assert app.setup_url is None
    written = run.written()
    assert written == {
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_APP_PRIVATE_KEY": "github-app.pem",
        "GITHUB_APP_CLIENT_ID": app.client_id,
        "GITHUB_APP_CLIENT_SECRET": app.client_secret,
        "GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "STANCH_PUBLIC_URL": PUBLIC_URL,
        "STANCH_AUDIT_KEY": written["STANCH_AUDIT_KEY"],
        "STANCH_ENCRYPTION_KEYS": written["STANCH_ENCRYPTION_KEYS"],
    }
    assert re.fullmatch("[0-9a-f]{64}", written["STANCH_AUDIT_KEY"] or "")
    assert read_encryption_keys(SecretStr(written["STANCH_ENCRYPTION_KEYS"] or ""))
    assert modes(run.folder) == {".env": "0o600", "github-app.pem": "0o600"}


async def test_without_an_address_there_is_no_webhook_and_no_sign_in(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send("Continue", account="octo")
    await create(run)
    assert (github.app.webhook_url, github.app.callback_urls, list(github.app.events)) == (None, [], [])
    assert {name for name, value in run.written().items() if value} == {
        "GITHUB_APP_ID",
        "GITHUB_APP_PRIVATE_KEY",
        "STANCH_AUDIT_KEY",
        "STANCH_ENCRYPTION_KEYS",
    }


async def test_an_intranet_address_is_for_sign_in_alone(run: SetupRun, github: GitHubSandbox) -> None:
    await run.browser.send("Continue", account="octo", public_url="https://stanch.intranet")
    await create(run)
    assert github.app.webhook_url is None
    assert github.app.callback_urls == ["https://stanch.intranet/github/callback"]
    assert "GITHUB_WEBHOOK_SECRET" not in run.written()


async def test_ticked_permissions_are_asked_for_with_their_event(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send(
        "Continue",
        account="octo",
        public_url=PUBLIC_URL,
        webhooks="yes",
        permission_administration="yes",
        permission_contents="yes",
    )
    for one in PERMISSIONS:
        assert one.reason.replace("'", "&#x27;") in run.browser.text
    await create(run)
    assert github.app.permissions == {one.name: one.access for one in PERMISSIONS}
    assert set(github.app.events) == set(EVENTS)


async def test_an_app_on_the_own_account(run: SetupRun, github: GitHubSandbox, owner: GitHubUser) -> None:
    await run.browser.send("Continue", owner="user", account="@olga", app_name="My Stanch")
    await create(run, "olga")
    assert (github.app.owner, github.app.name) == (owner, "My Stanch")
    await install(run)
    assert run.title == "Stanch is set up"


async def test_several_accounts_make_the_app_public_and_each_needs_an_installation(
    run: SetupRun, github: GitHubSandbox, owner: GitHubUser
) -> None:
    labs = github.add_organization("Labs")
    github.add_member(labs, owner, role="admin")
    await run.browser.send("Continue", account="Octo", more_accounts="Labs")
    await create(run)
    assert github.app.public
    assert run.written()["GITHUB_ACCOUNTS"] == "octo,labs"
    await install(run)
    assert "not installed on labs yet" in run.fault
    github.install(labs)
    await run.browser.send("I have installed it")
    assert run.title == "Stanch is set up"


async def test_an_app_of_another_account_is_not_taken_over(run: SetupRun, github: GitHubSandbox) -> None:
    """The person is signed in to GitHub as somebody who makes the App elsewhere: on the own account."""
    await run.browser.send("Continue", account="octo")
    form = next(form for form in run.browser.forms if "manifest" in form.values)
    form.action = form.action.replace("/organizations/octo", "")
    await create(run, "olga")
    assert "made the App stanch-octo on olga, not on octo" in run.fault
    assert "Delete it there" in run.fault
    assert "GITHUB_APP_ID" not in run.written()
    assert modes(run.folder) == {".env": "0o600"}
    await run.browser.send("Create the App on octo")
    await run.browser.send("Create GitHub App for octo", name="stanch-octo-2")
    assert run.title == "Installation"
    assert run.written()["GITHUB_APP_ID"] == str(github.app.id)


async def redirect(run: SetupRun) -> str:
    """Create the App; returns the address to which GitHub sends the browser, unopened."""
    await run.browser.send("Create the App on")
    return await run.browser.leave("Create GitHub App for")


async def test_a_state_works_once_and_is_checked_before_the_code_is_used(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send("Continue", account="octo")
    address = await redirect(run)
    code, state = (parse_qs(urlsplit(address).query)[name][0] for name in ("code", "state"))
    for query in (
        f"code={code}",
        f"code={code}&state=",
        f"code={code}&state=guessed",
        f"state={state}&state={state}&code={code}",
    ):
        await run.browser.open(f"{run.page}/github/created?{query}")
        assert run.browser.status == 403
    assert github.calls("POST", "/app-manifests/.*") == []
    await run.browser.open(address)
    assert run.title == "Installation"
    await run.browser.open(address)
    assert run.browser.status == 403
    assert len(github.calls("POST", "/app-manifests/.*")) == 1


async def test_a_code_of_somebody_else_s_app_is_not_taken(run: SetupRun, github: GitHubSandbox) -> None:
    """The attacker has a code of an App of their own, but no state; with a state, the owner gives it away."""
    await run.browser.send("Continue", account="octo")
    own = await redirect(run)
    mallory = github.add_user("mallory")
    async with open_setup(run.folder, STEPS, settings_of(github, run.folder), mallory) as attack:
        await attack.enter_code()
        await attack.browser.send("Continue", owner="user", account="mallory", app_name="harmless")
        code = parse_qs(urlsplit(await redirect(attack)).query)["code"][0]
    await run.browser.open(f"{run.page}/github/created?code={code}&state=guessed")
    assert run.browser.status == 403
    state = parse_qs(urlsplit(own).query)["state"][0]
    await run.browser.open(f"{run.page}/github/created?code={code}&state={state}")
    assert "made the App harmless on mallory, not on octo" in run.fault
    assert "GITHUB_APP_ID" not in run.written()


async def test_a_used_or_malformed_code_is_refused(run: SetupRun, github: GitHubSandbox) -> None:
    await run.browser.send("Continue", account="octo")
    address = await redirect(run)
    state = parse_qs(urlsplit(address).query)["state"][0]
    await run.browser.open(f"{run.page}/github/created?code=0123456789&state={state}")
    assert "GitHub does not know this answer any more" in run.fault
    form = next(form for form in run.browser.forms if "manifest" in form.values)
    state = parse_qs(urlsplit(form.action).query)["state"][0]
    await run.browser.open(f"{run.page}/github/created?code=..%2Fuser&state={state}")
    assert run.browser.status == 403


async def test_while_github_is_down_the_page_says_so_and_the_step_stays(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send("Continue", account="octo")
    address = await redirect(run)
    github.faults.add(r"POST /app-manifests/.*", status=502)
    await run.browser.open(address)
    assert "GitHub answered 502" in run.fault
    assert "enter both under I have an App already" in run.fault
    assert run.title == "GitHub App"


async def test_an_interrupted_set_up_goes_on_where_it_was(opened: Open, github: GitHubSandbox) -> None:
    async with opened() as run:
        await run.enter_code()
        await run.browser.send("Continue", account="octo", public_url=PUBLIC_URL)
        keys = run.written()
    async with opened() as run:
        await run.enter_code()
        assert run.title == "GitHub account"
        await run.browser.send("Continue", account="octo")
        assert run.written() == keys
        await create(run)
        made = run.written()
    async with opened() as run:
        await run.enter_code()
        assert run.title == "Installation"
        assert "stanch-octo" in run.browser.text
        await install(run)
        assert run.title == "Stanch is set up"
        assert run.written() == made
    async with opened() as run:
        await run.enter_code()
        assert run.title == "Stanch is set up"
        await run.browser.send("Finish")
        assert (await run.routes.wait()).done
        assert run.written() == made


async def test_the_browser_may_be_closed_half_way(run: SetupRun) -> None:
    await run.browser.send("Continue", account="octo")
    await run.enter_code()
    assert run.title == "GitHub App"
    await create(run)
    await run.enter_code()
    assert run.title == "Installation"


async def test_a_step_is_done_again_only_when_asked(opened: Open, github: GitHubSandbox) -> None:
    async with opened() as run:
        await run.enter_code()
        await run.browser.send("Continue", account="octo")
        await create(run)
        first = run.written()
        await run.browser.send("Do again", step="account")
        assert run.title == "GitHub account"
        assert run.written() == first
        await run.browser.send("Continue", account="octo", app_name="stanch-second")
        await create(run)
        second = run.written()
        assert second["GITHUB_APP_ID"] == str(github.app.id) != first["GITHUB_APP_ID"]
        assert second["GITHUB_APP_PRIVATE_KEY"] == f"github-app-{github.app.id}.pem"
        assert second["STANCH_AUDIT_KEY"] == first["STANCH_AUDIT_KEY"]
        assert set(modes(run.folder)) == {".env", "github-app.pem", f"github-app-{github.app.id}.pem"}


async def test_another_app_clears_the_secrets_of_the_former_one(
    opened: Open, github: GitHubSandbox, private_key: str
) -> None:
    async with opened() as run:
        await run.enter_code()
        await run.browser.send("Continue", account="octo", public_url=PUBLIC_URL, webhooks="yes")
        await create(run)
        first = run.written()
        await run.browser.send("Do again", step="account")
        await run.browser.send("Continue", account="octo", public_url="", app_name="second")
        await create(run)
        second = run.written()
        assert second["GITHUB_APP_ID"] != first["GITHUB_APP_ID"]
        for name in (
            "GITHUB_WEBHOOK_SECRET",
            "GITHUB_APP_CLIENT_ID",
            "GITHUB_APP_CLIENT_SECRET",
            "STANCH_PUBLIC_URL",
        ):
            assert first[name]
            assert second[name] == ""


async def test_the_same_app_by_hand_keeps_its_secrets_and_another_one_does_not(
    opened: Open, github: GitHubSandbox, private_key: str, folder: Path
) -> None:
    (folder / "mine.pem").write_text(private_key)
    app_id = str(github.app.id)
    for before, kept in ((app_id, "whsec"), ("1", "")):
        (folder / ".env").write_text(
            f"GITHUB_APP_ID={before}\nGITHUB_APP_PRIVATE_KEY=mine.pem\nGITHUB_WEBHOOK_SECRET=whsec\n"
        )
        async with opened() as run:
            await run.enter_code()
            await run.browser.send("Do again", step="account")
            await run.browser.send("Continue", account="octo")
            await run.browser.send("Use this App", app_id=app_id, key_file="mine.pem")
            assert (run.fault, run.title) == ("", "Installation")
            assert run.written()["GITHUB_WEBHOOK_SECRET"] == kept


async def test_an_app_s_secrets_are_kept_until_they_can_be_written(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send("Continue", account="octo", public_url=PUBLIC_URL)
    address = await redirect(run)
    written = (run.folder / ".env").read_bytes()
    (run.folder / ".env").unlink()
    (run.folder / ".env").mkdir()
    await run.browser.open(address)
    assert "plain files of its own folder" in run.fault
    await run.browser.send("Try again")
    assert "plain files of its own folder" in run.fault
    (run.folder / ".env").rmdir()
    (run.folder / ".env").write_bytes(written)
    await run.browser.send("Try again")
    assert run.title == "Installation"
    assert run.written()["GITHUB_APP_CLIENT_SECRET"] == github.app.client_secret


async def test_what_the_environment_sets_is_found_out_before_an_app_is_made(
    run: SetupRun, github: GitHubSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "elsewhere")
    await run.browser.send("Continue", account="octo")
    assert "GITHUB_WEBHOOK_SECRET is also set in the environment" in run.fault
    monkeypatch.delenv("GITHUB_WEBHOOK_SECRET")
    await run.browser.send("Try again")
    await create(run)
    monkeypatch.setenv("GITHUB_APP_ID", str(github.app.id))
    await run.browser.send("Do again", step="account")
    assert "GITHUB_APP_ID is also set in the environment" in run.fault


async def test_a_key_that_is_pasted_in_place_of_its_path_is_not_shown_again(
    run: SetupRun, private_key: str
) -> None:
    await run.browser.send("Continue", account="octo")
    await run.browser.send("Use this App", app_id="1", key_file=private_key.replace("\n", "\\n"))
    assert "not the key itself" in run.fault
    assert private_key.splitlines()[1] not in run.browser.text
    assert "GITHUB_APP_ID" not in run.written()


async def test_a_reloaded_form_changes_nothing(run: SetupRun) -> None:
    await run.browser.send("Continue", account="octo")
    await run.enter_code()
    form = next(form for form in run.browser.forms if form.values.get("step") == ["github_app"])
    form.values["step"] = ["account"]
    before = run.written()
    await run.browser.send("Use this App", app_id="1", key_file="x")
    assert (run.title, run.written()) == ("GitHub App", before)


async def test_an_app_by_hand(run: SetupRun, github: GitHubSandbox, private_key: str) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    await run.browser.send("Continue", account="octo")
    await run.browser.send("Use this App", app_id=str(github.app.id), key_file=str(run.folder / "mine.pem"))
    assert (run.fault, run.title) == ("", "Installation")
    assert run.written()["GITHUB_APP_PRIVATE_KEY"] == str(run.folder / "mine.pem")


@pytest.mark.parametrize(
    ("app_id", "key_file", "words"),
    [
        ("the id", "mine.pem", "the number behind App ID"),
        ("4711", "missing.pem", "is neither a PEM private key nor the path of a readable file"),
        ("4711", "no.pem", "does not hold a valid PEM private key"),
        ("4711", "other.pem", "they belong to different Apps, or the key was deleted"),
    ],
)
async def test_a_wrong_id_or_key_is_refused_with_the_place_to_click(
    run: SetupRun, github: GitHubSandbox, private_key: str, app_id: str, key_file: str, words: str
) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    (run.folder / "no.pem").write_text("-----BEGIN nothing")
    (run.folder / "other.pem").write_text(generate_private_key())
    await run.browser.send("Continue", account="octo")
    typed = app_id.replace("4711", str(github.app.id))
    await run.browser.send("Use this App", app_id=typed, key_file=str(run.folder / key_file))
    assert words in run.fault
    assert "General" in run.fault
    assert "GITHUB_APP_ID" not in run.written()


async def test_an_id_that_no_app_has_is_refused_by_github_s_404(
    run: SetupRun, github: GitHubSandbox, private_key: str
) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    github.faults.add("GET /app", status=404, body={"message": "Integration not found"})
    await run.browser.send("Continue", account="octo")
    await run.browser.send("Use this App", app_id="4711", key_file=str(run.folder / "mine.pem"))
    assert "refuses this App ID with this key (Integration not found)" in run.fault
    assert "GITHUB_APP_ID" not in run.written()


async def test_a_key_file_in_the_home_of_nobody_is_refused(run: SetupRun, github: GitHubSandbox) -> None:
    await run.browser.send("Continue", account="octo")
    await run.browser.send("Use this App", app_id=str(github.app.id), key_file="~nobody-of-that-name/app.pem")
    assert "names the home of a user that this machine does not have" in run.fault


async def test_an_app_by_hand_of_another_account_or_with_too_little_is_refused(
    run: SetupRun, github: GitHubSandbox, private_key: str
) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    hand = {"app_id": str(github.app.id), "key_file": str(run.folder / "mine.pem")}
    await run.browser.send("Continue", owner="user", account="olga")
    await run.browser.send("Use this App", **hand)
    assert "belongs to octo, not to olga" in run.fault
    await run.browser.send("Do again", step="account")
    await run.browser.send("Continue", account="octo")
    github.app.permissions = {"metadata": "read", "secret_scanning_alerts": "read"}
    await run.browser.send("Use this App", **hand)
    assert "lacks Secret scanning alerts (repository): read and write, Members" in run.fault


async def test_an_app_that_is_not_installed_or_suspended_is_named(
    run: SetupRun, github: GitHubSandbox
) -> None:
    await run.browser.send("Continue", account="octo")
    await create(run)
    await run.browser.send("I have installed it")
    assert "stanch-octo is not installed on octo yet" in run.fault
    octo = github.organization("octo")
    assert octo is not None
    github.suspend(github.install(octo))
    await run.browser.send("I have installed it")
    assert "The installation on octo is suspended" in run.fault


async def test_a_key_of_another_app_in_the_settings_is_named(
    opened: Open, github: GitHubSandbox, folder: Path
) -> None:
    (folder / "github-app.pem").write_text(generate_private_key())
    more = {"GITHUB_APP_ID": str(github.app.id), "GITHUB_APP_PRIVATE_KEY": str(folder / "github-app.pem")}
    async with opened(**more) as run:
        await run.enter_code()
        assert run.title == "Installation"
        assert "they belong to different Apps" in run.fault
        await run.browser.send("Try again")
        assert run.title == "Installation"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"account": "octo/payments"}, "as octo in github.com/octo"),
        ({"account": ""}, "as octo in github.com/octo"),
        ({"account": "octo", "app_name": "x" * 35}, "at most 34 characters"),
        ({"account": "octo", "webhooks": "yes"}, "GitHub needs an address"),
        ({"account": "octo", "public_url": "http://127.0.0.1:3000", "webhooks": "yes"}, "this machine alone"),
        ({"account": "octo", "public_url": "https://stanch.octo.example/x"}, "must have no path"),
        ({"account": "octo", "github_url": "octo"}, "GitHub's address must be an http"),
        ({"account": "octo", "more_accounts": "a b"}, "no login and no numeric id"),
    ],
)
async def test_what_github_would_refuse_is_said_before(
    run: SetupRun, form: dict[str, str], words: str
) -> None:
    await run.browser.send("Continue", **form)
    assert words in run.fault
    assert run.written() == {}


async def test_an_audit_log_without_a_key_gets_none(opened: Open, folder: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{folder / 'stanch.db'}", clock=Clock())
    await db.migrate()
    async with db.begin() as tx:
        await audit.append(tx, AuditEntry(action="subscribe", outcome=AuditOutcome.DONE))
    await db.close()
    async with opened() as run:
        await run.enter_code()
        await run.browser.send("Continue", account="octo")
        assert run.written().keys() == {"STANCH_ENCRYPTION_KEYS"}


async def test_no_secret_is_on_a_page_or_in_an_address(run: SetupRun, github: GitHubSandbox) -> None:
    shown = []
    await run.browser.send("Continue", account="octo", public_url=PUBLIC_URL, webhooks="yes")
    shown.append(run.browser.text)
    await create(run)
    shown += [run.browser.text, run.browser.address]
    await install(run)
    shown += [run.browser.text, run.browser.address, repr(run.progress.known)]
    secrets = [
        value for name, value in run.written().items() if name.endswith(("SECRET", "KEY", "KEYS")) and value
    ]
    secrets.append((run.folder / "github-app.pem").read_text().splitlines()[1])
    assert len(secrets) == 6
    for secret in secrets:
        if secret != "github-app.pem":
            assert not any(secret in text for text in shown)


@pytest.mark.parametrize("secret", ["0a1b" * 10, "-----BEGIN RSA PRIVATE KEY-----", "xoxb-" + "1a" * 16])
async def test_a_secret_in_a_wrong_field_is_refused_and_not_shown_again(run: SetupRun, secret: str) -> None:
    for field in ("account", "app_name", "public_url", "github_url"):
        await run.browser.send("Continue", **{"account": "octo", "webhooks": "yes", field: secret})
        assert run.browser.status == 400
        assert secret not in run.browser.text


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://github.octo.example/", "https://github.octo.example/api/v3"),
    ],
)
async def test_another_server_s_addresses_are_written(run: SetupRun, url: str, api: str) -> None:
    await run.browser.send("Continue", account="octo", github_url=url)
    written = run.written()
    assert (written["GITHUB_URL"], written["GITHUB_API_URL"]) == (url.rstrip("/"), api)
    assert f"form-action 'self' {url.rstrip('/')};" in run.browser.headers["Content-Security-Policy"]
    assert any(form.action.startswith(f"{url.rstrip('/')}/organizations/octo/") for form in run.browser.forms)


async def test_an_app_of_an_enterprise_serves_the_chosen_account(
    run: SetupRun, github: GitHubSandbox, private_key: str
) -> None:
    (run.folder / "mine.pem").write_text(private_key)
    github.app.enterprise = Enterprise(77, "octo-corp")
    await run.browser.send("Continue", account="Octo")
    await run.browser.send("Use this App", app_id=str(github.app.id), key_file="mine.pem")
    assert run.written()["GITHUB_ACCOUNTS"] == "octo"
    assert "octo-corp" in run.browser.text
    await run.browser.send("I have installed it")
    assert "not installed on octo yet" in run.fault
    github.install(github.app_owner)
    await run.browser.send("I have installed it")
    assert run.title == "Stanch is set up"


async def test_without_named_accounts_any_organization_of_the_enterprise_will_do(
    opened: Open, github: GitHubSandbox, private_key: str, folder: Path
) -> None:
    (folder / "mine.pem").write_text(private_key)
    github.app.enterprise = Enterprise(77, "octo-corp")
    async with opened(GITHUB_APP_ID=str(github.app.id), GITHUB_APP_PRIVATE_KEY="mine.pem") as run:
        await run.enter_code()
        assert "an organization of octo-corp" in run.browser.text
        github.install(github.app_owner)
        await run.browser.send("I have installed it")
        assert run.title == "Stanch is set up"
