"""Faults apply to the calls they name, for the given number of calls, with or without the effect."""

import asyncio

import aiohttp
import pytest

from integrations.sandbox.github import GitHubAlert
from tests.integrations.sandbox.github.conftest import Reply, Scene

PATCH = r"PATCH /repos/.*"


@pytest.fixture
async def alert(scene: Scene) -> GitHubAlert:
    return scene.github.leak(scene.payments)


async def close(scene: Scene) -> Reply:
    token = await scene.caller.token(scene.installation)
    body = {"state": "resolved", "resolution": "revoked"}
    return await scene.caller.call("PATCH", f"{scene.alerts_path}/1", token, body=body)


async def test_an_error_applies_to_the_given_number_of_calls(scene: Scene, alert: GitHubAlert) -> None:
    rule = scene.github.faults.add(PATCH, status=503, headers={"Retry-After": "7"}, times=1)
    failed = await close(scene)
    state = alert.state
    done = await close(scene)

    assert (failed.status, failed.headers["Retry-After"], state) == (503, "7", "open")
    assert (done.status, alert.state, rule.hits) == (200, "resolved", 1)
    assert [each.status for each in scene.github.calls("PATCH")] == [503, 200]


async def test_a_fault_leaves_other_calls_alone(scene: Scene, alert: GitHubAlert) -> None:
    rule = scene.github.faults.add(r"GET /orgs/.*", status=500)
    assert (await close(scene)).status == 200
    assert (await scene.caller.call("GET", "/orgs/octo")).status == 500
    scene.github.faults.remove(rule)
    assert (await scene.caller.call("GET", "/orgs/octo")).status == 200


async def test_a_connection_dropped_before_the_effect_prevents_it(scene: Scene, alert: GitHubAlert) -> None:
    scene.github.faults.add(PATCH, drop="before")
    with pytest.raises(aiohttp.ClientError):
        await close(scene)

    assert alert.state == "open"
    assert scene.github.calls("PATCH")[0].status is None


async def test_a_connection_dropped_after_the_effect_hides_it(scene: Scene, alert: GitHubAlert) -> None:
    scene.github.faults.add(PATCH, drop="after")
    with pytest.raises(aiohttp.ClientError):
        await close(scene)

    assert alert.state == "resolved"
    assert scene.github.calls("PATCH")[0].status is None


async def test_garbage_is_an_html_page(scene: Scene) -> None:
    scene.github.faults.add(r".*", garbage=True)
    async with scene.caller.session.get(f"{scene.github.api_url}/meta") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_call_hangs_until_the_client_disconnects(scene: Scene) -> None:
    scene.github.faults.add(r"GET /meta", hang=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await scene.caller.call("GET", "/meta")

    assert (await scene.caller.call("GET", "/versions")).status == 200


async def test_hanging_calls_end_when_the_server_stops(scene: Scene) -> None:
    scene.github.faults.add(r"GET /meta", hang=True)
    gate = scene.github.faults.gate(r"GET /meta", at="before")
    asking = asyncio.create_task(scene.caller.call("GET", "/meta"))
    await gate.reached()
    gate.open()
    await scene.github.stop()

    with pytest.raises(aiohttp.ClientError):
        await asking


async def test_a_slow_answer_is_correct(scene: Scene, alert: GitHubAlert) -> None:
    scene.github.faults.add(PATCH, slow=0.01)

    assert (await close(scene)).status == 200


async def test_a_gate_holds_a_call_before_its_effect(scene: Scene, alert: GitHubAlert) -> None:
    gate = scene.github.faults.gate(PATCH, at="before")
    closing = asyncio.create_task(close(scene))
    await gate.reached()
    held = alert.state
    gate.open()

    assert (await closing).status == 200
    assert (held, alert.state) == ("open", "resolved")


async def test_a_gate_holds_a_call_after_its_effect(scene: Scene, alert: GitHubAlert) -> None:
    gate = scene.github.faults.gate(PATCH, at="after")
    closing = asyncio.create_task(close(scene))
    await gate.reached()
    held = alert.state
    gate.drop()

    with pytest.raises(aiohttp.ClientError):
        await closing
    assert held == "resolved"


async def test_a_held_call_takes_effect_even_if_its_client_disconnects(
    scene: Scene, alert: GitHubAlert
) -> None:
    gate = scene.github.faults.gate(PATCH, at="before")
    closing = asyncio.create_task(close(scene))
    await gate.reached()
    closing.cancel()
    after = scene.github.faults.gate(PATCH, at="after")
    gate.open()
    await after.reached()

    assert alert.state == "resolved"


async def test_waiting_for_a_gate_times_out(scene: Scene) -> None:
    gate = scene.github.faults.gate(PATCH, at="before")

    with pytest.raises(TimeoutError):
        await gate.reached(timeout=0.01)
