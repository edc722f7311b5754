"""What GitHub's limits and refusals do to clicks."""

from tests.flows.stage import ADMIN, Stage

LIMITED = {"message": "You have exceeded a secondary rate limit."}


async def test_ten_clicks_during_a_secondary_limit_ask_github_nothing_more(stage: Stage) -> None:
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
