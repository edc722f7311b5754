"""A repository that was read a short time ago is not read again, unless it may have changed."""

import pytest

from bot.flows.alerts.fetch_alert import REPOSITORY_LASTS
from integrations.sandbox.github import GitHubAlert, WebhookDelivery
from tests.flows.stage import CHANNEL, Stage, plain

pytestmark = pytest.mark.either_database

REPOSITORY = "/repos/octo/[a-z]+"


async def leak_held(stage: Stage) -> tuple[GitHubAlert, WebhookDelivery]:
    """A second alert in the repository, whose delivery the test sends."""
    await stage.leak()
    stage.github.deliver = "hold"
    alert = stage.github.leak(stage.repository, token=stage.live_token())
    [created] = stage.github.held
    stage.github.requests.clear()
    return alert, created


async def test_a_repository_is_read_again_after_five_minutes(stage: Stage) -> None:
    await stage.leak()
    stage.github.requests.clear()
    await stage.leak()
    assert stage.github.calls("GET", REPOSITORY) == []
    stage.clock.advance(REPOSITORY_LASTS + 1)
    await stage.leak()
    assert len(stage.github.calls("GET", REPOSITORY)) == 1


async def test_a_repository_is_read_again_when_a_delivery_shows_that_it_changed(stage: Stage) -> None:
    await leak_held(stage)
    stage.github.set_visibility(stage.repository, "public")
    stage.github.leak(stage.repository, token=stage.live_token())
    assert await stage.github.send(stage.github.held[-1]) == 202
    await stage.work(within=30)
    assert len(stage.github.calls("GET", REPOSITORY)) == 1
    assert "public repository" in stage.slack.cards(CHANNEL)[-1].shown_text


@pytest.mark.parametrize("name_is_taken", [False, True])
async def test_an_old_name_in_a_delivery_leads_to_the_renamed_repository(
    stage: Stage, name_is_taken: bool
) -> None:
    """Even if another repository has the old name meanwhile, with an alert of the same number."""
    alert, created = await leak_held(stage)
    stage.github.rename_repository(stage.repository, "billing")
    if name_is_taken:
        other = stage.github.add_repository(stage.github.app_owner, "payments")
        for _ in range(alert.number):
            stage.github.leak(other, secret_type="stripe_api_key")
    assert await stage.github.send(created) == 202
    await stage.work(within=30)
    stored = await stage.stored(alert)
    assert stored is not None
    assert stored.html_url.endswith(f"/octo/billing/security/secret-scanning/{alert.number}")
    assert stored.secret_type == alert.secret_type
    assert "octo/billing" in plain(stage.slack.cards(CHANNEL)[-1].shown_text)
