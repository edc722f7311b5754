"""Installations of foreign accounts are dropped, and a repository's name is used only if its id is the stored one."""

import pytest

from integrations.sandbox.github import GitHubRepository
from storage import alerts, repositories
from storage.clock import Clock
from storage.records import AlertKey, AlertNumber, InstallationId, RepositoryId
from tests.flows.stage import ADMIN, CHANNEL, MANAGER, OWNER, Stage, key_of, open_stage

pytestmark = pytest.mark.either_database

ALERTS = r"/(?:repos/.*|repositories/\d+)/secret-scanning/alerts/.*"
UNREACHABLE = "GitHub no longer gives Stanch access to this repository."


def scoped_calls(stage: Stage) -> None:
    """Assert that every call about an alert had a token for its repository alone."""
    calls = stage.github.calls(path=ALERTS)
    assert calls != []
    for call in calls:
        assert call.repository_ids == (stage.repository.id,), call


def untouched(stage: Stage, stranger: GitHubRepository, since: int) -> None:
    """Assert that no call about alerts went to a foreign repository."""
    for call in stage.github.requests[since:]:
        if "secret-scanning" in call.path:
            assert call.repository_ids == (stage.repository.id,)
            assert f"/repos/{stranger.full_name}/" not in call.path


async def test_an_alert_of_a_foreign_installation_is_dropped_and_audited(stage: Stage) -> None:
    stranger = stage.github.add_organization("stranger")
    theirs = stage.github.add_repository(stranger, "bait")
    stage.github.install(stranger)
    await stage.work()
    asked = len(stage.github.requests)
    leaked = stage.github.leak(theirs)
    await stage.work(within=600)
    assert [delivery.status_code for delivery in stage.github.deliveries] == [202, 202]
    async with stage.context.db.read() as tx:
        assert await alerts.load(tx, key_of(leaked)) is None
    assert stage.slack.channel_messages(CHANNEL) == []
    assert ("refused", "foreign_account") in await stage.audited("delivery")
    assert [call for call in stage.github.requests[asked:] if "alerts" in call.path] == []


async def test_a_foreign_installation_is_not_stored(stage: Stage) -> None:
    """Anybody may install a public app; installation and removal are audited, and GitHub is not asked about them."""
    stranger = stage.github.add_organization("stranger")
    stage.github.add_repository(stranger, "bait")
    since = len(stage.github.requests)
    installation = stage.github.install(stranger)
    await stage.work(within=60)
    stage.github.uninstall(installation)
    await stage.work(within=60)
    assert await stage.audited("delivery") == [("refused", "foreign_account")] * 2
    assert stage.github.requests[since:] == []
    async with stage.context.db.read() as tx:
        assert await repositories.load_installation(tx, InstallationId(installation.id)) is None


async def test_role_changes_in_a_foreign_organization_are_dropped_and_audited(stage: Stage) -> None:
    stranger = stage.github.add_organization("stranger")
    stage.github.install(stranger)
    await stage.work()
    stage.github.add_member(stranger, stage.leaker)
    await stage.work()
    assert await stage.audited("delivery") == [("refused", "foreign_account")] * 2


async def test_a_payload_without_an_installation_does_not_pass_for_ours(stage: Stage) -> None:
    stranger = stage.github.add_organization("stranger")
    theirs = stage.github.add_repository(stranger, "bait")
    stage.github.install(stranger)
    stage.github.deliver = "hold"
    stage.github.leak(theirs)
    [delivery] = stage.github.held
    del delivery.payload["installation"]
    assert await stage.github.send(delivery) == 202
    await stage.work(within=60)
    assert stage.slack.channel_messages(CHANNEL) == []


async def test_the_setting_names_the_accounts_whose_installations_count(
    database_url: str, clock: Clock, private_key: str
) -> None:
    accounts = "Octo-Labs, octo-tools"
    async with open_stage(database_url, clock, private_key, github_accounts=accounts) as stage:
        for login in ("octo-labs", "octo-tools"):
            organization = stage.github.add_organization(login)
            stage.github.install(organization)
            stage.github.leak(stage.github.add_repository(organization, "web"))
        # The app's own owner is not named in the setting.
        stage.github.leak(stage.repository)
        await stage.work(within=20)
        shown = " ".join(card.shown_text for card in stage.slack.cards(CHANNEL))
        assert len(stage.slack.cards(CHANNEL)) == 2
        assert "octo-labs/web" in shown
        assert "octo-tools/web" in shown
        assert ("refused", "foreign_account") in await stage.audited("delivery")
        stage.check()


async def test_every_call_about_an_alert_has_a_token_for_its_repository_alone(stage: Stage) -> None:
    stage.github.add_repository(stage.github.app_owner, "vault")
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.report(ADMIN)
    await stage.work(within=70)
    await stage.close_as(ADMIN, "revoked")
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN)
    scoped_calls(stage)
    assert len(stage.github.calls("PATCH", ALERTS)) >= 2


async def test_a_renamed_repository_is_followed(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    await stage.close_as(ADMIN, "revoked")
    assert alert.resolution == "revoked"
    await stage.work(within=10)
    assert "octo/billing" in stage.read()


async def test_another_repository_with_the_old_name_is_never_used(stage: Stage) -> None:
    """The repository was renamed; another one has its old name and an alert of the same number."""
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    squatted = stage.github.squat("octo/payments")
    bait = stage.github.leak(squatted, token=stage.live_token())
    since = len(stage.github.requests)
    await stage.click(OWNER, "check_validity")
    await stage.report(OWNER)
    await stage.close_as(OWNER, "revoked")
    assert alert.resolution == "revoked"
    assert bait.state == "open"
    spared = stage.github.token_of(bait)
    assert spared is not None
    assert spared.revoked_at is None
    assert spared.last_used_at is None
    untouched(stage, squatted, since)


async def test_a_public_repository_with_the_old_name_is_never_used(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_repository(stage.repository, "billing")
    squatted = stage.github.squat("octo/payments", visibility="public")
    bait = stage.github.leak(squatted)
    since = len(stage.github.requests)
    await stage.close_as(OWNER, "wont_fix")
    assert alert.resolution == "wont_fix"
    assert bait.state == "open"
    untouched(stage, squatted, since)


async def test_an_account_with_the_old_login_is_never_used(stage: Stage) -> None:
    """The organization was renamed; a stranger registered its login and a repository in it."""
    alert = await stage.leak()
    stage.github.webhook_url = None
    stage.github.rename_account(stage.github.app_owner, "octo-new")
    squatted = stage.github.squat("octo/payments")
    since = len(stage.github.requests)
    await stage.close_as(OWNER, "revoked")
    assert alert.resolution == "revoked"
    untouched(stage, squatted, since)


async def test_a_late_webhook_by_the_old_name_reaches_the_right_repository(stage: Stage) -> None:
    """It was sent before the rename, and has no installation."""
    stage.github.deliver = "hold"
    alert = stage.github.leak(stage.repository, path="mine.env")
    late = stage.github.held[-1]
    stage.github.rename_repository(stage.repository, "billing")
    squatted = stage.github.squat("octo/payments")
    stage.github.leak(squatted, path="theirs.env")
    assert await stage.github.send(late) == 202
    await stage.work(within=10)
    assert "mine.env" in stage.read()
    assert "octo/billing" in stage.read()
    assert await stage.stored(alert) is not None
    async with stage.context.db.read() as tx:
        key = AlertKey(RepositoryId(squatted.id), AlertNumber(1))
        assert await alerts.load(tx, key) is None


async def test_a_repository_taken_from_the_installation_is_refused(stage: Stage) -> None:
    alert = await stage.leak()
    stage.github.webhook_url = None
    [installation] = stage.github.installations.values()
    stage.github.remove_from_installation(installation, stage.repository)
    for user in (OWNER, MANAGER):
        await stage.click(user, "check_validity")
        assert UNREACHABLE in stage.answer_to(user)
    await stage.pick(OWNER, "close_as", "revoked")
    assert UNREACHABLE in stage.form(OWNER).shown_text
    assert alert.state == "open"
    assert ("refused", "unreachable") in await stage.audited("check_validity")


async def test_a_deleted_repository_is_refused_and_its_card_loses_its_controls(stage: Stage) -> None:
    await stage.leak()
    stage.github.delete_repository(stage.repository)
    await stage.work(within=10)
    assert "out of reach" in stage.read()
    assert {"close_as", "report_leak", "check_validity", "take"}.isdisjoint(stage.card().action_ids)


async def test_an_uninstalled_app_is_refused_and_its_cards_lose_their_controls(stage: Stage) -> None:
    await stage.leak()
    [installation] = stage.github.installations.values()
    shown = stage.card()
    stage.github.webhook_url = None
    stage.github.uninstall(installation)
    await stage.slack.click(OWNER, CHANNEL, shown.ts, "check_validity", shown=shown)
    await stage.work(within=5)
    assert UNREACHABLE in stage.answer_to(OWNER)


async def test_cards_say_that_the_app_was_uninstalled(stage: Stage) -> None:
    await stage.leak()
    [installation] = stage.github.installations.values()
    stage.github.uninstall(installation)
    await stage.work(within=10)
    assert "out of reach" in stage.read()
    assert {"close_as", "report_leak", "check_validity", "take"}.isdisjoint(stage.card().action_ids)


async def test_a_false_webhook_about_an_uninstallation_changes_nothing(stage: Stage) -> None:
    """A late webhook says that the app was removed; GitHub answers that it is installed."""
    await stage.leak()
    [installation] = stage.github.installations.values()
    stage.github.deliver = "hold"
    stage.github.suspend(installation)
    stage.github.unsuspend(installation)
    for delivery in reversed(stage.github.held):
        assert await stage.github.send(delivery) == 202
        await stage.work(within=10)
    assert "Normal: not known whether it works" in stage.read()
    assert "close_as" in stage.card().action_ids
