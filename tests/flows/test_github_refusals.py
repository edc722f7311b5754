"""GitHub's reason for a refusal is quoted to the person, in the log and in the audit log."""

import pytest

from tests.flows.stage import ADMIN, OWNER, Stage, plain

pytestmark = pytest.mark.either_database

IP_ALLOW_LIST = "The octo organization has an IP allow list enabled, and your IP address is not permitted."
CONTROLS = {"close_as", "report_leak", "check_validity", "take"}
NO_PERMISSION = "Resource not accessible by integration"
ARCHIVED = "Repository was archived so is read-only."
LIMITED = {"message": "You have exceeded a secondary rate limit."}
OFF = "Secret scanning is disabled on this repository."


async def test_an_ip_allow_list_is_quoted_and_no_card_loses_its_controls(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = await stage.leak()
    rule = stage.github.faults.add(r"GET /repos/.*", status=403, body={"message": IP_ALLOW_LIST})
    await stage.click(ADMIN, "check_validity")
    assert IP_ALLOW_LIST in stage.answer_to(ADMIN)
    assert IP_ALLOW_LIST in capsys.readouterr().out
    assert ("failed", f"Forbidden: {IP_ALLOW_LIST}") in await stage.audited("check_validity")
    await stage.pick(ADMIN, "close_as", "revoked")
    assert IP_ALLOW_LIST in plain(stage.form(ADMIN).shown_text)
    # After a webhook about the repository, Stanch asks GitHub for it.
    stage.github.rename_repository(stage.repository, "billing")
    await stage.work(within=10)
    assert "repository_refused" in capsys.readouterr().out
    assert set(stage.card().action_ids) >= CONTROLS
    stage.github.faults.remove(rule)
    await stage.close_as(ADMIN, "revoked")
    assert alert.resolution == "revoked"


@pytest.mark.parametrize("reason", [ARCHIVED, NO_PERMISSION])
async def test_the_reason_of_a_403_on_closing_is_quoted(
    stage: Stage, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    alert = await stage.leak()
    if reason == ARCHIVED:
        stage.github.archive_repository(stage.repository)
    else:
        stage.github.faults.add("PATCH .*", status=403, body={"message": reason}, times=1)
    await stage.work()
    await stage.close_as(ADMIN, "revoked")
    assert "GitHub does not let Stanch close this alert." in stage.answer_to(ADMIN)
    assert f"It answered 403: “{reason}”" in stage.answer_to(ADMIN)
    assert f"forbidden: {reason}" in capsys.readouterr().out
    assert ("refused", f"forbidden: {reason}") in await stage.audited("close_alert")
    assert alert.state == "open"
    stage.repository.archived = False
    await stage.close_as(OWNER, "revoked")
    assert alert.resolution == "revoked"


async def test_the_reason_of_a_403_on_reopening_is_quoted(stage: Stage) -> None:
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked")
    stage.repository.archived = True
    await stage.click(ADMIN, "reopen")
    await stage.submit(ADMIN)
    assert f"It answered 403: “{ARCHIVED}”" in stage.answer_to(ADMIN)
    assert ("refused", f"forbidden: {ARCHIVED}") in await stage.audited("reopen_alert")
    assert alert.state == "resolved"


async def test_the_reason_is_quoted_when_secret_scanning_is_off(stage: Stage) -> None:
    await stage.leak()
    await stage.pick(ADMIN, "close_as", "revoked")
    stage.repository.secret_scanning = False
    await stage.submit(ADMIN)
    assert f"It answered 404: “{OFF}”" in stage.answer_to(ADMIN)
    assert ("failed", f"FeatureOff: {OFF}") in await stage.audited("close_alert")
    await stage.pick(OWNER, "close_as", "revoked")
    assert OFF in stage.form(OWNER).shown_text
    assert set(stage.card().action_ids) >= CONTROLS


async def test_clicks_during_a_secondary_limit_make_no_calls(stage: Stage) -> None:
    await stage.leak()
    stage.clock.advance(600)
    stage.github.faults.add(
        "(GET|POST) /(repos|orgs|user|installation).*",
        status=403,
        headers={"retry-after": "60"},
        body=LIMITED,
    )
    await stage.click(ADMIN, "check_validity")
    asked = len(stage.github.calls())
    for _ in range(10):
        await stage.click(ADMIN, "check_validity")
    assert len(stage.github.calls()) == asked
