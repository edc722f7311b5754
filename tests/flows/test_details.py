"""What the overflow menu shows privately where there is too much of it, or where GitHub does not answer."""

import pytest

from bot.views.history import MAX_LOCATIONS
from tests.flows.stage import ADMIN, Stage

pytestmark = pytest.mark.either_database


async def test_of_very_many_locations_the_first_are_shown_and_the_rest_is_linked(stage: Stage) -> None:
    alert = await stage.leak(path="src/0.py")
    stage.github.webhook_url = None
    for number in range(1, MAX_LOCATIONS + 1):
        stage.github.add_location(alert, path=f"src/{number}.py")
    await stage.pick(ADMIN, "more", "locations")
    answer = stage.answer_to(ADMIN)
    assert f"Found at {MAX_LOCATIONS} locations" in answer
    assert f"src/{MAX_LOCATIONS - 1}.py" in answer
    assert f"src/{MAX_LOCATIONS}.py" not in answer
    assert "There are more; GitHub lists all of them." in answer
    assert stage.github.alert_url(alert) in stage.answer_markup(ADMIN)


async def test_locations_are_not_shown_while_github_is_down(stage: Stage) -> None:
    await stage.leak()
    down = stage.github.faults.add(r"GET /repos/.*/locations", status=503)
    await stage.pick(ADMIN, "more", "locations")
    assert "GitHub can't be asked right now" in stage.answer_to(ADMIN)
    stage.github.faults.remove(down)
    await stage.pick(ADMIN, "more", "locations")
    assert "Found at 1 location" in stage.answer_to(ADMIN)
